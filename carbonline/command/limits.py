"""The --limit option of lists."""

from collections.abc import Callable
from typing import Any

import click

from carbonline.command.options import WholeNumber
from carbonline.command.output import Output

SHOWN = 50
# What a spreadsheet has room for, and memory.
LIMIT_MAX = 1_000_000

limit_option: Callable[[Any], Any] = click.option(
    "--limit",
    type=WholeNumber(1, LIMIT_MAX),
    default=None,
    help=f"Maximum number of rows; by default {SHOWN} in a table, {LIMIT_MAX:,} elsewhere.",
)


def rows_max(limit: int | None, output: Output) -> int:
    """The number given with --limit.

    The default is SHOWN for a table, and LIMIT_MAX for other formats.
    """
    return limit or (SHOWN if output.is_table else LIMIT_MAX)
