"""Whatever stands in a workbook, and wherever it is cut off: the job ends in words, at its first
attempt, and what counted before counts unless the file's rows take its place.
"""

import datetime as dt
import io
import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.carbon.test_text_of import archive
from tests.worker_service.steps.conftest import HEADER, WorkerHarness, flights
from tests.worker_service.steps.first_attempts import GENERATED
from worker_service.carbon.csv_source.refusal import Cause

CAUSES = {*map(str, Cause), "no_valid_rows", "most_would_go"}
NAMES = HEADER.strip().split(",")
GOOD = ["0828", "GVA", "CDG", "1", "economy", 1, ""]
ERROR = ("error", "#DIV/0!")
CELLS = st.one_of(
    st.none(),
    st.sampled_from([*GOOD, *NAMES, ERROR, "31.12.2024", "=1+1", "\u200b", "1.234,5", " 0828 "]),
    st.text(max_size=12),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.datetimes(dt.datetime.fromisoformat("1901-01-01"), dt.datetime.fromisoformat("2999-01-01")),
)
# A good row in which single cells are others, a row of anything, or a blank one.
ROWS = st.one_of(
    st.just(GOOD),
    st.tuples(st.integers(0, len(GOOD) - 1), CELLS).map(
        lambda at: [*GOOD[: at[0]], at[1], *GOOD[at[0] + 1 :]]
    ),
    st.lists(CELLS, max_size=9),
    st.just([]),
)
HEADERS = st.one_of(
    st.just(NAMES), st.just(NAMES), st.permutations(NAMES), st.lists(CELLS, max_size=8)
)
SHEETS = st.tuples(
    st.lists(st.lists(CELLS, max_size=3), max_size=2),
    HEADERS,
    st.lists(ROWS, max_size=6),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 6)), max_size=1),
)
BOOKS = st.tuples(
    st.lists(SHEETS, min_size=1, max_size=2),
    st.one_of(st.none(), st.none(), st.floats(0, 1)),
)
PUBLISHED = """
SELECT entry_set, row_count FROM carbon.entry_sets WHERE state = 'PUBLISHED' ORDER BY entry_set
"""
FUZZ: dict[str, Any] = {
    "deadline": None,
    "database": None,
    # One worker for all examples: that the odd ones before did it no harm is the point.
    "suppress_health_check": list(HealthCheck),
}


def workbook(sheets: Sequence[Any], cut: float | None) -> bytes:
    """A workbook of titles, a header, rows and merged cells; only its beginning with `cut`."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for titles, header, rows, merged in sheets:
            sheet = book.add_worksheet()
            for row, cells in enumerate([*titles, header, *rows]):
                for column, cell in enumerate(cells):
                    match cell:
                        case None | "":
                            sheet.write_blank(row, column, None)
                        case dt.datetime():
                            sheet.write_datetime(row, column, cell, day)
                        case ("error", shown):
                            sheet.write_formula(row, column, "=1/0", None, shown)
                        case _:
                            sheet.write(row, column, cell)
            for row, column in merged:
                sheet.merge_range(row, column, row + 1, column + 1, "merged")
    return beginning(file.getvalue(), cut)


def opendocument(sheets: Sequence[Any], cut: float | None) -> bytes:
    """The same as an OpenDocument spreadsheet, whose tables end in a million empty rows, as those
    of LibreOffice do.
    """
    tables = []
    for number, (titles, header, rows, merged) in enumerate(sheets):
        grid = {
            (row, column): of_cell(cell)
            for row, cells in enumerate([*titles, header, *rows])
            for column, cell in enumerate(cells)
        }
        for row, column in merged:
            spans = ' table:number-columns-spanned="2" table:number-rows-spanned="2"'
            for place in ((row, column + 1), (row + 1, column), (row + 1, column + 1)):
                grid[place] = "<table:covered-table-cell/>"
            plain = "<table:table-cell"
            grid[row, column] = of_cell("merged").replace(plain, plain + spans)
        height = 1 + max((row for row, _ in grid), default=-1)
        width = 1 + max((column for _, column in grid), default=-1)
        lines = "".join(
            "<table:table-row>"
            + "".join(grid.get((row, column), "<table:table-cell/>") for column in range(width))
            + "</table:table-row>"
            for row in range(height)
        )
        tables.append(f'<table:table table:name="Sheet{number + 1}">{lines}{EMPTY}</table:table>')
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names} xmlns:calcext="urn:calcext">'
        f"<office:body><office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    files = {
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content.encode(),
        "META-INF/manifest.xml": MANIFEST,
    }
    return beginning(archive(files), cut)


EMPTY = (
    '<table:table-row table:number-rows-repeated="1048000">'
    '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
)
MANIFEST = (
    b'<?xml version="1.0"?><manifest:manifest '
    b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
# What XML cannot say.
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def of_cell(cell: Any) -> str:
    """A cell of an OpenDocument spreadsheet."""
    match cell:
        case None | "":
            return "<table:table-cell/>"
        case dt.datetime():
            value = f'"date" office:date-value="{cell.isoformat()}"'
        case bool():
            value = f'"boolean" office:boolean-value="{str(cell).lower()}"'
        case int() | float():
            value = f'"float" office:value="{cell}"'
        case ("error", shown):
            value, cell = '"string" calcext:value-type="error"', shown
        case _:
            cell = NOT_IN_XML.sub("?", cell)
            value = f'"string" office:string-value={quoteattr(cell)}'
    told = escape(str(cell))
    return f"<table:table-cell office:value-type={value}><text:p>{told}</text:p></table:table-cell>"


def beginning(whole: bytes, cut: float | None) -> bytes:
    """All of it without `cut`."""
    return whole if cut is None else whole[: int(len(whole) * cut)]


WRITERS = [workbook, opendocument]
Write = Callable[[Sequence[Any], float | None], bytes]


async def ends_in_words(harness: WorkerHarness, book: bytes) -> None:
    before = [tuple(row) for row in await harness.rows(PUBLISHED)]
    view = await harness.load_flights(book)
    ingest = view.in_order()[0]
    after = [tuple(row) for row in await harness.rows(PUBLISHED)]
    assert ingest.attempts == 1, ingest
    if ingest.result == types_pb2.JOB_RESULT_ERROR:
        assert ingest.error_cause in CAUSES, ingest
        assert ingest.message.endswith("."), ingest
        assert after == before
    else:
        assert [count for _, count in after] == [values_of(ingest.stats)["rows_accepted"]]


@pytest.mark.parametrize("write", WRITERS)
async def test_a_workbook_that_is_not_odd_is_read(
    once_harness: WorkerHarness, write: Write
) -> None:
    ingest = (await once_harness.load_flights(write([([], NAMES, [GOOD], [])], None))).in_order()[0]
    assert values_of(ingest.stats)["rows_accepted"] == 1, ingest


@pytest.mark.parametrize("write", WRITERS)
@settings(**FUZZ, derandomize=True, phases=GENERATED, max_examples=25)
@given(book=BOOKS)
async def test_an_odd_workbook_ends_in_words(
    once_harness: WorkerHarness, write: Write, book: Any
) -> None:
    if not await once_harness.rows(PUBLISHED):
        await once_harness.load_flights(flights("0828,GVA,CDG,1,economy,1,"))
    await ends_in_words(once_harness, write(*book))


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS)
@settings(**FUZZ, max_examples=400)
@given(book=BOOKS)
async def test_odd_workbooks_end_in_words_at_length(
    once_harness: WorkerHarness, write: Write, book: Any
) -> None:
    if not await once_harness.rows(PUBLISHED):
        await once_harness.load_flights(flights("0828,GVA,CDG,1,economy,1,"))
    await ends_in_words(once_harness, write(*book))
