"""Cells of a sheet of OpenDocument that its reader leaves empty and that are not, by their places:
they show an error, such as #DIV/0!, or have a formula that nothing has computed.
"""

import re
import zipfile
from collections.abc import Mapping

from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.xml_parts import has_mark, local_name, parse_part

# A row and a cell may stand for as many as they say. Of rows a spreadsheet program has no more.
PLACES_MAX = 1_000_000
ROWS_MAX = 1 << 20
_CONTENT = "content.xml"
_MARK = re.compile(rb"""formula\s*=|value-type\s*=\s*["']error["']""")
_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
# Where an error has no text.
_ERROR = "#ERROR!"


def ods_error_cells(archive: zipfile.ZipFile, sheet: str) -> Mapping[tuple[int, int], str]:
    """The texts of such cells of a sheet, by row and column from 0: the error, or the formula
    behind an equals sign. Raises RefusedFile for too many, or some below ROWS_MAX.
    """
    if not has_mark(archive, _CONTENT, _MARK):
        return {}
    cells = _Cells(sheet)
    parse_part(archive, _CONTENT, cells.start, cells.end, cells.text)
    return cells.found


class _Cells:
    """Gathers such cells while the sheets are parsed. A row and a cell may stand for several; what
    is within a cell, such as a note or another table, is not of the sheet.
    """

    def __init__(self, sheet: str) -> None:
        self.found: dict[tuple[int, int], str] = {}
        self._sheet = sheet
        self._tables: list[str] = []
        self._row = self._column = 0
        self._rows = self._columns = 0
        self._notes = 0
        self._wrong, self._shown, self._in_text = "", "", False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local_name(tag)
        if name == "table":
            said = _local(attributes)
            self._tables.append(said.get("name", ""))
            if len(self._tables) == 1:
                self._row = self._rows = 0
        elif self._tables != [self._sheet]:
            return
        elif name == "table-row":
            copies = _copies(_local(attributes), "number-rows-repeated")
            self._row, self._rows = self._row + self._rows, copies
            self._column = self._columns = 0
        elif name in ("table-cell", "covered-table-cell"):
            said = _local(attributes)
            copies = _copies(said, "number-columns-repeated")
            self._column, self._columns = self._column + self._columns, copies
            self._wrong, self._shown = _wrong(attributes, said), ""
        elif name == "annotation":
            self._notes += 1
        self._in_text = name in ("p", "span", "s", "a") and not self._notes

    def end(self, tag: str) -> None:
        name = local_name(tag)
        if name == "table":
            self._tables.pop()
        elif self._tables != [self._sheet]:
            return
        elif name == "annotation":
            self._notes -= 1
        elif name in ("table-cell", "covered-table-cell") and self._wrong:
            self._note(self._wrong if self._wrong != _ERROR else self._shown.strip() or _ERROR)
            self._wrong = ""
        elif name == "p":
            self._in_text = False

    def text(self, text: str) -> None:
        if self._wrong and self._in_text and self._tables == [self._sheet]:
            self._shown += text

    def _note(self, shown: str) -> None:
        places = len(self.found) + self._rows * self._columns
        if places > PLACES_MAX or self._row + self._rows > ROWS_MAX:
            raise RefusedFile(
                Cause.ERROR_CELLS,
                f"more than {PLACES_MAX:,} cells of the spreadsheet, or some below its row"
                f" {ROWS_MAX:,}, show errors, such as #DIV/0!, or have formulas that nothing has"
                " computed: correct them first",
            )
        for row in range(self._row, self._row + self._rows):
            for column in range(self._column, self._column + self._columns):
                self.found[(row, column)] = shown


def _local(attributes: Mapping[str, str]) -> dict[str, str]:
    return {local_name(key): value for key, value in attributes.items()}


def _copies(said: Mapping[str, str], name: str) -> int:
    return max(int(said.get(name, "1")), 0)


def _wrong(attributes: Mapping[str, str], said: Mapping[str, str]) -> str:
    """What a cell shows whose value is an error, or is not computed; "" for others."""
    # Of one name there may be two types, of which programs that know errors write the second.
    types = {value for name, value in attributes.items() if local_name(name) == "value-type"}
    if "error" in types:
        return _ERROR
    # A text is in the elements of the cell, and may be empty.
    if "formula" in said and "string" not in types and not any(map(said.get, _VALUES)):
        # Behind the name of its language, as in "of:=5*2".
        return "=" + said["formula"].partition("=")[2]
    return ""
