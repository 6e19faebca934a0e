"""Cells of a worksheet that the reader leaves empty and that are not: they show an error, such as
#DIV/0!, or have a formula that nothing has computed.
"""

import re
import zipfile
from collections.abc import Mapping
from xml.parsers import expat

_PIECE_BYTES = 1 << 20
# An error, or the end of a formula with no text of a value behind it, which programs that do not
# compute leave out. A mark too many costs time alone: then the cells are parsed.
_PREFIX = rb"(?:[^\s<>/:]+:)?"
_MARK = re.compile(
    rb"""\st\s*=\s*["']e["']"""
    rb"|(?:</%(p)sf\s*>|<%(p)sf(?:\s[^<>]*)?/>)(?!\s*<%(p)sv(?:\s[^<>]*)?>\s*[^<\s])"
    % {b"p": _PREFIX}
)
# More than a mark and what is behind it.
_TAIL_BYTES = 4096
_LETTERS = re.compile(r"[A-Z]+")
_ODS_MARK = re.compile(rb"""formula\s*=|value-type\s*=\s*["']error["']""")
_ODS_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")


def error_cells(archive: zipfile.ZipFile, sheet: str) -> Mapping[tuple[int, int], str]:
    """The texts of such cells of a worksheet of an xlsx file, by row and column from 0: the error,
    or the formula behind an equals sign.
    """
    path = _path_of(archive, sheet)
    if not path or not _has(archive, path, _MARK):
        return {}
    cells = _Cells()
    parser = expat.ParserCreate()
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    parser.CharacterDataHandler = cells.text
    with archive.open(path) as stream:
        parser.ParseFile(stream)
    return cells.found


def fault_of_ods(archive: zipfile.ZipFile, sheet: str) -> str:
    """What cells of a sheet of an OpenDocument spreadsheet show or lack, and what to do. "" for
    nothing.
    """
    path = "content.xml"
    if not _has(archive, path, _ODS_MARK):
        return ""
    cells = _OdsCells(sheet)
    parser = expat.ParserCreate()
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    with archive.open(path) as stream:
        parser.ParseFile(stream)
    return cells.fault


class _OdsCells:
    """Finds the first fault of the cells of a sheet, which may have tables within its table."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._tables: list[str] = []
        self.fault = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "table":
            named = (value for key, value in attributes.items() if _local(key) == "name")
            self._tables.append(next(named, ""))
        elif name.endswith("table-cell") and self._sheet in self._tables[:1]:
            self.fault = self.fault or _fault_of_cell(attributes)

    def end(self, tag: str) -> None:
        if _local(tag) == "table":
            self._tables.pop()


def _fault_of_cell(attributes: Mapping[str, str]) -> str:
    types = {value for name, value in attributes.items() if _local(name) == "value-type"}
    if "error" in types:
        return "cells of the spreadsheet show errors, such as #DIV/0!: correct them first"
    said = {_local(name): value for name, value in attributes.items()}
    # A text is in the elements of the cell, and may be empty.
    if "formula" in said and "string" not in types and not any(map(said.get, _ODS_VALUES)):
        return (
            "cells of the spreadsheet have formulas that nothing has computed:"
            " open it in a spreadsheet program and save it again"
        )
    return ""


def _has(archive: zipfile.ZipFile, path: str, mark: re.Pattern[bytes]) -> bool:
    tail = b""
    with archive.open(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            piece = tail + piece
            found = mark.search(piece)
            if found and found.start() < len(piece) - _TAIL_BYTES:
                return True
            tail = piece[-_TAIL_BYTES:]
    return mark.search(tail) is not None


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member of the archive that holds a sheet. "" if the workbook does not say."""
    relation = ""
    for attributes in _elements(archive, "xl/workbook.xml", "sheet"):
        if attributes.get("name") == sheet:
            relation = next((v for k, v in attributes.items() if _local(k) == "id"), "")
    for attributes in _elements(archive, "xl/_rels/workbook.xml.rels", "Relationship"):
        if relation and attributes.get("Id") == relation:
            target = attributes.get("Target", "").lstrip("/")
            path = target if target.startswith("xl/") else f"xl/{target}"
            return path if path in archive.namelist() else ""
    return ""


def _elements(archive: zipfile.ZipFile, path: str, name: str) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []
    if path not in archive.namelist():
        return found

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == name:
            found.append(dict(attributes))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with archive.open(path) as stream:
        parser.ParseFile(stream)
    return found


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Cells:
    """Gathers such cells while a worksheet is parsed. Their place may be written or counted."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], str] = {}
        self._row = self._column = -1
        self._is_error = self._is_uncomputed = self._in_value = self._in_formula = False
        self._is_number, self._formula = True, ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "row":
            self._row = int(attributes.get("r", self._row + 2)) - 1
            self._column = -1
        elif name == "c":
            place = _LETTERS.match(attributes.get("r", ""))
            self._column = _column(place[0]) if place else self._column + 1
            self._is_error = attributes.get("t") == "e"
            self._is_number = attributes.get("t", "n") == "n"
            self._is_uncomputed = False
        elif name == "f":
            # An empty text has the type "str".
            self._is_uncomputed, self._formula = self._is_number, ""
        self._in_value, self._in_formula = name == "v", name == "f"

    def end(self, tag: str) -> None:
        self._in_value = self._in_formula = False
        if _local(tag) == "c" and self._is_uncomputed:
            self.found[(self._row, self._column)] = f"={self._formula}"

    def text(self, text: str) -> None:
        if self._in_formula:
            self._formula += text
        if self._in_value and text.strip():
            self._is_uncomputed = False
        if self._is_error and self._in_value:
            place = (self._row, self._column)
            self.found[place] = self.found.get(place, "") + text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
