"""The columns of a list, and how their values look in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
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
    """How a column is aligned, and whether its values may be wrapped.

    Only TEXT is wrapped, at spaces, if the table is too wide.
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
        """The heading in a table."""
        return self.heading or self.name.replace("_", " ")

    def cell(self, value: Value) -> str:
        """The value as text on one line; "" for None."""
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


def value_of(text: str, kind: str) -> Value:
    """The value of a column whose `ColumnInfo.kind` is given. An empty number is none, and what is
    no number stays text.
    """
    if kind not in {"number", "integer"}:
        return text
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return text


def joined(value: Value) -> str:
    """A value as text; the parts of a list or map with commas between them."""
    match value:
        case str():
            return value
        case Mapping():
            return ", ".join(f"{name}: {_part(part)}" for name, part in value.items())
        case Sequence():
            return ", ".join(map(_part, value))
        case _:
            return str(value)


def _part(value: Value) -> str:
    """A value within another: in parentheses if it has parts itself."""
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case Mapping() | Sequence():
            return f"({joined(value)})" if value else "none"
        case _:
            return "none" if value is None else str(value)
