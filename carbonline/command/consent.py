"""What a worker does not take away without consent: asked about on a terminal, then sent again."""

import sys
from pathlib import Path
from typing import TextIO

import click

from carbonline.client.submission import NEEDS_CONSENT
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2

TERMINAL = Path("/dev/tty")
ANSWER_BYTES_MAX = 100
NO_TERMINAL = (
    "There is no terminal to ask at. If that is meant, add --yes (for places and factors "
    "--take-away)."
)
_QUESTIONS = {
    "most_would_go": "More than half would go. Continue?",
    "mended_rows_replace": "All that the mended file lacks would go. Continue?",
    "factors_in_use": "Factors that entries use would go. Continue?",
    "places_in_use": "Places that entries use would go. Continue?",
}


def is_watched() -> bool:
    """Whether a person is there to ask: stdin, stdout or stderr is a terminal.

    A file that is piped in leaves the person at the other two.
    """
    return any(stream is not None and stream.isatty() for stream in _streams())


def answers_yes(question: str) -> bool:
    """Ask at the terminal, also where stdin is a file. Ctrl-C and the end of input are a no.

    Where no terminal can be opened, it is a no as well, and stderr says how to consent.
    """
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty():
        try:
            return click.confirm(question, err=True)
        except click.Abort:
            click.echo(err=True)
            return False
    try:
        with TERMINAL.open("rb", buffering=0) as typed, TERMINAL.open("wb", buffering=0) as screen:
            screen.write(f"{question} [y/N]: ".encode())
            return typed.readline(ANSWER_BYTES_MAX).strip().lower() in {b"y", b"yes"}
    except KeyboardInterrupt:
        click.echo(err=True)
    except OSError:
        click.echo(f"{question.removesuffix(' Continue?')} {NO_TERMINAL}", err=True)
    return False


def _streams() -> tuple[TextIO | None, ...]:
    # A process without one of them has None there.
    return sys.stdin, sys.stdout, sys.stderr


def question_of(view: PipelineView) -> str:
    """What to ask where a pipeline was refused for want of consent; "" where it was not."""
    causes = {
        job.error_cause
        for job in view.in_order()
        if job.result == types_pb2.JOB_RESULT_ERROR and job.error_cause in NEEDS_CONSENT
    }
    return _QUESTIONS[min(causes)] if causes else ""
