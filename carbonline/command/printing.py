"""Answers as tables for people, or as JSON for programs; on stdout."""

import json
from collections.abc import Sequence
from decimal import Decimal

import click
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich import box
from rich.console import Console
from rich.table import Table

from carbonline.command.safe_text import one_line

# Wide enough that nothing is cut where stdout is no terminal.
PLAIN_WIDTH = 200


def print_json(message: Message) -> None:
    """A message as JSON, with the contract's own field names; absent fields as their zeros."""
    values = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    click.echo(json.dumps(values, indent=2, ensure_ascii=False))


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    gives_way: str = "",
    last_row_is_sum: bool = False,
) -> None:
    """Rows under their columns; those named in `numbers` to the right.

    On a narrow terminal the column `gives_way` is narrowed first, before any other.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column in numbers
        table.add_column(
            column,
            justify="right" if right else "left",
            no_wrap=right or (gives_way not in ("", column)),
        )
    for number, row in enumerate(rows, start=1):
        if last_row_is_sum and number == len(rows):
            table.add_section()
        table.add_row(*map(one_line, row))
    console = Console(markup=False, highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    console = Console(markup=False, highlight=False, width=PLAIN_WIDTH)
    with console.capture() as drawn:
        console.print(table)
    # Without a terminal's colours the padding is noise in files and documents.
    click.echo("\n".join(line.rstrip() for line in drawn.get().strip("\n").splitlines()).rstrip())


def print_nothing(sentence: str) -> None:
    """Instead of a table without rows; on stderr, since it is no row either."""
    click.echo(sentence, err=True)


def print_more(way: str) -> None:
    """That a list was cut, and what shows more of it; on stderr."""
    click.echo(f"There are older ones, too: {way}.", err=True)


def counted(number: int, one: str, many: str = "") -> str:
    """Such as "1 job" and "8,255 jobs"; `many` where it is not `one` and an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(timestamp: Timestamp) -> str:
    """A time in UTC, to the second; empty for none."""
    if timestamp.ToNanoseconds() == 0:
        return ""
    return f"{timestamp.ToDatetime():%Y-%m-%d %H:%M:%S}"


def kilograms(kg: Decimal | float) -> str:
    """Kilograms of CO2-equivalent as people read them; rounded here and nowhere before."""
    return f"{kg:,.3f}"


def tonnes(kg: Decimal | float) -> str:
    """The same in tonnes."""
    return f"{kg / 1000:,.3f}"
