"""What a list consists of: columns with a kind, and how a value of each looks to people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from carbonline.command.safe_text import one_line

Value: TypeAlias = (
    str
    | int
    | float
    | Decimal
    | bool
    | datetime
    | Sequence[str]
    | Sequence[int]
    | Mapping[str, Any]
    | None
)
Row: TypeAlias = Mapping[str, Value]


class Kind(Enum):
    """How a column looks in a table.

    TEXT may be wrapped at spaces where there is little room; all others are never broken.
    """

    TEXT = "text"
    # A name, an id or a moment: to the left, whole.
    WORD = "word"
    # An id that is a number: to the right, without separators.
    NUMERAL = "numeral"
    # A quantity: to the right, with separators between thousands.
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list.

    `name` is the key of the rows, of JSON and of files, and never changes once released. `heading`
    is for tables; the default is the name. With `once_if_same`, a column that has the same value in
    every row is shown once, above the table. `decimals` are the digits after the point of a NUMBER
    that is not whole. `in_files=False` leaves the column out of files, `in_tables=False` out of
    tables.
    """

    name: str
    heading: str = ""
    kind: Kind = Kind.TEXT
    once_if_same: bool = False
    decimals: int = 3
    in_tables: bool = True
    in_files: bool = True

    @property
    def title(self) -> str:
        """What stands above the column in a table."""
        return self.heading or self.name.replace("_", " ")

    def cell(self, value: Value) -> str:
        """The value as people read it, on one line; nothing for None."""
        return one_line(self._words(value))

    def _words(self, value: Value) -> str:
        match value:
            case None:
                return ""
            case bool():
                return "yes" if value else "no"
            case int() if self.kind is Kind.NUMBER:
                return f"{value:,}"
            case Decimal() | float() if self.kind is Kind.NUMBER:
                return f"{value:,.{self.decimals}f}"
            case datetime():
                return f"{value:%Y-%m-%d %H:%M:%S}"
            case _:
                return joined(value)


def joined(value: Value) -> str:
    """A value, or the parts of one that has several, as one text."""
    match value:
        case str():
            return value
        case Mapping():
            return ", ".join(f"{name}: {part}" for name, part in value.items())
        case Sequence():
            return ", ".join(map(str, value))
        case _:
            return str(value)
