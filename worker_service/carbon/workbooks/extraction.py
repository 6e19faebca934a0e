"""Writes the table of a workbook, or the file of an archive, as text: a process of its own.

It runs apart from the worker, so that a file that is made to harm takes its own memory and time
only, and so that the parser, which holds Python's lock, delays no heartbeat.
Usage: `python -m worker_service.carbon.workbooks.extraction`, with a request as JSON on its
standard input; it answers with JSON on its standard output.
"""

import csv
import io
import json
import os
import resource
import sys
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import IO, Any
from xml.parsers.expat import ExpatError

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from worker_service.carbon.csv_source.column_names import compared_names
from worker_service.carbon.csv_source.likely_header import LINES_MAX
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.archives import (
    ArchiveKind,
    copy_bounded,
    look_into,
)
from worker_service.carbon.workbooks.cells import Cell, cell_text
from worker_service.carbon.workbooks.error_cells import error_cells
from worker_service.carbon.workbooks.ods_cells import ods_error_cells
from worker_service.carbon.workbooks.one_sheet import OneSheet
from worker_service.carbon.workbooks.room import NO_ROOM
from worker_service.carbon.workbooks.sheets import Sheets, Table, choose

_ZIP_MAGIC = b"PK\x03\x04"
_OF_OLD_WORKBOOKS = (
    "cells of an old Excel workbook that show errors, such as #DIV/0!, were read as empty: save it"
    " as .xlsx to have them told"
)
_PIECE_BYTES = 1 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: a table, in the sheet of this name if there is one, of bounded size.

    Numbers get a decimal comma in the columns `with_comma`, as the texts beside them have.
    """

    table: Table
    sheet: str
    bytes_max: int
    with_comma: Collection[str] = ()


def main() -> None:
    """Answers one request. See the module."""
    request = json.load(sys.stdin)
    _limit(resource.RLIMIT_AS, request["memory_bytes"])
    # It ends, too, if the worker that waits for it is killed.
    _limit(resource.RLIMIT_CPU, request["seconds"])
    columns = request["required"], request["optional"]
    table = Table(*columns, request["header_line"], may_guess=request["may_guess"])
    wanted = Wanted(table, request["sheet"], request["bytes_max"], request["with_comma"])
    json.dump(_answer(request["source"], request["target"], wanted), sys.stdout)


def _answer(source_number: int, target_number: int, wanted: Wanted) -> dict[str, Any]:
    try:
        # What was written may find no room only when it is closed.
        with os.fdopen(source_number, "rb") as source, os.fdopen(target_number, "wb") as target:
            return extract(source, target, wanted)
    except RefusedFile as refused:
        cause, message = str(refused.cause), str(refused)
        return {"cause": cause, "message": message, "missing": list(refused.missing)}
    except MemoryError:
        return {"out_of_memory": True}
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        return {"errno": error.errno}


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def extract(source: IO[bytes], target: IO[bytes], wanted: Wanted) -> dict[str, Any]:
    """Writes the text of `source` to `target`. Seeks in both.

    Returns a `sentence` on what was not read of it, and of a workbook `is_of_cells`, with `sheet`
    and `header_line` if they only seem to be the table's. Raises RefusedFile if there is no one
    table in it, or too much.
    """
    head = source.read(len(_ZIP_MAGIC))
    source.seek(0)
    if head != _ZIP_MAGIC:
        # Or a new one under a password, which is refused.
        answer = _of_workbook(source, None, target, wanted)
        said = [_OF_OLD_WORKBOOKS, *filter(None, [answer["sentence"]])]
        return {**answer, "sentence": "; ".join(said)}
    try:
        with zipfile.ZipFile(source) as archive:
            size = source.seek(0, io.SEEK_END)
            found = look_into(archive, size, wanted.bytes_max)
            if found.kind is ArchiveKind.ONE_FILE:
                with archive.open(found.member) as stream:
                    copy_bounded(stream, target, wanted.bytes_max)
                return {"sentence": ""}
            return _of_workbook(source, archive, target, wanted, found.kind)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, ExpatError) as error:
        raise RefusedFile(
            Cause.DAMAGED_ARCHIVE, f"the file is damaged or cut off: {error}"
        ) from error


def _of_workbook(
    source: IO[bytes],
    archive: zipfile.ZipFile | None,
    target: IO[bytes],
    wanted: Wanted,
    kind: ArchiveKind | None = None,
) -> dict[str, Any]:
    source.seek(0)
    try:
        with CalamineWorkbook.from_filelike(source) as workbook:
            sheet_of = OneSheet(workbook.get_sheet_by_name)
            choice = choose(_sheets(workbook, sheet_of), wanted.table, wanted.sheet)
            errors = _errors(archive, choice.sheet, kind) if archive else {}
            sheet = sheet_of(choice.sheet)
            commas = _commas(sheet, choice.header, wanted.with_comma)
            lines = _lines(sheet, errors, commas)
            merged = _merged(sheet, choice.header)
            _write(islice(lines, choice.header, None), target, wanted.bytes_max)
    except CalamineError as error:
        if archive is None and _is_protected(source):
            raise RefusedFile(
                Cause.DAMAGED_ARCHIVE,
                "the workbook is protected by a password: save it again without one, or as CSV",
            ) from error
        raise RefusedFile(
            Cause.DAMAGED_ARCHIVE,
            "the workbook cannot be read: it is damaged, or protected by a password;"
            f" save it again without one, or as CSV ({error})",
        ) from error
    sentence = "; ".join(filter(None, (choice.sentence, merged)))
    named, line = choice.guess
    return {"sentence": sentence, "is_of_cells": True, "sheet": named, "header_line": line}


def _errors(
    archive: zipfile.ZipFile, sheet: str, kind: ArchiveKind | None
) -> Mapping[tuple[int, int], str]:
    """See error_cells and ods_error_cells."""
    if kind is ArchiveKind.XLSX:
        return error_cells(archive, sheet)
    return ods_error_cells(archive, sheet) if kind is ArchiveKind.ODS else {}


def _is_protected(source: IO[bytes]) -> bool:
    """Whether it is a workbook that was encrypted: it has a part of this name."""
    source.seek(0)
    tail = b""
    while piece := source.read(_PIECE_BYTES):
        if _ENCRYPTED in tail + piece:
            return True
        tail = piece[-len(_ENCRYPTED) :]
    return False


def _merged(sheet: CalamineSheet, header: int) -> str:
    """What to know of merged cells below the header. "" for none."""
    ranges = [one for one in sheet.merged_cell_ranges or () if one[1][0] > header]
    if not ranges:
        return ""
    places = "one place" if len(ranges) == 1 else f"{len(ranges):,} places"
    return f"cells are merged in {places}, where only the first cell has the value"


def _sheets(workbook: CalamineWorkbook, sheet_of: Callable[[str], CalamineSheet]) -> Sheets:
    tables = [one for one in workbook.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
    heads = {one.name: list(islice(_lines(sheet_of(one.name), {}), LINES_MAX)) for one in tables}
    hidden = {one.name for one in tables if one.visible != SheetVisibleEnum.Visible}
    return Sheets(heads, hidden)


def _lines(
    sheet: CalamineSheet,
    errors: Mapping[tuple[int, int], str],
    commas: Collection[int] = frozenset(),
) -> Iterator[list[str]]:
    """The lines of a sheet, from its first one, as texts. `commas`: see _commas.

    The reader leaves out the last lines if all that they have are `errors`.
    """
    if sheet.start is None or sheet.end is None:
        return
    columns = range(sheet.start[1], sheet.end[1] + 1)
    left = columns.start
    in_error = {row for row, column in errors if column in columns}
    below = range(sheet.end[0] + 1, max(in_error, default=0) + 1)
    blank: list[Cell] = [""] * len(columns)
    for at, row in enumerate(chain(sheet.iter_rows(), repeat(blank, len(below)))):
        texts = [cell_text(cell) for cell in row]
        for place in commas:
            texts[place] = cell_text(row[place], "comma")
        if at in in_error:
            texts = [errors.get((at, left + place), text) for place, text in enumerate(texts)]
        yield texts


def _commas(sheet: CalamineSheet, header: int, names: Collection[str]) -> Collection[int]:
    """The places of the columns of these names, in which numbers get a decimal comma.

    In a column of text a number is one that somebody typed, such as a code.
    """
    if not names:
        return ()
    line = next(islice(_lines(sheet, {}), header, None), [])
    return [place for place, name in enumerate(compared_names(line)) if name in names]


def _write(lines: Iterator[list[str]], target: IO[bytes], bytes_max: int) -> None:
    text = io.TextIOWrapper(target, "utf-8", newline="", write_through=True)
    writer, written = csv.writer(text, lineterminator="\n"), 0
    for line in lines:
        # A workbook holds a text once, however many cells show it.
        written += sum(map(len, line))
        if written > bytes_max:
            raise RefusedFile(
                Cause.TOO_LARGE, f"the sheet holds more than {bytes_max:,} bytes of text"
            )
        writer.writerow(line)
    text.detach()


if __name__ == "__main__":
    main()
