"""Errors of an OpenDocument spreadsheet stand where their cells are, and cost their rows alone."""

import io
import random
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from tests.worker_service.carbon.plane_files import batches_of
from tests.worker_service.carbon.test_text_of import HEADER, ROW, archive, ods, opened, refused
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks import ods_cells
from worker_service.carbon.workbooks.ods_cells import ods_error_cells

CELL = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
# As LibreOffice, Excel and others write an error, and a formula that nothing has computed.
OF_ONE = (
    '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"{}><text:p>Err:502</text:p></table:table-cell>'
)
OF_OTHERS = (
    '<table:table-cell office:value-type="error"{}><office:annotation><text:p>why</text:p>'
    "</office:annotation><text:p><text:span>#N</text:span>/A</text:p></table:table-cell>"
)
WITHOUT_TEXT = (
    '<table:table-cell table:formula="of:=1" office:value-type="float" office:value="0"'
    ' calcext:value-type="error"{}/>'
)
UNCOMPUTED = '<table:table-cell table:formula="of:=5*2" office:value-type="float"{}/>'
ERRORS = (OF_ONE, OF_OTHERS, WITHOUT_TEXT, UNCOMPUTED)
SHOWN = ("Err:502", "#N/A", "#ERROR!", "=5*2")
FILLED = CELL.format("{}", "here")


def with_table(rows: str, before: str = "") -> bytes:
    """A spreadsheet whose sheet Trips has these rows, behind what comes `before` it."""
    with zipfile.ZipFile(io.BytesIO(ods([]))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    table = b'<table:table table:name="Trips">'
    assert table in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(
        table, before.encode() + table + rows.encode()
    )
    return archive(parts)


def row_of(cells: str, copies: str = "") -> str:
    return f"<table:table-row{copies}>{cells}</table:table-row>"


def with_last(cell: str, rows: int = 1) -> str:
    """Rows whose number of trips is this cell."""
    at = HEADER.index("number_of_trips")
    cells = [CELL.format("", value) for value in ROW]
    cells[at] = cell
    return row_of("".join(cells)) * rows


def test_an_error_costs_its_row_alone() -> None:
    header = row_of("".join(CELL.format("", name) for name in HEADER))
    good = with_last(CELL.format("", "1"))
    rows = [header, good, *(with_last(one.format("")) for one in ERRORS), good]
    other = f'<table:table table:name="Sums">{row_of(ERRORS[0].format(""))}</table:table>'
    [batch, _] = batches_of(with_table("".join(rows), other))
    assert batch.accepted["row_number"].to_list() == [1, 6]
    found = batch.rejected.select("row", "column", "value").rows()
    assert found == [(2 + at, "number_of_trips", shown) for at, shown in enumerate(SHOWN)]


def test_rows_of_errors_alone_are_rejected_and_not_left_out() -> None:
    cells = "".join(CELL.format("", name) for name in HEADER)
    errors = ERRORS[1].format("") * len(HEADER)
    empty = row_of("<table:table-cell/>", ' table:number-rows-repeated="2"')
    file = row_of(cells) + with_last(CELL.format("", "1")) + empty + row_of(errors)
    [batch, _] = batches_of(with_table(file))
    assert batch.accepted["row_number"].to_list() == [1]
    assert batch.rejected["row"].unique().to_list() == [4]


def repeated(chance: random.Random, what: str) -> str:
    copies = chance.choice((1, 1, 1, 2, 3))
    return f' table:number-{what}-repeated="{copies}"' if copies > 1 else ""


def any_row(chance: random.Random, error: str) -> str:
    """A row of cells that are empty, filled, covered, hold a table of their own, or an error."""
    inner = f'<table:table table:name="In">{row_of(error.format(""))}</table:table>'
    kinds = (
        "<table:table-cell{}/>",
        FILLED,
        "<table:covered-table-cell{}/>",
        "<table:table-cell{}>" + inner + "</table:table-cell>",
        error,
        error,
    )
    cells = (chance.choice(kinds).format(repeated(chance, "columns")) for _ in range(4))
    return row_of("".join(cells), repeated(chance, "rows"))


def places_of_texts(file: bytes) -> set[tuple[int, int]]:
    """Where the reader of workbooks has the text "an error"."""
    with CalamineWorkbook.from_filelike(io.BytesIO(file)) as book:
        lines = list(book.get_sheet_by_name("Trips").iter_rows())
    return {
        (at, place)
        for at, line in enumerate(lines)
        for place, text in enumerate(line)
        if text == "an error"
    }


def test_errors_are_where_the_reader_has_a_text_in_their_place() -> None:
    found_some = 0
    for number in range(40):
        written = []
        for cell in (CELL.format("{}", "an error"), ERRORS[number % 4]):
            chance = random.Random(number)
            rows = "".join(any_row(chance, cell) for _ in range(6))
            header = (
                f"<table:table-header-rows>{row_of(FILLED.format(''))}</table:table-header-rows>"
            )
            written.append(with_table(f"{header}<text:soft-page-break/>{rows}"))
        of_texts, of_errors = written
        with zipfile.ZipFile(io.BytesIO(of_errors)) as book:
            found = ods_error_cells(book, "Trips")
        assert found == dict.fromkeys(places_of_texts(of_texts), SHOWN[number % 4]), number
        found_some += len(found)
    assert found_some > 100


def test_errors_beyond_any_table_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(rows: str) -> int:
        with zipfile.ZipFile(io.BytesIO(with_table(rows))) as book:
            return len(ods_error_cells(book, "Trips"))

    of_errors = row_of(OF_ONE.format(' table:number-columns-repeated="1000"'))
    assert found(of_errors * 2) == 2_000
    far = row_of("<table:table-cell/>", f' table:number-rows-repeated="{ods_cells.ROWS_MAX}"')
    with pytest.raises(RefusedFile, match="below its row"):
        found(far + of_errors)
    monkeypatch.setattr(ods_cells, "PLACES_MAX", 1_999)
    with pytest.raises(RefusedFile, match="more than 1,999 cells") as refusal:
        found(of_errors * 2)
    assert refusal.value.cause is Cause.ERROR_CELLS


def test_a_document_type_with_texts_that_grow_is_refused() -> None:
    with zipfile.ZipFile(io.BytesIO(ods([HEADER, ROW], ' calcext:value-type="error"'))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    grows = b'?><!DOCTYPE lol [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    parts["content.xml"] = parts["content.xml"].replace(b"?>", grows, 1)
    assert refused(archive(parts)).cause is Cause.DAMAGED_ARCHIVE


def test_an_error_of_another_sheet_is_not_told() -> None:
    header = row_of("".join(CELL.format("", name) for name in HEADER))
    other = (
        f'<table:table table:name="Sums">{header}{with_last(ERRORS[0].format(""))}</table:table>'
    )
    file = with_table(header + with_last(CELL.format("", "1")), other)
    [batch, _] = opened(file, "Trips").batches
    assert (batch.accepted.height, batch.rejected.height) == (1, 0)
    [batch, _] = opened(file, "Sums").batches
    assert (batch.accepted.height, batch.rejected.height) == (0, 1)
