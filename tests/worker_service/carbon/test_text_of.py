"""Workbooks and archives are read like the CSV file with the same rows."""

import datetime as dt
import gzip
import io
import random
import sys
import tempfile
import zipfile
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, NoReturn

import pytest
import xlsxwriter

from tests.worker_service.carbon.plane_files import (
    COLUMNS,
    GOOD,
    PLANE,
    SCOPE,
    batches_of,
    csv_of,
    opening,
)
from worker_service.carbon.csv_source.byte_stream import PlainBytes
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.parse.entries import EntryFile, read_entries
from worker_service.carbon.workbooks import text_of as module
from worker_service.carbon.workbooks.memory import MEMORY_BYTES_MAX, memory_bytes_max
from worker_service.carbon.workbooks.room import NoRoomForText
from worker_service.carbon.workbooks.text_of import OfSheet

HEADER = list(COLUMNS)
ROW: list[object] = [GOOD.get(name, "") for name in COLUMNS]
TRIPS, DATE, DISTANCE = (
    COLUMNS.index(n) for n in ("number_of_trips", "departure_date", "distance_km")
)
# As cells hold it.
MIDNIGHT = dt.datetime(2024, 3, 1)  # noqa: DTZ001

Sheets = Mapping[str, Sequence[Sequence[object]]]


def workbook(sheets: Sheets, hidden: Sequence[str] = ()) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "dd.mm.yyyy"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, str) and cell.startswith("="):
                        sheet.write_formula(at, column, cell, None, "#DIV/0!")
                    else:
                        sheet.write(at, column, cell)
    return file.getvalue()


def with_cells(**cells: object) -> list[object]:
    return [cells.get(name, value) for name, value in zip(COLUMNS, ROW, strict=True)]


def archive(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return file.getvalue()


def ods(rows: Sequence[Sequence[object]], of_cell: str = "") -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"{of_cell}><text:p>{cell}</text:p>'
            "</table:table-cell>"
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names} xmlns:calcext="urn:calcext">'
        f'<office:body><office:spreadsheet><table:table table:name="Trips">{cells}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return archive(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": b'<?xml version="1.0"?><manifest:manifest '
            b'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        }
    )


def opened(content: bytes, sheet: str = "") -> EntryFile:
    return read_entries(PLANE, OfSheet(opening(content), sheet), SCOPE)


def refused(content: bytes, sheet: str = "", bytes_max: int = 1 << 30) -> RefusedFile:
    with pytest.raises(RefusedFile) as found:
        list(read_entries(PLANE, OfSheet(opening(content), sheet), SCOPE, bytes_max).batches)
    return found.value


def test_cells_are_read_as_they_were_typed() -> None:
    typed = with_cells(
        unit_institutional_id="0828",
        departure_date=dt.date(2024, 3, 1),
        number_of_trips=2.0,
        distance_km=1234.1,
        user_institutional_id=123456,
        note='a, b;\n"c"',
    )
    later = with_cells(departure_date=MIDNIGHT, distance_km=0.1 + 0.2)
    rows = [
        {**GOOD, "departure_date": "2024-03-01", "number_of_trips": "2", "distance_km": "1234.1"}
        | {"user_institutional_id": "123456", "note": 'a, b;\n"c"'},
        {**GOOD, "departure_date": "2024-03-01", "distance_km": "0.3"},
    ]
    of_cells = batches_of(workbook({"Trips": [HEADER, typed, later]}))
    of_text = batches_of(csv_of(COLUMNS, rows))
    assert of_cells[0].accepted.equals(of_text[0].accepted), of_cells[0].rejected
    assert of_cells[0].accepted.height == 2


def test_a_spreadsheet_of_open_document_is_read_too() -> None:
    [batch, _] = batches_of(ods([HEADER, ROW]))
    assert batch.accepted.height == 1, batch.rejected


def test_an_old_workbook_is_read_and_says_what_it_cannot_tell() -> None:
    content = Path(__file__).with_name("old_workbook.xls").read_bytes()
    old = opened(content)
    assert old.encoding.sentence.startswith("cells of an old Excel workbook that show errors")
    batch, _ = old.batches
    good = {**GOOD, "user_institutional_id": "123456", "departure_date": "2024-03-01"}
    [of_text, _] = batches_of(
        csv_of(COLUMNS, [good | {"number_of_trips": 2, "distance_km": 1234.1}])
    )
    assert batch.accepted.equals(of_text.accepted), batch.rejected
    binary = archive({"[Content_Types].xml": b"", "xl/workbook.bin": b""})
    assert "(.xlsb): save it as .xlsx" in str(refused(binary))


def test_a_cell_that_shows_an_error_is_not_taken_for_an_empty_one() -> None:
    """Else number_of_trips would be 1 without a word."""
    rows: list[list[object]] = [[*HEADER], ROW, [], with_cells(number_of_trips="=1/0"), ROW]
    [batch, _] = batches_of(workbook({"Notes": [], "Trips": rows}))
    assert batch.accepted["row_number"].to_list() == [1, 4]
    assert batch.rejected.select("row", "column", "value").rows() == [
        (3, "number_of_trips", "#DIV/0!")
    ]
    assert b"#DIV/0!" in batch.rejected_lines


def test_neighbouring_numbers_of_cells_are_not_one_number_that_a_comma_cut() -> None:
    row = with_cells(number_of_trips=1, distance_km="050")
    [batch, last] = batches_of(workbook({"Trips": [HEADER, row]}))
    assert batch.warned.is_empty(), batch.warned
    assert last.warned.is_empty(), last.warned
    [of_text, _] = batches_of(csv_of(COLUMNS, [dict(zip(COLUMNS, row, strict=True))]))
    assert of_text.warned.height == 1


def test_the_sheet_with_the_columns_is_read_and_the_others_are_named() -> None:
    content = workbook({"Read me": [["hello"]], "Trips": [HEADER, ROW], "Codes": [["a"], ["b"]]})
    with_sentence = opened(content)
    assert sum(batch.accepted.height for batch in with_sentence.batches) == 1
    assert with_sentence.encoding.sentence == (
        "the sheet Trips was read; 2 other sheets were not read: Read me, Codes"
    )
    alone = opened(workbook({"Trips": [HEADER, ROW], "Empty": []}))
    assert alone.encoding.sentence == ""
    alone.close()


def test_a_sheet_can_be_named_and_must_be_where_several_would_do() -> None:
    two = workbook({"2023": [HEADER, ROW, ROW], "2024": [HEADER, ROW]})
    error = refused(two)
    assert (error.cause, "2023, 2024" in str(error)) == (Cause.SEVERAL_SHEETS, True)
    assert sum(batch.accepted.height for batch in opened(two, " 2023 ").batches) == 2
    error = refused(two, "2022")
    assert (error.cause, "it has: 2023, 2024" in str(error)) == (Cause.NO_SHEET, True)
    old = workbook({"Trips": [HEADER, ROW], "old": [HEADER, ROW, ROW]}, hidden=["old"])
    assert sum(batch.accepted.height for batch in opened(old).batches) == 1
    assert sum(batch.accepted.height for batch in opened(old, "old").batches) == 2
    assert refused(csv_of(COLUMNS, [GOOD]).encode(), "2023").cause is Cause.NO_SHEET


def test_a_title_above_the_header_is_passed_over_and_said() -> None:
    titled = opened(workbook({"Trips": [["Travel 2024"], [], HEADER, ROW]}))
    assert "the header is line 3; the 2 lines above it were not read" in titled.encoding.sentence
    [batch, _] = titled.batches
    assert batch.accepted["row_number"].to_list() == [1]


def test_what_lacks_a_column_says_which() -> None:
    error = refused(workbook({"Trips": [["Travel"], [*HEADER[1:]], ROW[1:]]}))
    assert error.cause is Cause.MISSING_COLUMNS
    assert "unit_institutional_id" in str(error)
    assert "the header is line 2" in str(error)
    error = refused(workbook({"A": [["x"]], "B": [["y"]]}))
    assert (error.cause, "A, B" in str(error)) == (Cause.MISSING_COLUMNS, True)
    assert refused(workbook({"A": [], "B": []})).cause is Cause.EMPTY


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (archive({"Index/Document.iwa": b"x", "preview.jpg": b"x"}), "a document of Numbers"),
        (archive({"[Content_Types].xml": b"x", "word/document.xml": b"x"}), "a Word document"),
        (archive({"ppt/presentation.xml": b"x"}), "a presentation"),
        (
            archive({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"x"}),
            "not a spreadsheet",
        ),
        (
            b"\xd0\xcf\x11\xe0" + bytes(99) + "EncryptedPackage".encode("utf-16-le"),
            "is protected by a password: save it again without one",
        ),
    ],
    ids=["Numbers", "Word", "slides", "odt", "protected"],
)
def test_a_file_of_another_office_program_is_named_with_what_to_do(
    content: bytes, said: str
) -> None:
    assert said in str(refused(content))
    assert "save" in str(refused(content))


@pytest.mark.parametrize("below", [False, True])
def test_merged_cells_are_told_where_they_leave_cells_of_rows_empty(*, below: bool) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("Trips")
        for at, line in enumerate([HEADER, ROW, ["", *ROW[1:]]], start=1):
            sheet.write_row(at, 0, line)
        sheet.merge_range(0, 0, 0, 3, "Trips of 2024")
        if below:
            sheet.merge_range(2, 0, 3, 0, "0828")
    with closing(opened(file.getvalue())) as read:
        said = read.encoding.sentence
    assert ("cells are merged in one place" in said) is below


def test_an_archive_of_one_file_is_read_and_of_several_it_names_them() -> None:
    text = csv_of(COLUMNS, [GOOD]).encode()
    mac = {"__MACOSX/._trips.csv": b"x", "folder/trips.csv": text, "folder/.DS_Store": b"x"}
    [batch, _] = batches_of(archive(mac))
    assert batch.accepted.height == 1
    error = refused(archive({"a.csv": text, "b\u200b.csv": text}))
    assert (error.cause, "2 files: a.csv, b\\u200b.csv" in str(error)) == (
        Cause.SEVERAL_FILES,
        True,
    )
    assert refused(archive({"Thumbs.db": b""})).cause is Cause.EMPTY
    assert refused(archive({"inner.zip": archive({"a.csv": text})})).cause is Cause.NOT_TEXT


def test_an_archive_made_to_expand_is_refused_before_it_does() -> None:
    bomb = archive({"trips.csv": bytes(64 << 20)})
    error = refused(bomb)
    assert (error.cause, "when it is unpacked" in str(error)) == (Cause.TOO_LARGE, True)
    assert refused(archive({"trips.csv": b"a,b\n" * 1_000}), bytes_max=100).cause is Cause.TOO_LARGE


def test_a_text_that_many_cells_show_is_bounded_by_what_they_show() -> None:
    row = with_cells(note="x" * 10_000)
    content = workbook({"Trips": [HEADER, *[row] * 500]})
    assert len(content) < 100_000
    error = refused(content, bytes_max=1_000_000)
    assert (error.cause, "the sheet holds more" in str(error)) == (Cause.TOO_LARGE, True)


def test_gzip_that_was_made_to_expand_is_refused_before_it_does() -> None:
    text = csv_of(COLUMNS, [GOOD]).encode()
    bomb = gzip.compress(b"x" * 1_000_000)
    stream = PlainBytes(io.BytesIO(bomb), small_bytes=1_000)
    with pytest.raises(RefusedFile, match="more than 400 times") as error:
        deque(iter(stream.read, b""))
    assert error.value.cause is Cause.TOO_LARGE
    # What is small may have any ratio.
    assert len(PlainBytes(io.BytesIO(bomb)).read()) > 0
    wrapped = archive({"trips.csv.gz": gzip.compress(text + b"x\n" * (8 << 20))})
    assert refused(wrapped).cause is Cause.TOO_LARGE


def test_an_archive_that_lies_about_its_size_is_refused_too() -> None:
    lying = bytearray(archive({"trips.csv": b"a,b\n" * 100_000}))
    real, told = (400_000).to_bytes(4, "little"), (40).to_bytes(4, "little")
    assert lying.count(real) == 2
    assert refused(bytes(lying.replace(real, told)), bytes_max=1_000).cause in (
        Cause.TOO_LARGE,
        Cause.DAMAGED_ARCHIVE,
    )


def test_a_damaged_workbook_is_a_sentence_wherever_it_is_damaged() -> None:
    good = workbook({"Trips": [HEADER, ROW]})
    odd, chance = (
        [good[:400], good[:4], good[:-30], b"\xd0\xcf\x11\xe0" + bytes(600)],
        random.Random(7),
    )
    for _ in range(6):
        damaged = bytearray(good)
        for _ in range(20):
            damaged[chance.randrange(4, len(good))] = chance.randrange(256)
        odd.append(bytes(damaged))
    for content in odd:
        with suppress(RefusedFile):
            list(opened(content).batches)


def test_a_spreadsheet_with_broken_xml_is_damaged_and_says_where() -> None:
    """Cells that may show errors are looked at by a parser of their own."""
    error = refused(ods([HEADER, with_cells(note="a<b")], ' calcext:value-type="error"'))
    assert error.cause is Cause.DAMAGED_ARCHIVE
    assert str(error).startswith("the file is damaged or cut off: ")
    assert "line 1, column" in str(error)


def test_a_workbook_has_the_memory_of_its_process_and_says_if_that_is_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, limited = tmp_path / "own", tmp_path / "groups" / "a.slice" / "worker"
    limited.mkdir(parents=True)
    (limited / "memory.max").write_text("max\n")
    (limited.parent / "memory.max").write_text(f"{2 << 30}\n")
    assert memory_bytes_max(own, tmp_path / "groups") == MEMORY_BYTES_MAX
    own.write_text("1:name=systemd:/other\n0::/a.slice/worker\n")
    assert memory_bytes_max(own, tmp_path / "groups") == 3 << 29

    monkeypatch.setattr(module, "memory_bytes_max", lambda: 900 << 20)
    # A text is in the file once, and in memory for each cell.
    rows = [["x" * 32_000]] * 40_000
    error = refused(workbook({"Trips": [HEADER, *rows]}))
    assert error.cause is Cause.TOO_LARGE
    assert str(error).startswith("the workbook needs more than 900 MB of memory to be read")


@pytest.mark.parametrize("small_bytes", [0, 1 << 20])
def test_a_large_workbook_waits_for_another_and_a_small_one_does_not(
    small_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def read_alone(*_: object) -> NoReturn:
        seen.append(module._LARGE.locked())
        raise RefusedFile(Cause.EMPTY, "read")

    monkeypatch.setattr(module, "_extracted", read_alone)
    monkeypatch.setattr(module, "SMALL_BYTES", small_bytes)
    assert str(refused(workbook({"Trips": [HEADER, ROW]}))) == "read"
    assert seen == [small_bytes == 0]
    assert not module._LARGE.locked()


@pytest.mark.parametrize("content", [b"workbook", b"archive"])
@pytest.mark.parametrize("full", [0, 1])
def test_a_full_disk_is_not_taken_for_a_damaged_file(
    monkeypatch: pytest.MonkeyPatch, content: bytes, full: int
) -> None:
    """First the file finds no room, then its text does."""
    made, numbers = tempfile.TemporaryFile, iter(range(2))

    def temporary() -> IO[bytes]:
        return Path("/dev/full").open("r+b", buffering=0) if next(numbers) == full else made()

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)
    rows: list[Sequence[object]] = [HEADER, *[ROW] * 50]
    packed = {
        b"workbook": workbook({"Trips": rows}),
        b"archive": archive({"trips.csv": csv_of(COLUMNS, [GOOD]).encode()}),
    }[content]
    with pytest.raises(NoRoomForText):
        opened(packed)


def test_an_extraction_that_is_killed_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused_by(program: str) -> Cause:
        monkeypatch.setattr(module, "_EXTRACTION", (sys.executable, "-c", program))
        return refused(workbook({"Trips": [HEADER, ROW]})).cause

    assert refused_by("import os; os.kill(os.getpid(), 9)") is Cause.DAMAGED_ARCHIVE
    # So ends what finds no memory.
    assert refused_by("import os; os.abort()") is Cause.TOO_LARGE
    monkeypatch.setattr(module, "EXTRACTION_SECONDS_MAX", 0.01)
    assert refused_by("import signal; signal.pause()") is Cause.TOO_LARGE
