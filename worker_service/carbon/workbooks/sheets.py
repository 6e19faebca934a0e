"""Chooses the sheet of a workbook, and the line that is its header."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.names import shown_name, shown_names

# So many lines from the top may be a title, notes or empty.
HEADER_LINES_MAX = 50


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of the table that is looked for."""

    required: Sequence[str]
    optional: Sequence[str]

    def header_line(self, lines: Iterable[Sequence[str]]) -> int | None:
        """The first of the lines with all required columns. None if there is none, or if none is
        required.
        """
        if not self.required:
            return None
        for at, line in enumerate(lines):
            if self._names(line).issuperset(self.required):
                return at
        return None

    def likeliest_line(self, lines: Iterable[Sequence[str]]) -> int:
        """The line with most known columns, whose columns a refusal can name; else the first."""
        known = {*self.required, *self.optional}
        has = [len(self._names(line) & known) for line in lines]
        return has.index(max(has)) if has else 0

    def _names(self, line: Sequence[str]) -> set[str]:
        return {cell.strip().casefold() for cell in line}


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheets of a workbook: their first lines, in order, and which of them are hidden."""

    heads: Mapping[str, Sequence[Sequence[str]]]
    hidden: Collection[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Choice:
    """A sheet, the position of its header from 0, and the other sheets that hold something."""

    sheet: str
    header: int
    others: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        """What was not read of the workbook, without a full stop. "" for nothing."""
        said = []
        if self.others:
            sheets = "sheet was" if len(self.others) == 1 else "sheets were"
            others = f"{len(self.others):,} other {sheets} not read: {shown_names(self.others)}"
            said.append(f"the sheet {shown_name(self.sheet)} was read; {others}")
        if self.header:
            lines = "line above it was" if self.header == 1 else "lines above it were"
            said.append(
                f"the header is line {self.header + 1:,}; the {self.header:,} {lines} not read"
            )
        return "; ".join(said)


def choose(sheets: Sheets, wanted: Table, named: str = "") -> Choice:
    """The named sheet, else the one that holds something, else the one with the columns.

    Raises RefusedFile if there is no such sheet, or if several would do.
    """
    filled = [name for name, head in sheets.heads.items() if any(map(any, head))]
    if named:
        chosen = _named_sheet(sheets, named)
    else:
        visible = [name for name in filled if name not in sheets.hidden]
        chosen = _only(sheets, visible or filled, wanted)
    head = sheets.heads[chosen]
    header = wanted.header_line(head)
    if header is None:
        header = wanted.likeliest_line(head)
    return Choice(chosen, header, [name for name in filled if name != chosen])


def _named_sheet(sheets: Sheets, name: str) -> str:
    for sheet in sheets.heads:
        if sheet.strip().casefold() == name.strip().casefold():
            return sheet
    raise RefusedFile(
        Cause.NO_SHEET,
        f"the workbook has no sheet {shown_name(name)}; it has: {shown_names(list(sheets.heads))}",
    )


def _only(sheets: Sheets, candidates: Sequence[str], wanted: Table) -> str:
    if not candidates:
        raise RefusedFile(Cause.EMPTY, "the workbook is empty")
    if len(candidates) == 1:
        return candidates[0]
    fitting = [name for name in candidates if wanted.header_line(sheets.heads[name]) is not None]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise RefusedFile(
            Cause.SEVERAL_SHEETS,
            f"the sheets {shown_names(fitting)} have the columns of this file:"
            " name the one to read",
        )
    columns = ", ".join(wanted.required)
    raise RefusedFile(
        Cause.MISSING_COLUMNS,
        f"none of the sheets {shown_names(candidates)} has the columns {columns}",
    )
