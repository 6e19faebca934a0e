"""Values as spreadsheets and data frames write them: read where they are clear, else told how."""

import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import (
    COLUMNS,
    ECONOMY,
    FACTOR_COLUMNS,
    GOOD,
    PLANE,
    YEAR,
    batches_of,
    csv_of,
    opening,
    parsed,
)
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.parse import units as module
from worker_service.carbon.parse.entries import EntryBatch, EntryScope
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_locations, read_units
from worker_service.carbon.parse.unit_hints import UnitHints
from worker_service.carbon.parse.units import doubtful_units

UNITS = ("0828", "0829", "0012", "12", "1E5", "NA", "Zürich-1", "ÉCOLE")


def of_unit(unit: str, encoding: str = "utf-8") -> EntryBatch:
    text = csv_of(COLUMNS, [{**GOOD, "unit_institutional_id": unit}])
    return batches_of(text.encode(encoding), EntryScope(YEAR, UNITS))[0]


@pytest.mark.parametrize(
    ("written", "trips"), [("1.0", 1), ("2.00", 2), ("3.", 3), ("+4.0", 4), ("12345.000", 12345)]
)
def test_a_whole_number_may_have_a_point_and_zeros(written: str, trips: int) -> None:
    rows = [{**GOOD, "number_of_trips": written}, {**GOOD, "number_of_trips": "7"}]
    assert parsed(rows).accepted["number_of_trips"].to_list() == [trips, 7]


@pytest.mark.parametrize(
    ("column", "written", "reason"),
    [
        ("number_of_trips", "1.000", "write 1000 if the point separates thousands, else 1"),
        ("number_of_trips", "1.250", "must be a whole number: write 1250 if the point separates"),
        ("number_of_trips", "1.250.000", "has a thousands separator: write 1250000"),
        ("number_of_trips", "1,250", "has a thousands separator: write 1250"),
        (
            "number_of_trips",
            "1,000",
            "is 1000 with a thousands separator or 1 with a decimal comma: write the one",
        ),
        ("number_of_trips", "1,0", "has a decimal comma: write 1.0"),
        ("number_of_trips", "1,5", "must be a whole number, such as 2"),
        ("number_of_trips", "1.234,5", "must be a whole number, such as 2"),
        ("number_of_trips", "1,234.5", "must be a whole number, such as 2"),
        ("number_of_trips", "1 234.5", "must be a whole number, such as 2"),
        (
            "number_of_trips",
            "\uff11\uff10",
            "has full-width digits or those of another script: write 10",
        ),
        ("number_of_trips", "'1'", "is in single quotes: leave them out, or write double quotes"),
        ("kg_co2eq", "\u0661.5", "has full-width digits or those of another script: write 1.5"),
        ("kg_co2eq", "'0.5'", "is in single quotes"),
        ("departure_date", "'2024-03-31'", "is in single quotes"),
        ("cabin_class", "'economy'", "is in single quotes"),
        ("origin_iata", "'GVA'", "is in single quotes"),
        ("number_of_trips", "two", "is not a number: write digits only, such as 2"),
        ("kg_co2eq", "0,183", "has a decimal comma: write 0.183"),
        ("kg_co2eq", "00,183", "has a decimal comma: write 00.183"),
        ("kg_co2eq", "0,1834", "has a decimal comma: write 0.1834"),
        ("kg_co2eq", "-0,183", "has a decimal comma: write -0.183"),
        ("kg_co2eq", "1'234,567", "has a decimal comma: write 1234.567"),
        ("kg_co2eq", "1.234.567,8", "has a decimal comma: write 1234567.8"),
        (
            "kg_co2eq",
            "12,345",
            "is 12345 with a thousands separator or 12.345 with a decimal comma: write the one",
        ),
        ("kg_co2eq", "12,345,678", "has a thousands separator: write 12345678"),
        ("kg_co2eq", "1.234.567", "has a thousands separator: write 1234567"),
        ("kg_co2eq", "12,345.5", "has a thousands separator: write 12345.5"),
        ("kg_co2eq", "1\u202f000", "has a thousands separator: write 1000"),
    ],
)
def test_a_number_that_may_be_another_says_what_to_write(
    column: str, written: str, reason: str
) -> None:
    [rejected] = parsed([{**GOOD, column: written}]).rejected.to_dicts()
    assert reason in rejected["reason"]


@pytest.mark.parametrize(
    ("written", "read"),
    [("1e3", 1000), ("2E+00", 2), ("1.5e1", 15), ("+1E2", 100), ("20e-1", 2)],
)
def test_trips_with_an_exponent_are_whole_numbers_too(written: str, read: int) -> None:
    trips = parsed([{**GOOD, "number_of_trips": written}, GOOD]).accepted["number_of_trips"]
    assert trips[0] == read


@pytest.mark.parametrize("written", ["1e-1", "1.25e1", "1e99", "e3", "1e", "1e3.5", "0e3", "-1e3"])
def test_an_exponent_that_gives_no_possible_number_is_rejected(written: str) -> None:
    rows = parsed([{**GOOD, "number_of_trips": written}, GOOD])
    assert rows.rejected["column"].to_list() == ["number_of_trips"]


def test_a_decimal_comma_in_a_factor_file_is_not_called_a_thousands_separator() -> None:
    text = csv_of(FACTOR_COLUMNS, [{**ECONOMY, "ef_kg_co2eq_per_km": "0,183"}])
    [rejected] = read_factors(PLANE, opening(text)).rejected.to_dicts()
    assert rejected["reason"] == "has a decimal comma: write 0.183"


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-31 00:00:00",
        "2024-03-31T00:00:00",
        "2024-03-31 00:00",
        "2024-03-31T00:00:00Z",
        "2024-03-31T00:00:00.000",
        "2024-03-31T00:00:00.000000Z",
        "2024-03-31T00:00:00+02:00",
    ],
)
def test_the_first_moment_of_a_day_is_the_day(written: str) -> None:
    rows = [{**GOOD, "departure_date": written}, {**GOOD, "departure_date": "2024-04-01"}]
    dates = parsed(rows).accepted["departure_date"].to_list()
    assert [date.isoformat() for date in dates] == ["2024-03-31", "2024-04-01"]


@pytest.mark.parametrize(
    "written",
    ['="0828"', '"=""0828"""', '\'="0828"', "0828\u200b", "\ufeff0828", "\u00a00828\u2060"]
    + [f"08{one}28" for one in "\ufe0f\U000e0020\U000e0100\u115f\u3164\u2800\u180e\u034f\u061c"],
)
def test_an_id_kept_as_text_or_with_what_nobody_sees_is_the_id(written: str) -> None:
    text = f"{','.join(COLUMNS)}\n{written},GVA\u200b,C\u00adDG,1,economy,,,,,\n"
    for content in (text, text + '0828,GVA,CDG,1,economy,,,,,"5"" x"\n'):
        batch = batches_of(content)[0]
        assert batch.rejected.is_empty()
        row = batch.accepted.row(0, named=True)
        assert (row["unit"], row["origin_iata"], row["destination_iata"]) == ("0828", "gva", "cdg")


HIDDEN = "has a character that nobody sees, which is left out"


def test_what_nobody_sees_is_left_out_of_reference_data_too_and_said() -> None:
    ids = ("\u200b0828\u00a0", "05\u200b55", "0556\u202c", "A\u00a0B", "0828", " \u00a00900", "X y")
    text = "".join(f"{unit},N\n" for unit in ids)
    units = read_units(opening(f"unit_institutional_id,name\n{text}"))
    assert units.accepted["unit_id"].to_list() == ["0555", "0556", "A B", "0828", "0900", "X y"]
    assert units.warnings.filter(pl.col("reason").str.contains("which is")).rows() == [
        (1, "unit_institutional_id", "\\u200b0828", HIDDEN),
        (2, "unit_institutional_id", "05\\u200b55", HIDDEN),
        (3, "unit_institutional_id", "0556\\u202c", HIDDEN),
        (
            *(4, "unit_institutional_id", "A\\xa0B"),
            "has a no-break space, which is read as a plain one",
        ),
    ]
    places = read_locations("plane", opening("iata,latitude,longitude\nG\u200bVA,46,6\n"))
    assert places.accepted["code"].to_list() == ["gva"]
    assert places.warnings.rows() == [(1, "iata", "G\\u200bVA", HIDDEN)]
    factor = {**ECONOMY, "category": "short\u00a0haul\ufeff", "cabin_class": "eco\u00adnomy"}
    factors = read_factors(PLANE, opening(csv_of(FACTOR_COLUMNS, [factor])))
    assert factors.accepted.select("category", "cabin_class").row(0) == ("short haul", "economy")
    assert factors.warnings["reason"].to_list()[:2] == [HIDDEN, HIDDEN]


def test_single_quotes_are_explained_in_every_kind_of_file() -> None:
    [unit] = read_units(
        opening("unit_institutional_id,name\n'0555',N\n0556,it's\n")
    ).rejected.rows()
    assert (unit[0], unit[1], unit[3][:19]) == (1, "unit_institutional_id", "is in single quotes")
    [place] = read_locations(
        "plane", opening("iata,latitude,longitude\n'GVA',46,6\n")
    ).rejected.rows()
    assert (place[1], place[3][:19]) == ("iata", "is in single quotes")
    rows = parsed([{**GOOD, "note": "'so be it'"}, GOOD])
    assert rows.rejected.is_empty()
    with pytest.raises(RefusedFile, match="its names are in single quotes: leave them out, or"):
        read_units(opening("'unit_institutional_id','name'\n'0555','Physics'\n"))
    [wide] = read_units(
        opening("unit_institutional_id,name\n0555,'Physics, old'\n0556,N\n")
    ).rejected["reason"]
    assert wide == (
        "3 fields, and the header has 2; single quotes keep no field together: write double quotes"
    )


def test_what_nobody_sees_is_shown_where_a_value_is_rejected() -> None:
    [rejected] = of_unit("08\u200b27").rejected.to_dicts()
    assert rejected["value"] == "08\\u200b27"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("828", "; 0828 is one: a spreadsheet may have dropped the zero"),
        ("828.0", "; 0828 is one: a spreadsheet may have written it as a number"),
        ("8.28E+02", "; 0828 is one: a spreadsheet may have written it as a number"),
        ("100000", "; 1E5 is one: a spreadsheet may have written it as a number"),
        ("1E+05", "; 1E5 is one: a spreadsheet may have written it as a number"),
        ("12.0", "; 0012 and 12 are units: a spreadsheet may have written one of them as a number"),
        ("012", "; 0012 and 12 are units: a spreadsheet may have written one of them as a number"),
        ("830", ""),
        ("8280", ""),
        ("1E999999999", ""),
        ("none", ""),
        ("828,0", "; 0828 is one: a spreadsheet may have written it as a number"),
        ("\uff10\uff18\uff12\uff18", "; 0828 is one: write it with plain letters and digits"),
        ("\u0660\u0668\u0662\u0668", "; 0828 is one: write it with plain letters and digits"),
        ("\uff18\uff12\uff18", "; 0828 is one: a spreadsheet may have dropped the zero"),
        ("\uff3aürich-1", "; Zürich-1 is one: write it with plain letters and digits"),
        ("Zurich-1", "; did you mean Zürich-1?"),
        ("zürich 1", "; did you mean Zürich-1?"),
    ],
)
def test_a_unit_that_is_badly_written_is_named_with_those_that_may_be_meant(
    written: str, hint: str
) -> None:
    [rejected] = of_unit(written).rejected.to_dicts()
    assert rejected["reason"] == f"is not a unit of the institution{hint}"


@pytest.mark.parametrize(
    ("encoding", "name"), [("mac-roman", "Mac Roman"), ("cp850", "the code page of DOS (850)")]
)
def test_a_unit_in_letters_of_another_encoding_is_named(encoding: str, name: str) -> None:
    [rejected] = of_unit("école", encoding).rejected.to_dicts()
    assert rejected["reason"].endswith(
        f"; ÉCOLE is one: the file looks like {name}, save it as CSV UTF-8"
    )


def test_a_unit_whose_letters_were_written_twice_over_is_named() -> None:
    twice = "Zürich-1".encode().decode("cp1252")
    [rejected] = of_unit(twice).rejected.to_dicts()
    assert rejected["reason"].endswith(
        "; Zürich-1 is one: its letters are UTF-8 that was read as Windows-1252, save the whole"
        " file as CSV UTF-8"
    )


def test_a_file_for_one_unit_says_what_its_other_ids_mean() -> None:
    text = csv_of(COLUMNS, [{**GOOD, "unit_institutional_id": "828"}])
    [rejected] = batches_of(text, EntryScope(YEAR, UNITS, unit="0828"))[0].rejected.to_dicts()
    assert rejected["reason"] == (
        "is another unit than 0828, which the file was uploaded for;"
        " 0828 is one: a spreadsheet may have dropped the zero"
    )


@pytest.mark.parametrize(
    ("ids", "doubted"),
    [
        (["0555.0", "0555"], {"0555.0": "0555 is one: a spreadsheet may have written it as"}),
        (["555", "0555", "5.55E+02"], {"555": "0555 is one", "5.55E+02": "0555 is one"}),
        (["\uff10555", "0555"], {"\uff10555": "0555 is one: write it with plain letters and"}),
        (["ZÃ¼rich", "Zürich"], {"ZÃ¼rich": "Zürich is one: its letters are UTF-8 that was read"}),
        (["LAB 1", "LAB-1", "lab1"], {"LAB-1": "did you mean LAB 1?", "lab1": "did you mean LAB"}),
        (["00", "0", "0.0"], {"0": "00 is one", "0.0": "00 is one: a spreadsheet may have"}),
        (["828.00", "0556"], {"828.00": "0828 is one: a spreadsheet may have written it as a"}),
        (["1-11", "11-1", "1.1.1", "0556", "0557", "École"], {}),
        (
            ["0904.50", "1.5", "7,25", "9.04E+02", "0556"],
            {
                "0904.50": "a spreadsheet may have written 0904 as a number",
                "1.5": "a spreadsheet may have written 1 as a number",
                "7,25": "a spreadsheet may have written 7 as a number",
                "9.04E+02": "a spreadsheet may have written 904 as a number",
            },
        ),
        # Parts of a unit.
        (["31", "31.1", "31.2", "12.1", "0828.5", "1E5", "B1.2"], {}),
        (["0828", "0012", "12", "NA", "ecole-2", "---", "***"], {}),
    ],
)
def test_a_new_unit_is_compared_with_known_ones_and_with_those_of_its_file(
    ids: list[str], doubted: dict[str, str]
) -> None:
    rows = pl.DataFrame({"row_number": range(1, len(ids) + 1), "unit_id": ids})
    found = doubtful_units(rows, UNITS).listed
    assert found.select("row", "value").rows() == [(ids.index(unit) + 1, unit) for unit in doubted]
    for reason, hint in zip(found["reason"], doubted.values(), strict=True):
        assert reason.startswith(f"is a new unit; {hint}")


def test_of_many_badly_written_units_the_first_are_listed_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DOUBTFUL_UNITS_MAX", 2)
    rows = pl.DataFrame({"row_number": [1, 2, 3, 4], "unit_id": ["828", "A1", "829", "0829.0"]})
    found = doubtful_units(rows, ["0828", "0829"])
    assert found.listed["row"].to_list() == [1, 3]
    assert found.rows == {1, 3, 4}


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("1-11", ""),
        ("11/1", "did you mean 11-1?"),
        ("LAB_3", "did you mean LAB 3?"),
        ("10'828", "did you mean 10828?"),
        ("10 828", "did you mean 10828?"),
    ],
)
def test_marks_between_digits_tell_units_apart(written: str, hint: str) -> None:
    assert UnitHints(["11-1", "10828", "LAB 3"]).hint(written) == hint


def test_another_unit_of_the_institution_is_not_a_badly_written_one() -> None:
    text = csv_of(COLUMNS, [{**GOOD, "unit_institutional_id": "0012"}])
    [rejected] = batches_of(text, EntryScope(YEAR, UNITS, unit="12"))[0].rejected.to_dicts()
    assert rejected["reason"] == "is another unit than 12, which the file was uploaded for"


def test_an_apostrophe_before_a_key_is_told_and_the_name_of_a_dutch_place_is_not() -> None:
    rows = [
        {**GOOD, "origin_iata": written}
        for written in ("'0828", "'s-Hertogenbosch", "'t Harde", "O'Hare", "'")
    ]
    warned = parsed(rows).warned.filter(pl.col("column") == "origin_iata")
    assert warned["value"].to_list() == ["'0828"]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("'economy", "begins with an apostrophe, as spreadsheets mark text: write economy"),
        ("'Y", "must be one of "),
        ("'economie", "must be one of "),
    ],
)
def test_a_class_with_an_apostrophe_is_rejected_with_the_one_that_is_meant(
    written: str, reason: str
) -> None:
    [rejected] = parsed([{**GOOD, "cabin_class": written}]).rejected.to_dicts()
    assert rejected["reason"].startswith(reason)
