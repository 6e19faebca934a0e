"""Finds the line of a file that seems to be its header, by the names in it."""

import csv
from collections.abc import Collection, Iterator, Sequence

from worker_service.carbon.csv_source.column_names import compared_names
from worker_service.carbon.csv_source.near_names import near_name

# So many lines from the top may be a title, notes or empty.
LINES_MAX = 50
# Longer texts are no names, and a header has seldom more columns than are looked at.
_CELLS_MAX, _CHARACTERS_MAX = 100, 80
# Names of several lines are no longer together.
_RECORD_CHARACTERS_MAX = 1 << 16
# One name like that of a column may stand in a title, and two cells beside each other as well.
_NAMES_MIN, _WIDTH_MIN = 2, 3

Line = Sequence[str]


def likely_header(lines: Sequence[Line], columns: Collection[str]) -> tuple[int, int]:
    """The position, from 0, of the line whose cells may be the names of most columns, and of how
    many.

    Where no line has names like two columns, or the name of one, it is the first that is more than
    half as wide as the widest, and 0.
    """
    for counts, least in (
        ([len(_meant(line, columns)) for line in lines], _NAMES_MIN),
        ([len(_names(line).intersection(columns)) for line in lines], 1),
    ):
        if (most := max(counts, default=0)) >= least:
            return counts.index(most), most
    widths = [sum(bool(cell.strip()) for cell in line) for line in lines]
    if (widest := max(widths, default=0)) < _WIDTH_MIN:
        return 0, 0
    return next(at for at, width in enumerate(widths) if 2 * width > widest), 0


def likely_line(texts: Sequence[str], separators: Collection[str], columns: Collection[str]) -> int:
    """The same of lines of text: the position, under the separator that fits best."""
    found = []
    for mark in separators:
        lines = [cells_of(texts, at, mark) for at in range(len(texts[:LINES_MAX]))]
        at, count = likely_header(lines, columns)
        found.append((count, max(map(len, lines), default=0), at))
    return max(found)[2]


def cells_of(texts: Sequence[str], at: int, separator: str) -> Line:
    """The cells of the line at a position, without their quotes; with those of the lines below, if
    one of its quotes closes there.
    """
    several = _of_several_lines(texts[at:], separator) if '"' in texts[at] else []
    return several or [cell.strip().strip('"') for cell in texts[at].split(separator)]


class _NeverClosed(Exception):
    """The lines end before a quote closes."""


def _of_several_lines(texts: Sequence[str], separator: str) -> Line:
    """The cells of the record that the lines begin with. Empty if it is one line, or has no end."""
    reader = csv.reader(_bounded(texts), delimiter=separator, skipinitialspace=True)
    try:
        record = next(reader)
    except (_NeverClosed, csv.Error):
        return []
    return record if reader.line_num > 1 else []


def _bounded(texts: Sequence[str]) -> Iterator[str]:
    left = _RECORD_CHARACTERS_MAX
    for text in texts:
        if (left := left - len(text)) < 0:
            break
        yield text + "\n"
    raise _NeverClosed


def has_all(line: Line, required: Collection[str]) -> bool:
    """Whether the cells are the names of all these columns."""
    return bool(required) and _names(line).issuperset(required)


def _names(line: Line) -> set[str]:
    return set(compared_names(line))


def _meant(line: Line, columns: Collection[str]) -> set[str]:
    names = sorted(name for name in _names(line[:_CELLS_MAX]) if 0 < len(name) <= _CHARACTERS_MAX)
    return {near_name(name, columns) for name in names} - {""}
