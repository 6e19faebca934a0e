"""A file of another program gives the entries of the same file in the product's own words."""

import datetime as dt
import io
import zipfile
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import COLUMNS, GOOD, PLANE, SCOPE, csv_of, opening
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping, read_mapping
from worker_service.carbon.parse.entries import EntryScope, read_entries
from worker_service.carbon.parse.formats import date_layout
from worker_service.carbon.stored import stored_entries

# As an agency's program calls them.
NAMES = {
    "Cost centre": "unit_institutional_id",
    "From": "origin_iata",
    "To": "destination_iata",
    "Traveller = person": "user_institutional_id",
    "Class": "cabin_class",
    "Day": "departure_date",
    "Trips": "number_of_trips",
    "Length": "distance_km",
    "CO2": "kg_co2eq",
    "Remark": "note",
}
CABINS = {"economy": "Eco Flex", "business": "Klasse C", "first": "La Première"}


def read(
    text: str | bytes, mapping: FileMapping = AS_DECLARED, scope: EntryScope = SCOPE
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The accepted rows as they are stored, and row, column and reason of the others."""
    file = read_entries(PLANE, opening(text), scope, mapping=mapping)
    batches = list(file.batches)
    accepted = pl.concat(batch.accepted for batch in batches)
    rejected = pl.concat(batch.rejected for batch in batches)
    return stored_entries(PLANE, accepted), rejected.select("row", "column")


def refusal(mapping: FileMapping, text: str = "", scope: EntryScope = SCOPE) -> str:
    text = text or csv_of(COLUMNS, [GOOD])
    with pytest.raises(RefusedFile) as refused:
        read(text, mapping, scope)
    assert refused.value.cause is Cause.MAPPING
    return str(refused.value)


def with_comma(number: float) -> str:
    """As German programs write it."""
    return f"{number:,.3f}".translate(str.maketrans(",.", ".,"))


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "unit_institutional_id": st.sampled_from(["0828", "0829", "none"]),
            "origin_iata": st.sampled_from(["GVA", "cdg", "X"]),
            "destination_iata": st.just("JFK"),
            "user_institutional_id": st.sampled_from(["1", "=x, 2", "ü"]),
            "cabin_class": st.sampled_from([*CABINS, "hammock"]),
            "departure_date": st.dates(dt.date(2023, 12, 1), dt.date(2025, 1, 31)),
            "number_of_trips": st.integers(0, 3_000),
            "distance_km": st.decimals(0, 30_000, places=3).map(float),
            "note": st.sampled_from(["", "a;b", 'say "so"']),
        }
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    separator=st.sampled_from([";", "\t", ","]),
    day=st.sampled_from([".", "/"]),
    titles=st.lists(st.sampled_from(["", "Trips 2024", ";;;", 'so "called', "a,b"]), max_size=9),
)
def test_a_file_under_other_names_gives_the_same_entries(
    rows: list[dict[str, Any]], separator: str, day: str, titles: list[str]
) -> None:
    plain = [{**row, "distance_km": f"{row['distance_km']:.3f}"} for row in rows]
    foreign = [
        {
            **row,
            "cabin_class": CABINS.get(row["cabin_class"], row["cabin_class"]),
            "departure_date": row["departure_date"].strftime(f"%d{day}%m{day}%Y"),
            "number_of_trips": f"{row['number_of_trips']:,}".replace(",", "."),
            "distance_km": with_comma(row["distance_km"]),
        }
        for row in rows
    ]
    renamed = {name: written for written, name in NAMES.items()}
    table = pl.DataFrame(foreign).rename({name: renamed[name] for name in foreign[0]})
    mapping = FileMapping(
        columns={written: name for written, name in NAMES.items() if written in table.columns},
        values={"cabin_class": {written: choice for choice, written in CABINS.items()}},
        decimal="comma",
        dates=f"dd{day}mm{day}yyyy",
        header_line=len(titles) + 1,
    )
    mine = read(csv_of(COLUMNS, plain))
    above = "".join(f"{title}\n" for title in titles)
    theirs = read(above + table.write_csv(separator=separator), mapping)
    assert theirs[0].equals(mine[0])
    assert theirs[1].equals(mine[1])


def workbook(*lines: list[Any]) -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Reisen")
        for at, line in enumerate(lines):
            sheet.write_row(at, 0, line)
    return data.getvalue()


def test_numbers_of_a_workbook_are_what_they_are_and_its_texts_what_the_mapping_says() -> None:
    names = list(NAMES)
    book = workbook(
        [],
        names[:8],
        ["0828", "GVA", "CDG", "1", "economy", "31.03.2024", 2, 1.234],
        ["0828", "GVA", "CDG", "1", "economy", "1.4.2024", 2, "1.234"],
        ["0828", "GVA", "CDG", "1", "economy", "2024-04-02", "1.000", 1234.5],
    )
    mapping = FileMapping(
        columns=dict(list(NAMES.items())[:8]), decimal="comma", dates="dd.mm.yyyy"
    )
    accepted, rejected = read(book, mapping)
    assert rejected.is_empty()
    assert accepted["distance_km"].to_list() == [1.234, 1234, 1234.5]
    days = ["2024-03-31", "2024-04-01", "2024-04-02"]
    assert accepted["departure_date"].to_list() == days


def test_a_decimal_comma_is_for_columns_of_numbers_and_leaves_texts_as_they_are() -> None:
    # The name of a column may have characters that nobody sees.
    names = ["\u200bStrecke ", *COLUMNS[:5], "note"]
    rows: list[list[object]] = [
        [1.5, "0828", "GVA", "CDG", 6001.5, "economy", "1,5 t van"],
        ["1,5", "0828", "GVA", "CDG", "6001.5", "economy", "1.234,5"],
    ]
    mapping = FileMapping(columns={"Strecke": "distance_km"}, decimal="comma")
    accepted, rejected = read(workbook([], names, *rows), mapping)
    assert rejected.is_empty()
    fields = ("distance_km", "user_institutional_id", "note")
    assert accepted.select(fields).to_dicts() == [
        {"distance_km": 1.5, "user_institutional_id": "6001.5", "note": "1,5 t van"},
        {"distance_km": 1.5, "user_institutional_id": "6001.5", "note": "1.234,5"},
    ]


def test_constants_stand_in_each_row() -> None:
    few = "origin_iata,destination_iata\nGVA,CDG\nGVA,CDG\n"
    rest = {name: value for name, value in GOOD.items() if name not in few}
    mapping = FileMapping(constants={**rest, "distance_km": "1.5"}, decimal="comma")
    # A constant is written as ever, however the file writes its numbers.
    assert read(few, mapping)[0].equals(
        read(csv_of(COLUMNS, [{**GOOD, "distance_km": 1.5}] * 2))[0]
    )


def test_a_file_of_one_unit_may_have_its_unit_as_the_only_constant() -> None:
    one = EntryScope(SCOPE.year, SCOPE.units, unit="0828")
    row = {name: value for name, value in GOOD.items() if name != "unit_institutional_id"}
    text = csv_of(list(row), [row])
    mapping = FileMapping(constants={"unit_institutional_id": "0828"})
    accepted, rejected = read(text, mapping, one)
    assert rejected.is_empty()
    assert accepted.equals(read(text, scope=one)[0])
    assert accepted.height == 1


def test_a_column_may_be_read_as_nothing() -> None:
    text = csv_of(["From", *COLUMNS], [{**GOOD, "From": "CDG"}])
    mapping = FileMapping(columns={"From": "origin_iata", "origin_iata": ""})
    file = read_entries(PLANE, opening(text), SCOPE, mapping=mapping)
    [batch, _] = list(file.batches)
    assert batch.accepted["origin_iata"].to_list() == ["cdg"]
    assert [column.name for column in file.unread_columns] == ["origin_iata"]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (
            FileMapping({"From": "origin_iat"}),
            "names a column origin_iat that files of this type do not have (did you mean",
        ),
        (FileMapping(constants={"shoe": "1"}), "the mapping names a column shoe that"),
        (FileMapping(values={"shoe": {"a": "b"}}), "the mapping names a column shoe that"),
        (
            FileMapping({"From": "origin_iata", "To": "origin_iata"}),
            "the mapping reads two columns as origin_iata: From and To",
        ),
        (
            FileMapping({"From": "origin_iata"}, {"origin_iata": "GVA"}),
            "the mapping reads From as origin_iata, which it sets, too",
        ),
        (
            FileMapping({"Form": "origin_iata"}),
            "the mapping names a column that the file does not have: Form; it has:",
        ),
        (
            FileMapping({"My\nnote ": "note", "MY NOTE": ""}),
            r"the mapping names one column of the file twice: MY NOTE and My\nnote",
        ),
        (
            FileMapping(values={"cabin_class": {"Eco": "economy", "ECO": "first"}}),
            "reads one text as two choices in cabin_class: ECO as first and Eco as economy",
        ),
        (
            FileMapping(constants={"cabin_class": "economy"}),
            "the mapping sets cabin_class for all rows, and the file has that column",
        ),
        (
            FileMapping({"note": "cabin_class"}),
            "the mapping reads note as cabin_class, and the file has a column cabin_class, too",
        ),
        (
            FileMapping(values={"cabin_class": {"y": "eco"}}),
            "the mapping reads y as eco in cabin_class, which is one of economy,",
        ),
        (FileMapping(values={"note": {"y": "eco"}}), "gives values of note, which has no list of"),
        (FileMapping(decimal="dot"), "has decimal dot: write comma or point"),
        (FileMapping(dates="yyyy/dd/mm"), "the mapping has dates yyyy/dd/mm: write how a day"),
    ],
)
def test_a_bad_mapping_is_refused_in_a_sentence(mapping: FileMapping, said: str) -> None:
    assert said in refusal(mapping)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("cabin_class", "hammock", "sets cabin_class to hammock, and it must be one of economy"),
        ("number_of_trips", "0", "sets number_of_trips to 0, and it must be at least 1"),
        ("departure_date", "2023-01-01", "and it lies outside the year 2024"),
        ("origin_iata", "", "sets origin_iata to nothing, and it is missing"),
    ],
)
def test_a_bad_constant_is_refused_before_the_file_is_opened(
    name: str, value: str, said: str
) -> None:
    def never() -> Any:
        raise AssertionError

    with pytest.raises(RefusedFile, match=said):
        read_entries(PLANE, never, SCOPE, mapping=FileMapping(constants={name: value}))


@pytest.mark.parametrize(
    ("decimal", "text", "number"),
    [
        ("comma", "1,5", 1.5),
        ("comma", "1.234", 1234),
        ("comma", "1.234,5", 1234.5),
        ("comma", "1 234,5", 1234.5),
        ("comma", "12\u2019345", 12345),
        ("comma", "1.5", None),
        ("comma", "1,234.5", None),
        ("comma", "1.23,5", None),
        ("point", "1,234", 1234),
        ("point", "1,234.5", 1234.5),
        ("point", "1.5", 1.5),
        ("point", "1,5", None),
        ("point", "1e3", 1000),
        ("point", "e3", None),
        ("point", ",", None),
    ],
)
def test_a_number_is_read_as_the_mapping_says_or_not_at_all(
    decimal: str, text: str, number: float | None
) -> None:
    row = {**GOOD, "distance_km": text}
    accepted, rejected = read(csv_of(COLUMNS, [row]), FileMapping(decimal=decimal))
    assert rejected["column"].to_list() == ([] if number else ["distance_km"])
    assert accepted.height == (1 if number else 0)
    if number:
        assert accepted["distance_km"].item() == number


def test_a_word_beside_a_number_is_named_although_a_mapping_says_how_numbers_are_written() -> None:
    row = {**GOOD, "distance_km": "1,234.5 km"}
    file = read_entries(
        PLANE, opening(csv_of(COLUMNS, [row])), SCOPE, mapping=FileMapping(decimal="point")
    )
    [reason] = [one for batch in file.batches for one in batch.rejected["reason"]]
    assert reason == "has km beside the number: write the number alone"


@pytest.mark.parametrize(
    ("layout", "text", "day"),
    [
        ("dd/mm/yyyy", "31/03/2024", "2024-03-31"),
        ("dd/mm/yyyy", "1/3/2024", "2024-03-01"),
        ("dd/mm/yyyy", "2024-03-31", "2024-03-31"),
        ("dd/mm/yyyy", "03/31/2024", None),
        ("dd/mm/yyyy", "31.03.2024", None),
        ("dd/mm/yyyy", "31/03/24", None),
        ("dd/mm/yyyy", "31/03/2024 00:00:00", "2024-03-31"),
        ("mm/dd/yyyy", "3/31/2024", "2024-03-31"),
        ("dd.mm.yy", "31.03.24", "2024-03-31"),
        ("yyyymmdd", "20240331", "2024-03-31"),
        ("yyyymmdd", "2024331", None),
    ],
)
def test_a_date_is_read_as_the_mapping_says_or_not_at_all(
    layout: str, text: str, day: str | None
) -> None:
    row = {**GOOD, "departure_date": text}
    accepted, rejected = read(csv_of(COLUMNS, [row]), FileMapping(dates=layout))
    assert rejected["column"].to_list() == ([] if day else ["departure_date"])
    if day:
        assert accepted["departure_date"].item() == day


@pytest.mark.parametrize(
    "written", ["dd-mm", "yyyy-dd-mm", "dd/mm.yyyy", "ddmmyy", "dd/dd/yyyy", ""]
)
def test_other_words_are_no_layout_of_dates(written: str) -> None:
    assert date_layout(written) is None


def test_a_payload_says_all_of_it() -> None:
    said = {
        "name": "agency",
        "columns": {" From ": "origin_iata"},
        "constants": {"note": "x"},
        "values": {"cabin_class": {"y": "economy"}},
        "decimal": "comma",
        "dates": "dd/mm/yyyy",
        # As a message has numbers.
        "header_line": 4.0,
    }
    assert read_mapping(said) == FileMapping(
        {"From": "origin_iata"},
        {"note": "x"},
        {"cabin_class": {"y": "economy"}},
        "comma",
        "dd/mm/yyyy",
        4,
    )
    assert read_mapping(None) == read_mapping({}) == AS_DECLARED


@pytest.mark.parametrize("as_book", [False, True])
def test_rejected_rows_have_no_titles_and_are_read_with_the_same_mapping(*, as_book: bool) -> None:
    names = [*COLUMNS, "rejected_row", "rejected_reason"]
    row = [str(GOOD.get(name, "")) for name in COLUMNS]
    sent = [["Trips 2024"], [], COLUMNS, row]
    mended = [names, [*row, "7", "no date"]]
    said = FileMapping(header_line=3)
    for lines in (sent, mended):
        text = "".join(f"{','.join(line)}\n" for line in lines)
        accepted, rejected = read(workbook(*lines) if as_book else text, said)
        assert (accepted.height, rejected.height) == (1, 0)


@pytest.mark.parametrize("as_book", [False, True])
def test_a_header_beyond_the_end_is_refused(*, as_book: bool) -> None:
    said = FileMapping(header_line=9)
    with pytest.raises(RefusedFile, match=r"header_line 9, and the .* has fewer lines") as refused:
        read(workbook(["a"], ["b"]) if as_book else "a\nb\n", said)
    assert refused.value.cause is Cause.MAPPING


def test_a_mapped_file_may_come_in_an_archive() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.csv", csv_of(COLUMNS, [GOOD]).replace("origin_iata", "From"))
    assert read(data.getvalue(), FileMapping({"From": "origin_iata"}))[0].height == 1
