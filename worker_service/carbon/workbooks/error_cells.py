"""Cells of a worksheet that the reader leaves empty and that are not: they show an error, such as
#DIV/0!, or have a formula that nothing has computed.
"""

import re
import zipfile
from collections.abc import Mapping

from worker_service.carbon.workbooks.xml_parts import has_mark, local_name, parse_part

# An error, or the end of a formula with no text of a value behind it, which programs that do not
# compute leave out. A mark too many costs time alone: then the cells are parsed.
_PREFIX = rb"(?:[^\s<>/:]+:)?"
_MARK = re.compile(
    rb"""\st\s*=\s*["']e["']"""
    rb"|(?:</%(p)sf\s*>|<%(p)sf(?:\s[^<>]*)?/>)(?!\s*<%(p)sv(?:\s[^<>]*)?>\s*[^<\s])"
    % {b"p": _PREFIX}
)
_LETTERS = re.compile(r"[A-Z]+")


def error_cells(archive: zipfile.ZipFile, sheet: str) -> Mapping[tuple[int, int], str]:
    """The texts of such cells of a worksheet of an xlsx file, by row and column from 0: the error,
    or the formula behind an equals sign.
    """
    path = _path_of(archive, sheet)
    if not path or not has_mark(archive, path, _MARK):
        return {}
    cells = _Cells()
    parse_part(archive, path, cells.start, cells.end, cells.text)
    return cells.found


def _path_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The member of the archive that holds a sheet. "" if the workbook does not say."""
    relation = ""
    for attributes in _elements(archive, "xl/workbook.xml", "sheet"):
        if attributes.get("name") == sheet:
            relation = next((v for k, v in attributes.items() if local_name(k) == "id"), "")
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
        if local_name(tag) == name:
            found.append(dict(attributes))

    parse_part(archive, path, start)
    return found


class _Cells:
    """Gathers such cells while a worksheet is parsed. Their place may be written or counted."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], str] = {}
        self._row = self._column = -1
        self._is_error = self._is_uncomputed = self._in_value = self._in_formula = False
        self._is_number, self._formula = True, ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
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
        if local_name(tag) == "c" and self._is_uncomputed:
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
