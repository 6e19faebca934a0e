"""The options that say how the file of another program is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from carbonline.command.collected_options import Function, with_options
from carbonline.command.columns import Column, Row
from carbonline.command.options import WholeNumber

MAPPING = "mapping"
# The limit that services check, too.
HEADER_LINE_MAX = 50
_OPTIONS = (
    click.option(
        "--map",
        "columns",
        multiple=True,
        metavar="NAME=COLUMN",
        help="Read the file's column NAME as COLUMN, or as nothing (NAME=). May be repeated.",
    ),
    click.option(
        "--set",
        "constants",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Give each row VALUE in a COLUMN that the file lacks. May be repeated.",
    ),
    click.option(
        "--value",
        "values",
        multiple=True,
        metavar="COLUMN:TEXT=CHOICE",
        help="Read TEXT in COLUMN as CHOICE, such as 'cabin_class:Class Y=economy'.",
    ),
    click.option(
        "--decimal",
        type=click.Choice(["comma", "point"]),
        help="How the file writes numbers: 1.234,5 (comma) or 1,234.5 (point).",
    ),
    click.option(
        "--dates",
        metavar="FORMAT",
        help="How the file writes dates, such as dd/mm/yyyy, mm/dd/yyyy or dd.mm.yy.",
    ),
    click.option(
        "--header-line",
        type=WholeNumber(1, HEADER_LINE_MAX),
        help="The line with the names of the columns, if titles or notes stand above it.",
    ),
)


@dataclass(frozen=True, slots=True)
class MappingWords:
    """What was typed of a mapping."""

    columns: Sequence[str] = ()
    constants: Sequence[str] = ()
    values: Sequence[str] = ()
    decimal: str | None = None
    dates: str | None = None
    header_line: int | None = None

    def mapping(self) -> dict[str, Any]:
        """As a payload says it; empty if nothing was typed. Raises click.UsageError."""
        parts: dict[str, Any] = {
            "columns": _pairs("--map", self.columns, _NAME_LAST, may_be_empty=True),
            "constants": _pairs("--set", self.constants, _NAME_FIRST),
            "values": self._values(),
            "decimal": self.decimal,
            "dates": self.dates,
            "header_line": self.header_line,
        }
        return {name: part for name, part in parts.items() if part}

    def _values(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for typed in self.values:
            column, colon, pair = typed.partition(":")
            if not colon or not column.strip():
                raise click.UsageError(f"--value {typed!r}: write COLUMN:TEXT=CHOICE.")
            [(text, choice)] = _pairs("--value", [pair], _NAME_LAST).items()
            of_column = found.setdefault(column.strip(), {})
            if of_column.setdefault(text, choice) != choice:
                raise click.UsageError(f"--value reads {text!r} as two choices.")
        return found


_NAME_FIRST, _NAME_LAST = str.partition, str.rpartition


def _pairs(
    option: str,
    typed: Sequence[str],
    divided: Callable[[str, str], tuple[str, str, str]],
    *,
    may_be_empty: bool = False,
) -> dict[str, str]:
    """What stands before and behind the equals sign: the last one, where names of files may have
    one themselves.
    """
    pairs: dict[str, str] = {}
    for text in typed:
        before, sign, behind = (part.strip() for part in divided(text, "="))
        if not sign or not before or not (behind or may_be_empty):
            raise click.UsageError(f"{option} {text!r}: write two words with = between them.")
        if before in pairs:
            raise click.UsageError(f"{option} names {before!r} twice.")
        pairs[before] = behind
    return pairs


def mapping_options(function: Function) -> Function:
    """Adds the options to a command, which gets them as `words`, a MappingWords."""

    def collected(
        columns: Sequence[str],
        constants: Sequence[str],
        values: Sequence[str],
        decimal: str | None,
        dates: str | None,
        header_line: int | None,
        **rest: Any,
    ) -> Any:
        words = MappingWords(columns, constants, values, decimal, dates, header_line)
        return function(words=words, **rest)

    return with_options(function, collected, _OPTIONS)


def mapping_words(mapping: Mapping[str, Any]) -> str:
    """A mapping for people, on one line. "" for none."""
    said = [f"{name} → {column or 'not read'}" for name, column in _items(mapping, "columns")]
    said += [f"{column} = {value}" for column, value in _items(mapping, "constants")]
    for column, pairs in _items(mapping, "values"):
        said += [f"{column}: {text} → {choice}" for text, choice in sorted(pairs.items())]
    said += [f"decimal {mapping['decimal']}"] if mapping.get("decimal") else []
    said += [f"dates {mapping['dates']}"] if mapping.get("dates") else []
    said += [f"header in line {line}"] if (line := header_line_of(mapping)) else []
    return ", ".join(said)


def header_line_of(mapping: Mapping[str, Any]) -> int:
    """The line that a mapping names, 0 for none. A message has numbers with a point alone."""
    return int(mapping.get("header_line", 0))


def _items(mapping: Mapping[str, Any], part: str) -> list[tuple[str, Any]]:
    # An object of a message has no order of its own.
    return sorted(mapping.get(part, {}).items())


def name_or_words(mapping: Mapping[str, Any]) -> str:
    """The name of a saved mapping, else what it says."""
    return str(mapping.get("name", "")) or mapping_words(mapping)


def with_mapping(columns: Sequence[Column], rows: Sequence[Row]) -> Sequence[Column]:
    """The columns of a list, and that of mappings if a row was read with one."""
    return (*columns, Column(MAPPING)) if any(row[MAPPING] for row in rows) else columns
