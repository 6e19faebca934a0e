"""What is printed for people, and how wide the place is where they read it."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

# Where nobody says how much room there is.
PLAIN_WIDTH = 80
WIDTH_MIN = 20


def table_width() -> int:
    """Columns of the place that stdout is read at.

    COLUMNS says it; else the terminal that the command was typed at, also where stdout is a pipe,
    as to a pager; else PLAIN_WIDTH.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(WIDTH_MIN, int(columns))
    for descriptor in (1, 2, 0):
        try:
            width = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if width > 0:
            return max(WIDTH_MIN, width)
    return PLAIN_WIDTH


def print_lines(lines: Iterable[str]) -> None:
    """Lines that are made for the width already."""
    click.echo("\n".join(lines))


def print_nothing(sentence: str) -> None:
    """Print a sentence in place of an empty table. On stderr, so that a pipe gets no row."""
    click.echo(sentence, err=True)


def pluralize(number: int, one: str, many: str = "") -> str:
    """Such as "1 job" and "8,255 jobs". `many` is the plural if it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment_of(timestamp: Timestamp) -> datetime | None:
    """A time in UTC; None for none."""
    return None if timestamp.ToNanoseconds() == 0 else timestamp.ToDatetime(UTC)


def moment(timestamp: Timestamp) -> str:
    """A time in UTC, to the second; empty for none."""
    if timestamp.ToNanoseconds() == 0:
        return ""
    return f"{timestamp.ToDatetime():%Y-%m-%d %H:%M:%S}"


def kilograms(kg: Decimal | float) -> str:
    """Kilograms of CO2-equivalent as people read them; rounded here and nowhere before."""
    return f"{kg:,.3f}"
