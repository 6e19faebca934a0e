"""Chooses the sheet of a workbook, and the line that is its header."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from worker_service.carbon.csv_source.column_names import compared_names, on_one_line
from worker_service.carbon.csv_source.likely_header import has_all, likely_header
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMNS
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.names import shown_name, shown_names


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of the table that is looked for, and the line of its header, 0 if nobody said.

    `may_guess`: a sheet that only seems to have the table will do.
    """

    required: Sequence[str]
    optional: Sequence[str]
    said_line: int = 0
    may_guess: bool = False

    def header_line(self, lines: Sequence[Sequence[str]]) -> int | None:
        """The line that was said, or the first one, with all required columns.

        None if there is none, or if none is required.
        """
        said = self._named_line(lines)
        for at, line in enumerate(lines):
            if has_all(line, self.required) and said in (None, at):
                return at
        return None

    def likeliest_line(self, lines: Sequence[Sequence[str]]) -> tuple[int, int]:
        """The line that was said, or that seems to be the header, and how many columns it may name.

        A refusal can name these columns.
        """
        at, count = likely_header(lines, [*self.required, *self.optional])
        said = self._named_line(lines)
        return (at, count) if said is None else (said, count if said == at else 0)

    def ends_before_header(self, lines: Sequence[Sequence[str]]) -> bool:
        """Whether the line that was said is not there."""
        said = self._named_line(lines)
        return said is not None and said >= len(lines)

    def _named_line(self, lines: Sequence[Sequence[str]]) -> int | None:
        """A sheet of rejected rows begins with its header."""
        if not self.said_line or has_all([*lines, []][0], REASON_COLUMNS):
            return None
        return self.said_line - 1


@dataclass(frozen=True, slots=True)
class Sheets:
    """The sheets of a workbook: their first lines, in order, and which of them are hidden."""

    heads: Mapping[str, Sequence[Sequence[str]]]
    hidden: Collection[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Choice:
    """A sheet, the position of its header from 0, and the other sheets that hold something.

    `guess`: the sheet, and the line of its header, where they only seem to be those of the table.
    """

    sheet: str
    header: int
    others: Sequence[str] = ()
    guess: tuple[str, int] = ("", 0)

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
    """The named sheet, else the one that holds something, else the one with the columns, or, where
    one may guess, with names that may be most of them.

    Raises RefusedFile if there is no such sheet, or if several would do.
    """
    filled = [name for name, head in sheets.heads.items() if any(map(any, head))]
    if named:
        chosen = _named_sheet(sheets, named)
        guessed = ""
    else:
        visible = [name for name in filled if name not in sheets.hidden]
        guessed = _guessed(sheets, visible, filled, wanted)
        chosen = guessed or _only(sheets, visible or filled, wanted)
    head = sheets.heads[chosen]
    if wanted.ends_before_header(head):
        raise RefusedFile(
            Cause.MAPPING,
            f"the mapping has header_line {wanted.said_line}, and the sheet {shown_name(chosen)}"
            " has fewer lines",
        )
    header = wanted.header_line(head)
    likely, _ = wanted.likeliest_line(head) if header is None else (header, 0)
    others = [name for name in filled if name != chosen]
    is_sure = header is not None or wanted.said_line or not likely
    return Choice(chosen, likely, others, (on_one_line(guessed), 0 if is_sure else likely + 1))


def _named_sheet(sheets: Sheets, name: str) -> str:
    [wanted, *compared] = compared_names([name, *sheets.heads])
    if wanted in compared:
        return list(sheets.heads)[compared.index(wanted)]
    raise RefusedFile(
        Cause.NO_SHEET,
        f"the workbook has no sheet {shown_name(name)}; it has: {shown_names(list(sheets.heads))}",
    )


def _guessed(sheets: Sheets, visible: Sequence[str], filled: Sequence[str], wanted: Table) -> str:
    """The one of several sheets, a hidden one too, with names like most columns.

    "" where nobody may guess, where a visible sheet has all columns, or where several would do.
    """
    has_all_columns = (wanted.header_line(sheets.heads[name]) is not None for name in visible)
    if not wanted.may_guess or len(filled) == 1 or any(has_all_columns):
        return ""
    counts = {name: wanted.likeliest_line(sheets.heads[name])[1] for name in filled}
    most = max(counts.values(), default=0)
    best = [name for name, count in counts.items() if count == most > 0]
    seen = [name for name in best if name in visible]
    return best[0] if len(best) == 1 else seen[0] if len(seen) == 1 else ""


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
            " name the one to read (--sheet)",
        )
    columns = ", ".join(wanted.required)
    raise RefusedFile(
        Cause.MISSING_COLUMNS,
        f"none of the sheets {shown_names(candidates)} has the columns {columns}:"
        " name the one to read (--sheet)",
        missing=wanted.required,
    )
