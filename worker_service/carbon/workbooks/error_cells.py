"""Cells of a worksheet that the reader leaves empty and that are not: they show an error, such as
#DIV/0!, or have a formula that nothing has computed.
"""

import re
import zipfile
from collections.abc import Mapping
from xml.parsers import expat

_PIECE_BYTES = 1 << 20
# Programs that write formulas without computing them leave the value out.
_MARKS = (b't="e"', b"</f><v></v>", b"</f><v/>", b"</f><v />", b"</f></c>")
_LETTERS = re.compile(r"[A-Z]+")
_ODS_MARK = b'calcext:value-type="error"'


def error_cells(archive: zipfile.ZipFile, sheet: str) -> Mapping[tuple[int, int], str]:
    """The texts of such cells of a worksheet of an xlsx file, by row and column from 0: the error,
    or the formula behind an equals sign.
    """
    path = _path_of(archive, sheet)
    if not path or not any(_has(archive, path, mark) for mark in _MARKS):
        return {}
    cells = _Cells()
    parser = expat.ParserCreate()
    parser.StartElementHandler = cells.start
    parser.EndElementHandler = cells.end
    parser.CharacterDataHandler = cells.text
    with archive.open(path) as stream:
        parser.ParseFile(stream)
    return cells.found


def has_error_cells(archive: zipfile.ZipFile) -> bool:
    """Whether an OpenDocument spreadsheet has a cell that shows an error."""
    return _has(archive, "content.xml", _ODS_MARK)


def _has(archive: zipfile.ZipFile, path: str, mark: bytes) -> bool:
    tail = b""
    with archive.open(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            if mark in tail + piece:
                return True
            tail = piece[-len(mark) :]
    return False


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
        if self._in_value:
            self._is_uncomputed = False
        if self._is_error and self._in_value:
            place = (self._row, self._column)
            self.found[place] = self.found.get(place, "") + text


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
