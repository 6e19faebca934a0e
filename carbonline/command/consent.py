"""Asks for consent if a worker refused to remove data without it."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
    "most_would_go": "More than half would be removed. Continue?",
    "mended_rows_replace": "All rows that the corrected file lacks would be removed. Continue?",
    "factors_in_use": "Factors that entries use would be removed. Continue?",
    "places_in_use": "Places that entries use would be removed. Continue?",
}


def is_watched() -> bool:
    """Whether a person can be asked: stdin, stdout or stderr is a terminal.

    If a file is piped in, the other two may still be terminals.
    """
    return any(stream is not None and stream.isatty() for stream in _streams())


def answers_yes(question: str) -> bool:
    """Ask a question at the terminal, even if stdin is a file. Returns whether the answer is yes.

    Ctrl-C and the end of input mean no. If no terminal can be opened, that means no, too, and
    stderr says how to consent.
    """
    try:
        with TERMINAL.open("rb", buffering=0) as typed, TERMINAL.open("wb", buffering=0) as screen:
            # Before the question: somebody may be quick to press Ctrl-C.
            with _woken_by_signals() as woken:
                screen.write(f"{question} [y/N]: ".encode())
                while typed.fileno() not in select.select([typed.fileno(), woken], [], [])[0]:
                    os.read(woken, ANSWER_BYTES_MAX)
            return typed.readline(ANSWER_BYTES_MAX).strip().lower() in {b"y", b"yes"}
    except KeyboardInterrupt:
        click.echo(err=True)
    except OSError:
        click.echo(f"{question.removesuffix(' Continue?')} {NO_TERMINAL}", err=True)
    return False


@contextmanager
def _woken_by_signals() -> Iterator[int]:
    """A file descriptor that is readable once a signal has come.

    One that comes right before a read begins does not end the read.
    """
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)


def _streams() -> tuple[TextIO | None, ...]:
    # A process without one of them has None there.
    return sys.stdin, sys.stdout, sys.stderr


def question_of(view: PipelineView) -> str:
    """The question to ask if the pipeline was refused for lack of consent, else ""."""
    causes = {
        job.error_cause
        for job in view.in_order()
        if job.result == types_pb2.JOB_RESULT_ERROR and job.error_cause in NEEDS_CONSENT
    }
    return _QUESTIONS[min(causes)] if causes else ""
