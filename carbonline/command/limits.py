"""How many rows a list shows, and the option that says so."""

from collections.abc import Callable
from typing import Any

import click

from carbonline.command.output import Output

SHOWN = 50
# What a spreadsheet has room for, and memory.
LIMIT_MAX = 1_000_000

limit_option: Callable[[Any], Any] = click.option(
    "--limit",
    type=click.IntRange(1, LIMIT_MAX),
    default=None,
    help=f"Maximum number of rows; by default {SHOWN} in a table, {LIMIT_MAX:,} elsewhere.",
)


def rows_max(limit: int | None, output: Output) -> int:
    """What --limit says; without it few rows for people, and all that may be for programs."""
    return limit or (SHOWN if output.is_table else LIMIT_MAX)
