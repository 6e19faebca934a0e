"""Values as people read them, and the width that a table may have."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import click
from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.command.fitting import columns_variable

# Without COLUMNS and without a terminal.
PLAIN_WIDTH = 80
WIDTH_MIN = 20


def table_width() -> int:
    """How many columns a table on stdout may have, at least WIDTH_MIN.

    The first of: the variable COLUMNS; the terminal that the command was typed at, even if stdout
    is a pipe, such as to a pager; PLAIN_WIDTH.
    """
    if columns := columns_variable():
        return max(WIDTH_MIN, columns)
    for descriptor in (1, 2, 0):
        try:
            width = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if width > 0:
            return max(WIDTH_MIN, width)
    return PLAIN_WIDTH


def print_lines(lines: Iterable[str]) -> None:
    """Print lines that fit the width already."""
    click.echo("\n".join(lines))


def print_nothing(sentence: str) -> None:
    """Print a sentence in place of an empty table. On stderr, so that a pipe gets no row."""
    click.echo(sentence, err=True)


def moment_of(timestamp: Timestamp) -> datetime | None:
    """A timestamp of the wire as a datetime in UTC; None if it is not set."""
    return None if timestamp.ToNanoseconds() == 0 else timestamp.ToDatetime(UTC)


def moment(timestamp: Timestamp) -> str:
    """A timestamp of the wire as text, in UTC and to the second; "" if it is not set."""
    if timestamp.ToNanoseconds() == 0:
        return ""
    return f"{timestamp.ToDatetime():%Y-%m-%d %H:%M:%S}"


def kilograms(kg: Decimal | float) -> str:
    """Kilograms of CO2-equivalent with three decimals. Nothing before this rounds them."""
    return f"{kg:,.3f}"
