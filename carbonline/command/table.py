"""Formats rows as a table, or as records if the table would be too wide."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.fitting import words_of

# Between columns; the second where that saves the table.
GAPS = (2, 1)
RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
# A column of text is wrapped to no less than its longest word, or than this for longer ones. The
# names of columns, which are shown as "user_institutional_id: 123456", fit.
TEXT_WIDTH_MIN = 24
# A narrower column of text would be taller than it is legible: records are better then.
TEXT_LINES_MAX = 12


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column of a table: its heading and its cells."""

    column: Column
    title: str
    cells: Sequence[str]

    @property
    def is_right(self) -> bool:
        return self.column.kind in {Kind.NUMBER, Kind.NUMERAL}

    @property
    def gives_way(self) -> bool:
        return self.column.kind is Kind.TEXT

    @property
    def width(self) -> int:
        """The width that it needs to be shown without wrapping."""
        return max(cell_len(self.title), *map(cell_len, self.cells))

    @property
    def width_min(self) -> int:
        """The width below which a number, id or word would break. The heading may be wrapped."""
        if not self.gives_way:
            return max(_title_width(self), *map(cell_len, self.cells))
        words = (word for cell in self.cells for word in cell.split())
        return max(_title_width(self), *map(_unbroken_width, words), 1)


def table_lines(
    columns: Sequence[Column], rows: Sequence[Row], width: int, total: Row | None = None
) -> list[str]:
    """The rows under their headings in lines of at most `width`; `total` below a rule.

    Columns without a value are left out, and a `once_if_same` column that has the
    same value in every row is shown once, above the table. Numbers and ids are never broken; one
    that is wider than `width` sticks out.
    """
    every = [*rows, *([total] if total else [])]
    shown = [column for column in columns if column.in_tables]
    cells = [
        _Cells(column, column.title, [column.cell(row.get(column.name)) for row in every])
        for column in shown
    ]
    cells = [one for one in cells if any(one.cells)]
    shown_once = [one for one in cells if _is_shown_once(one, len(rows))] if len(rows) > 0 else []
    above = [f"{one.title}: {one.cells[0]}" for one in shown_once if one.cells[0]]
    left = [one for one in cells if one not in shown_once]
    has_total = total is not None
    for gap in GAPS:
        if widths := _fitted(left, width - gap * (len(left) - 1)):
            body = _table(left, widths, gap, has_total=has_total)
            break
    else:
        body = _records(left, width, has_total=has_total)
    return [*wrapped(", ".join(above), width), *body]


def _is_shown_once(one: _Cells, row_count: int) -> bool:
    """Whether every row has the same value; the total does not count."""
    return one.column.once_if_same and len(set(one.cells[:row_count])) == 1


def _fitted(left: Sequence[_Cells], room: int) -> list[int] | None:
    """A width for each column; None if a table does not fit."""
    widths = [one.width for one in left]
    while sum(widths) > room:
        # Headings first, then the widest text, so that none is squeezed before its time.
        able = [n for n, one in enumerate(left) if widths[n] > one.width_min]
        if not able:
            return None
        widest = max(able, key=lambda n: (not left[n].gives_way, widths[n]))
        widths[widest] -= 1
    tallest = max(
        (
            len(wrapped(cell, widths[n]))
            for n, one in enumerate(left)
            if one.gives_way
            for cell in one.cells
        ),
        default=0,
    )
    return None if tallest > TEXT_LINES_MAX else widths


def _table(
    left: Sequence[_Cells], widths: Sequence[int], gap: int, *, has_total: bool
) -> list[str]:
    rule = RULE * (sum(widths) + gap * (len(widths) - 1))
    titles = [wrapped(one.title, width) for one, width in zip(left, widths, strict=True)]
    height = max(map(len, titles), default=0)
    # Headings stand on the rule.
    titles = [[""] * (height - len(lines)) + lines for lines in titles]
    lines = [*_side_by_side(left, widths, gap, titles), rule]
    count = max((len(one.cells) for one in left), default=0)
    for n in range(count):
        if has_total and n == count - 1:
            lines.append(rule)
        cells = [wrapped(one.cells[n], width) for one, width in zip(left, widths, strict=True)]
        lines += _side_by_side(left, widths, gap, cells)
    return lines


def _side_by_side(
    left: Sequence[_Cells], widths: Sequence[int], gap: int, cells: Sequence[Sequence[str]]
) -> list[str]:
    height = max(1, *map(len, cells)) if cells else 1
    lines = []
    for n in range(height):
        parts = [
            _padded(lines_[n] if n < len(lines_) else "", width, right=one.is_right)
            for one, width, lines_ in zip(left, widths, cells, strict=True)
        ]
        lines.append((" " * gap).join(parts).rstrip())
    return lines


def _padded(text: str, width: int, *, right: bool) -> str:
    spaces = " " * max(0, width - cell_len(text))
    return spaces + text if right else text + spaces


def _records(left: Sequence[_Cells], width: int, *, has_total: bool) -> list[str]:
    """A block of "heading: value" lines for each row, without empty values."""
    count = max((len(one.cells) for one in left), default=0)
    lines: list[str] = []
    for n in range(count):
        if has_total and n == count - 1:
            lines.append(RULE * min(width, 20))
        elif lines:
            lines.append("")
        for one in left:
            if one.cells[n]:
                lines += _field(one, one.cells[n], width)
    return lines


def _field(one: _Cells, cell: str, width: int) -> list[str]:
    line = f"{one.title}: {cell}"
    if cell_len(line) <= width:
        return [line]
    if one.gives_way:
        first, *others = wrapped(line, width)
        rest = " ".join(others)
        return [first, *(f"  {line}" for line in wrapped(rest, max(1, width - 2)))]
    indent = "  " if cell_len(cell) + 2 <= width else ""
    return [f"{one.title}:", indent + cell]


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` columns, broken at spaces, but not before a unit.

    A longer word is broken, unless it has a digit.
    """
    lines: list[str] = []
    line = ""
    for word in words_of(text, width):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = (
            [word] if cell_len(word) <= width or _has_digit(word) else _broken(word, max(2, width))
        )
        lines += whole
    return [*lines, line] if line or lines else []


def _title_width(one: _Cells) -> int:
    """The width of the longest word of the heading, which may be wrapped."""
    return max(map(cell_len, one.title.split()), default=0)


def _broken(word: str, width: int) -> list[str]:
    """The pieces of a word that is longer than a line, cut after a joint such as "-"."""
    pieces = []
    while cell_len(word) > width:
        fits = chop_cells(word, width)[0]
        joint = max(fits.rfind(mark) for mark in "_/-.:") + 1
        cut = joint if joint > len(fits) // 2 else len(fits)
        pieces.append(word[:cut])
        word = word[cut:]
    return [*pieces, word]


def _unbroken_width(word: str) -> int:
    """The least width at which a word is not broken."""
    return cell_len(word) if _has_digit(word) else min(cell_len(word), TEXT_WIDTH_MIN)


def _has_digit(word: str) -> bool:
    return any(character.isdigit() for character in word)
