"""Reads the header of a file: its separator, and the positions of declared columns."""

import re
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from worker_service.carbon.csv_source.column_names import (
    compared_names,
    name_as_seen,
    names_as_seen,
)
from worker_service.carbon.csv_source.likely_header import LINES_MAX, cells_of
from worker_service.carbon.csv_source.lines import Lines
from worker_service.carbon.csv_source.near_names import UnreadColumn, near_name
from worker_service.carbon.csv_source.other_separator import (
    SEPARATORS,
    STRANGE_SEPARATORS,
    strange_separator_reason,
)
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMNS
from worker_service.carbon.csv_source.records import quoted_records
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping

# With it a spreadsheet is told the separator.
SEPARATOR_LINE = re.compile(rb'\s*"?sep=(.)"?[\s,;]*', re.IGNORECASE)
_NAMES_SHOWN_MAX = 20
COLUMNS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file.

    `positions`: of each known column. `unread`: unknown columns. `names`: all names as they are in
    the file. `unnamed`: positions of columns without a name. `of_reasons`: positions of the columns
    that a file of rejected rows has in addition, which are ignored. `needed`: how many columns no
    row may leave out. `of_cells`: the rows are cells of a workbook, so no value can run into the
    next one. `constants`: columns that the mapping sets for all rows.
    """

    separator: str
    width: int
    positions: Mapping[str, int]
    unread: tuple[UnreadColumn, ...]
    names: tuple[str, ...]
    unnamed: tuple[int, ...]
    of_reasons: frozenset[int]
    needed: int
    of_cells: bool = False
    constants: frozenset[str] = frozenset()

    @property
    def given(self) -> frozenset[str]:
        """The known columns that the rows have a value of, from the file or from the mapping."""
        return self.constants.union(self.positions)

    @property
    def written_names(self) -> tuple[str, ...]:
        """The names as people see them: trimmed, without quotes and invisible characters."""
        return tuple(names_as_seen(self.names))

    @property
    def is_mended(self) -> bool:
        """Whether the rows come from a file of rejected rows, so the file is only a part of one."""
        return bool(self.of_reasons)


def read_header(
    lines: Lines,
    required: Collection[str],
    optional: Collection[str],
    mapping: FileMapping = AS_DECLARED,
) -> Header:
    """Reads the header. Names are compared trimmed and case-folded.

    Raises RefusedFile if the file is empty, a required column is missing that the mapping does not
    set, a known one is there twice, or the file and the mapping contradict each other.
    """
    known, meant = {*required, *optional}, renamed_by(mapping)
    _pass_titles(lines, mapping.header_line)
    first = _first_record(lines, known | meant.keys())
    names_in_file = compared_names(first.fields)
    _check_against(mapping, meant, first.fields)
    names = [meant.get(name, name) for name in names_in_file]
    if len(names) > COLUMNS_MAX:
        raise RefusedFile(
            Cause.MISSING_COLUMNS, f"the header has more than {COLUMNS_MAX:,} columns"
        )
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise RefusedFile(
            Cause.DUPLICATE_COLUMNS,
            f"the header has these columns twice: {_shown(twice)}; keep one of each",
        )
    needed = [name for name in required if name not in mapping.constants]
    missing = [name for name in needed if name not in names]
    if missing:
        if strange := _strange_separator(first.fields, known):
            raise RefusedFile(Cause.MISSING_COLUMNS, strange_separator_reason(strange))
        if _is_quoted_whole(first.fields, known):
            raise RefusedFile(
                Cause.MISSING_COLUMNS,
                "each line is one text in quotes: leave out the quotes around whole lines",
            )
        has = (
            f"it has: {_had(first.fields, missing, known)}"
            if any(names)
            else f"it is: {first.line}"
        )
        if any(len(name) > 1 and name[0] == name[-1] == "'" for name in names):
            has += "; its names are in single quotes: leave them out, or write double quotes"
        if _stand_below_each_other(lines, first.separator, known):
            has += "; names of columns stand below each other: turn rows into columns (transpose)"
        columns = "column" if len(missing) == 1 else "columns"
        raise RefusedFile(
            Cause.MISSING_COLUMNS,
            f"the header lacks the {columns} {_shown(missing)}; {has}",
            missing=missing,
            names=names,
        )
    return Header(
        separator=first.separator,
        width=len(names),
        positions={name: names.index(name) for name in known if name in names},
        unread=_unread(first.fields, known - mapping.constants.keys(), meant),
        names=tuple(first.fields),
        unnamed=tuple(at for at, name in enumerate(names_in_file) if not name),
        of_reasons=frozenset(at for at, name in enumerate(names) if name in REASON_COLUMNS),
        needed=len(needed),
        constants=frozenset(mapping.constants),
    )


def _pass_titles(lines: Lines, header_line: int) -> None:
    """Passes over the lines above the header. A file of rejected rows has none, and begins with it.

    Raises RefusedFile if the file ends before.
    """
    above = header_line - 1
    while above > 0:
        block = lines.block()
        head, _, _ = block.partition(b"\n")
        if above == header_line - 1 and _is_of_rejected_rows(head.decode()):
            lines.put_back(block)
            return
        *passed, rest = block.split(b"\n", above)
        above -= len(passed)
        lines.put_back(rest)
        if above and not block:
            raise RefusedFile(
                Cause.MAPPING,
                f"the mapping has header_line {header_line}, and the file has fewer lines",
            )


def _is_of_rejected_rows(line: str) -> bool:
    return any(REASON_COLUMNS.issubset(compared_names(line.split(mark))) for mark in SEPARATORS)


def renamed_by(mapping: FileMapping) -> dict[str, str]:
    """The declared column, or "", by the file's name of it as names are compared.

    Raises RefusedFile if two names are the same in that form.
    """
    meant: dict[str, str] = {}
    for written, name in mapping.columns.items():
        compared = name_as_seen(written).casefold()
        if compared in meant:
            raise RefusedFile(
                Cause.MAPPING, f"the mapping names the column {shown_text(written)} twice"
            )
        meant[compared] = name
    return meant


def _check_against(mapping: FileMapping, meant: Mapping[str, str], fields: list[str]) -> None:
    """RefusedFile where the mapping names what is not in the file, or a column has two sources."""
    names = compared_names(fields)
    written = {name_as_seen(name).casefold(): name for name in mapping.columns}
    if gone := [name for name in meant if name not in names]:
        others = [name for name in names if name and name not in meant]
        some = gone[:_NAMES_SHOWN_MAX]
        hints = [str(_unknown_column(name, written[name], others)) for name in some]
        columns = "a column" if len(gone) == 1 else "columns"
        raise RefusedFile(
            Cause.MAPPING,
            f"the mapping names {columns} that the file does not have: {_listed(hints, len(gone))};"
            f" it has: {_shown(names_as_seen(fields))}",
        )
    by_name = {name: written[compared] for compared, name in meant.items()}
    for name in names:
        if name in by_name and name not in meant:
            raise RefusedFile(
                Cause.MAPPING,
                f"the mapping reads {shown_text(by_name[name])} as {name}, and the file has a"
                f" column {name}, too: to leave that one out, read it as nothing ({name}=)",
            )
    for name in names:
        if name in mapping.constants and meant.get(name, name) == name:
            raise RefusedFile(
                Cause.MAPPING,
                f"the mapping sets {name} for all rows, and the file has that column: leave one of"
                " them out",
            )


def _strange_separator(fields: Sequence[str], known: AbstractSet[str]) -> str:
    """A mark that no CSV file is read with, but under which the header has known columns."""
    if len(fields) != 1:
        return ""
    fitness = {
        mark: len(known & set(compared_names(fields[0].split(mark)))) for mark in STRANGE_SEPARATORS
    }
    mark = max(STRANGE_SEPARATORS, key=lambda one: fitness[one])
    return mark if fitness[mark] > 1 else ""


def _is_quoted_whole(fields: Sequence[str], known: AbstractSet[str]) -> bool:
    """Whether the only field of a header has known columns, with a separator between them."""
    names = (
        [set(compared_names(fields[0].split(mark))) for mark in SEPARATORS]
        if len(fields) == 1
        else []
    )
    return any(len(known & some) > 1 for some in names)


def _stand_below_each_other(lines: Lines, separator: str, known: AbstractSet[str]) -> bool:
    """Whether the next lines begin with several of the known names."""
    block = lines.block()
    lines.put_back(block)
    texts = block.decode().split("\n", LINES_MAX)[:LINES_MAX]
    below = set(compared_names([text.split(separator, 1)[0] for text in texts]))
    return len(below & known) > 1


def _unread(
    fields: list[str], known: AbstractSet[str], meant: Mapping[str, str]
) -> tuple[UnreadColumn, ...]:
    # What the file has already is not meant once more.
    names = compared_names(fields)
    lacking = sorted(known - {meant.get(name, name) for name in names})
    silent = {"", *known, *REASON_COLUMNS}
    unknown: dict[str, str] = {}
    for name, as_written in zip(names, names_as_seen(fields), strict=True):
        if meant.get(name, name) not in silent or (name and meant.get(name) == ""):
            unknown.setdefault(name, as_written)
    return tuple(_unknown_column(name, as_written, lacking) for name, as_written in unknown.items())


def _unknown_column(name: str, as_written: str, among: Collection[str]) -> UnreadColumn:
    return UnreadColumn(shown_text(as_written), near_name(name, among))


@dataclass(frozen=True, slots=True)
class _FirstRecord:
    """`line`: what it is written as, or its first line, as it may be shown."""

    separator: str
    fields: list[str]
    line: str


def _first_record(lines: Lines, known: AbstractSet[str]) -> _FirstRecord:
    """Read with the separator under which most known columns appear.

    Of several that would do, the one that the file names, or else the one that it has most of.
    """
    named = b""
    while block := lines.block():
        text = block.lstrip(b"\n")
        if not text.strip():
            continue
        head, _, rest = text.partition(b"\n")
        if separator_line := SEPARATOR_LINE.fullmatch(head):
            named = separator_line[1]
            lines.put_back(rest)
            continue
        texts = [line.decode() for line in text.split(b"\n", LINES_MAX)[:LINES_MAX]]
        separator = max(SEPARATORS, key=lambda mark: _fitness(mark, texts, named, known))
        [record] = quoted_records(lines, text, separator, 0, records_max=1)
        return _FirstRecord(separator, record, shown_text(texts[0]))
    raise RefusedFile(Cause.EMPTY, "the file is empty")


def _fitness(
    separator: str, texts: Sequence[str], named: bytes, known: AbstractSet[str]
) -> tuple[int, bool, int]:
    fields = cells_of(texts, 0, separator)
    return len(known & set(compared_names(fields))), separator.encode() == named, len(fields)


def _had(fields: list[str], missing: Collection[str], known: AbstractSet[str]) -> str:
    """What a header has, and which of `missing` each name may stand for that is not `known`."""
    first = fields[:_NAMES_SHOWN_MAX]
    return _listed(
        [
            str(_unknown_column(name, as_written, () if name in known else missing))
            for name, as_written in zip(compared_names(first), names_as_seen(first), strict=True)
            if name
        ],
        len(fields),
    )


def _shown(names: Sequence[str]) -> str:
    return _listed([shown_text(name) for name in names[:_NAMES_SHOWN_MAX] if name], len(names))


def _listed(shown: Sequence[str], of: int) -> str:
    more = of - _NAMES_SHOWN_MAX
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
