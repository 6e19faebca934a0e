"""Numbers whose comma may have cut them in two: both readings are given."""

import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import FACTOR_COLUMNS, PLANE, batches_of, opening
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_locations

BASE = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class"
ROW = "0828,GVA,CDG,1,economy"


def warned(header: str, *rows: str) -> list[tuple[int, str, str, str]]:
    text = f"{BASE},{header}\n" + "".join(f"{ROW},{row}\n" for row in rows)
    return [row for batch in batches_of(text) for row in batch.warned.rows()]


def test_trips_with_a_comma_before_a_note_are_told_with_both_readings() -> None:
    reason = (
        "is 1000 if its comma separates thousands, and was read as 1, with 000 in note:"
        " write the number without a comma"
    )
    rows = ("1,000", "2,by night", "3,", "4,12", "7,2345")
    assert warned("number_of_trips,note", *rows) == [(1, "number_of_trips", "1,000", reason)]


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ("407,5", "407.5 if its comma is a decimal one"),
        ("81,549", "81549 if its comma separates thousands, or 81.549 if its comma is a decimal"),
    ],
)
def test_kilograms_with_a_comma_before_a_note_may_have_decimals(row: str, meant: str) -> None:
    [(_, column, value, reason)] = warned("kg_co2eq,note", row)
    assert (column, value) == ("kg_co2eq", row)
    assert reason.startswith(f"is {meant}")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("note,number_of_trips", "000,1"),
        ("number_of_trips,note", "1000,000"),
        ("number_of_trips,note", ",000"),
        ("number_of_trips,trip", "1,123"),
        ("number_of_trips;note", "1;000"),
        ("kg_co2eq,note", "407,123456"),
    ],
)
def test_what_cannot_be_a_number_with_a_comma_is_not_doubted(header: str, row: str) -> None:
    mark = ";" if ";" in header else ","
    text = f"{BASE},{header}\n{ROW},{row}\n".replace(",", mark)
    assert [row for batch in batches_of(text) for row in batch.warned.rows()] == []


def test_a_column_that_is_not_read_may_hold_the_rest_of_a_number_in_any_file() -> None:
    [(_, _, _, reason)] = warned("number_of_trips,agency", "1,000")
    assert "with 000 in agency" in reason
    factor = ",".join([*FACTOR_COLUMNS, "source"])
    values = {"category": "all", "cabin_class": "economy", "ef_kg_co2eq_per_km": "0.2"}
    row = ",".join(
        values.get(name, "1" if name == FACTOR_COLUMNS[-1] else "") for name in FACTOR_COLUMNS
    )
    found = read_factors(PLANE, opening(f"{factor}\n{row},050\n")).warnings
    assert found["reason"].str.contains("050 in source").sum() == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,234.56", "is 1234.56 if its comma separates thousands, and was read as 1, with 234.56"),
        ("1,050.5", "is 1050.5 if its comma separates thousands, and was read as 1, with 050.5 in"),
        (
            "1.234,56",
            "is 1234.56 if its points separate thousands and its comma is a decimal one, and was",
        ),
    ],
)
@pytest.mark.parametrize("behind", ["note", "agency"])
def test_a_number_with_both_separators_is_told_wherever_its_rest_stands(
    row: str, reason: str, behind: str
) -> None:
    others = ("81.5,", "12.25,by night")
    [(number, column, value, told)] = [
        one for one in warned(f"kg_co2eq,{behind}", *others, row) if one[2] == row
    ]
    assert (number, column, value) == (3, "kg_co2eq", row)
    assert told.startswith(reason)


def test_a_distance_cut_into_the_kilograms_is_told_where_other_rows_have_none() -> None:
    header = "number_of_trips,distance_km,kg_co2eq,note"
    [(row, column, value, reason)] = warned(header, "1,6,207,", "1,408,,", "1,500,,")
    assert (row, column, value) == (1, "distance_km", "6,207")
    assert reason.startswith(
        "is 6207 if its comma separates thousands, or 6.207 if its comma is a decimal one, and was"
        " read as 6, with 207 in kg_co2eq"
    )
    [(_, column, value, _)] = warned(header, "1,6,207.5,", "1,408,,")
    assert (column, value) == ("distance_km", "6,207.5")
    # Whoever reports both does so in every row, and not with three digits each time.
    doubted = [row for row in warned(header, "1,408,81.5,", "1,500,120,") if "comma" in row[3]]
    assert doubted == []


def test_no_count_begins_with_a_zero() -> None:
    [(_, column, value, reason)] = warned("kg_co2eq,number_of_trips", "2,050", "3,1", "12.5,2")
    assert (column, value) == ("kg_co2eq", "2,050")
    assert reason.startswith("is 2050 if its comma separates thousands")


def test_a_rest_in_a_column_of_names_is_told_beside_real_names() -> None:
    base = "unit_institutional_id,origin_iata,destination_iata,cabin_class"
    header = f"{base},kg_co2eq,user_institutional_id,note\n"
    for other, expected in (("a2,", ["1,234"]), ("7,by night", [])):
        text = f"{header}0828,GVA,JFK,economy,1,234,a1\n0828,GVA,JFK,economy,81.5,{other}\n"
        found = [row[2] for batch in batches_of(text) for row in batch.warned.rows()]
        assert found == expected


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("iata,longitude,latitude,name\nQZA,6.1,46,2381\n", "latitude", "46,2381"),
        ("iata,name,latitude,longitude,country\nXAC,Own,46.5,6,10895\n", "longitude", "6,10895"),
    ],
)
def test_a_place_whose_decimal_comma_leads_into_a_name_is_told(
    text: str, column: str, value: str
) -> None:
    found = read_locations("plane", opening(text)).warnings
    [reason] = found.filter((pl.col("column") == column) & (pl.col("value") == value))["reason"]
    assert reason.startswith(f"is {value.replace(',', '.')} if its comma is a decimal one, and was")


def test_the_upper_end_of_a_factor_cut_into_the_next_column_is_told() -> None:
    header = "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance"
    rows = "short,economy,0.2,1,0,3,700\nlong,economy,0.1,1,3700,,\n"
    found = read_factors(PLANE, opening(f"{header},detour_km\n{rows}")).warnings
    [reason] = found.filter(pl.col("value") == "3,700")["reason"]
    assert reason.startswith("is 3700 if its comma separates thousands")


def test_no_name_of_a_traveller_has_three_digits_and_decimals() -> None:
    text = (
        "unit_institutional_id,origin_iata,destination_iata,cabin_class,kg_co2eq,"
        "user_institutional_id\n0828,GVA,JFK,economy,1,234.56\n"
    )
    [row] = [row for batch in batches_of(text) for row in batch.warned.rows()]
    assert row[2] == "1,234.56"


@pytest.mark.parametrize("other", ["6207,1500.5", "6207,", "408,81.5"])
def test_rows_of_an_earlier_batch_say_that_a_file_cuts_no_numbers(other: str) -> None:
    rows = [f"1,{other},"] * 20_000 + ["1,408,120,", "1,500,,"] * 3
    found = warned("number_of_trips,distance_km,kg_co2eq,note", *rows)
    assert [row for row in found if "comma" in row[3]] == []


def test_a_row_of_both_a_distance_and_kilograms_is_not_cut_where_no_trip_is_as_long() -> None:
    header = "number_of_trips,distance_km,kg_co2eq,note"
    assert warned(header, "1,408,120,", "1,500,,") == []


@pytest.mark.parametrize(
    "base",
    ["kg_co2eq,number_of_trips", "distance_km,kg_co2eq", "kg_co2eq,distance_km"],
)
def test_the_only_row_of_a_file_may_be_cut_before_another_number(base: str) -> None:
    [(_, column, value, reason)] = warned(base, "1,234")
    assert (column, value) == (base.partition(",")[0], "1,234")
    assert reason.startswith("is 1234 if its comma separates thousands, or 1.234 if")


def test_counts_of_three_digits_in_each_row_are_rests_of_thousands() -> None:
    header = "kg_co2eq,number_of_trips"
    assert [row[2] for row in warned(header, "1,234", "2,500")] == ["1,234", "2,500"]
    assert warned(header, "1,234", "2,5") == []
    assert warned("number_of_trips,distance_km", "1,408") == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["1,234,a1"], ["1,234"]),
        (["1,234,"], ["1,234"]),
        (["1,234,a1", "81.5,7,"], ["1,234"]),
        (["1,234,a1", "81.5,7,by night"], []),
        (["1,234,a1", "2,345,"], []),
        (["1,23,a1"], []),
    ],
)
def test_a_rest_beside_numbered_travellers_is_told_where_its_row_is_longer(
    rows: list[str], expected: list[str]
) -> None:
    base = "unit_institutional_id,origin_iata,destination_iata,cabin_class"
    lines = "".join(f"0828,GVA,JFK,economy,{row}\n" for row in rows)
    text = f"{base},kg_co2eq,user_institutional_id,note\n{lines}"
    assert [row[2] for batch in batches_of(text) for row in batch.warned.rows()] == expected


@pytest.mark.parametrize(
    ("row", "meant"),
    [("1,25", "is 1.25 if its"), ("0,183", "is 0.183 if its"), ("0,2", "is 0.2 if its comma")],
)
def test_a_factor_cut_into_its_adjustment_is_told_with_what_it_means(row: str, meant: str) -> None:
    header = "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment"
    found = read_factors(PLANE, opening(f"{header}\nall,economy,{row}\n")).warnings
    [reason] = found.filter(pl.col("value") == row)["reason"]
    assert reason.startswith(meant)
    good = read_factors(PLANE, opening(f"{header}\nall,economy,0.25,1\n")).warnings
    assert good.is_empty()


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        ("kg_co2eq,note", ["5,12", "7,3", "81.5,4"], []),
        ("kg_co2eq,note", ["5,12", "7,3"], ["5,12", "7,3"]),
        ("kg_co2eq,note", ["5,12", "81.5,4", "1,234"], ["1,234"]),
        ("kg_co2eq,note", ["5,12", "81.5,4", "2000,", "1,234"], []),
        ("kg_co2eq,note", ["2000,", "1,234", "5,12"], ["1,234", "5,12"]),
        ("kg_co2eq,note", ["81.5,", "2000,", "1,234.56"], ["1,234.56"]),
        ("number_of_trips,note", ["1,234", "1200,"], []),
    ],
)
def test_short_notes_are_none_of_a_number_where_other_numbers_are_written_otherwise(
    header: str, rows: list[str], expected: list[str]
) -> None:
    found = [row for row in warned(header, *rows) if "comma" in row[3]]
    assert [row[2] for row in found] == expected
