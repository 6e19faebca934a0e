"""Tells a person which files with secrets others of the machine may read."""

import sys
from collections.abc import Sequence

import click

from carbonline.exposed_file import ExposedFile


def print_exposed(exposed: Sequence[ExposedFile]) -> None:
    """A line on the standard error for each, if that is a terminal: what a script or a timer
    prints is an alarm, each time.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        for one in exposed:
            click.echo(f"{one.sentence}.", err=True)
