"""A workbook is submitted like a CSV file, and says what of it was not read."""

import io
from collections.abc import Mapping, Sequence

import xlsxwriter

from tests.cases.conftest import Terminal

HEADER = ("unit_institutional_id", "origin_iata", "destination_iata", "user_institutional_id")
CABIN = ("cabin_class", "distance_km")
ROWS = [
    ("0828", "GVA", "CDG", "a1", "economy", 1000),
    ("0829", "GVA", "JFK", "a2", "business", 5000.5),
]


def workbook(*sheets: str) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name in sheets:
            sheet = book.add_worksheet(name)
            for at, row in enumerate([(*HEADER, *CABIN), *ROWS]):
                sheet.write_row(at, 0, row)
        book.add_worksheet("Remarks").write(0, 0, "from the travel office")
    return file.getvalue()


def test_a_workbook_gives_the_totals_of_the_csv_file_with_the_same_rows(
    terminal: Terminal,
) -> None:
    for_trips = ("--type", "plane", "--year", "2032")
    book = terminal.folder / "trips.xlsx"
    book.write_bytes(workbook("2031", "2032"))
    undecided = terminal.type("submit", book, *for_trips)
    assert undecided.code != 0
    assert "The sheets 2031, 2032 have the columns of this file" in undecided.output

    typed = terminal.type("submit", book, *for_trips, "--sheet", "2032")

    assert typed.code == 0, typed
    assert "2 other sheets were not read: 2031, Remarks" in typed.output
    assert terminal.kg(2032) == 1000 * 0.2 + 5000.5 * 0.4
    text = terminal.folder / "trips_again.csv"
    text.write_text("\n".join(",".join(map(str, row)) for row in [(*HEADER, *CABIN), *ROWS]))
    again = terminal.type("submit", text, *for_trips)
    assert "same rows" in again.output or "nothing has changed" in again.output, again.output


TABLES: Mapping[str, Sequence[tuple[object, ...]]] = {
    "Units": [("unit_institutional_id", "name"), ("0828", "Physics"), ("0829", "Law")],
    "Factors": [
        ("category", "cabin_class", "ef_kg_co2eq_per_km", "rfi_adjustment", "min_distance"),
        ("all", "economy", 0.2, 1, 0),
    ],
    "Places": [("iata", "name", "latitude", "longitude"), ("XLN", "Our own airfield", 46.51, 6.62)],
}


def test_one_workbook_brings_units_factors_and_places(terminal: Terminal) -> None:
    book = terminal.folder / "reference.xlsx"
    with xlsxwriter.Workbook(book) as tables:
        for name, rows in TABLES.items():
            sheet = tables.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    for words, accepted in (
        (("units", book, "--year", "2036"), "2 units accepted"),
        (("factors", book, "--type", "plane", "--year", "2036", "--sheet", "factors"), "1 factor"),
        (("locations", book), "1 place accepted"),
    ):
        typed = terminal.type("load", *words)
        assert typed.code == 0, typed
        assert accepted in typed.output
        assert "2 other sheets were not read" in typed.output
    refused = terminal.type("load", "units", book, "--year", "2036", "--sheet", "People")
    assert (refused.code, "has no sheet People" in refused.output) == (4, True), refused
