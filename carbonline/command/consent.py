"""Asks for consent if a worker refused to remove data without it."""

import errno
import os
import select
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from types import MappingProxyType
from typing import TextIO

import click

from carbonline.client.submission import NEEDS_CONSENT
from carbonline.client.view import PipelineView
from carbonline.command.exit_codes import ExitCode
from carbonline.command.fitting import fitted, terminal_width
from carbonline.v1 import types_pb2

TERMINAL = "/dev/tty"
ANSWER_BYTES_MAX = 100
NO_TERMINAL = "There is no terminal to ask at. If that is meant, add --yes."
ASKS = " Continue?"
_KEYS = "[y/N]:"
MOST_WOULD_GO = "More than half would be removed. Continue?"
_QUESTIONS = {
    "most_would_go": MOST_WOULD_GO,
    "kilograms_would_double": "The kilograms would more than double. Continue?",
    "mended_rows_replace": "All rows that the corrected file lacks would be removed. Continue?",
    "factors_in_use": "Factors that entries use would be removed. Continue?",
    "places_in_use": "Places that entries use would be removed. Continue?",
    "references_in_use": "Reference data that entries use would be removed. Continue?",
}


def is_watched() -> bool:
    """Whether a person can be asked: stdin, stdout or stderr is a terminal.

    If a file is piped in, the other two may still be terminals.
    """
    return any(stream is not None and stream.isatty() for stream in _streams())


class Answer(Enum):
    """What came of a question: an answer, Ctrl-C, or nobody who could be asked."""

    YES = auto()
    NO = auto()
    INTERRUPTED = auto()
    NOT_ASKED = auto()


UNLESS_YES: Mapping[Answer, ExitCode] = MappingProxyType(
    {
        Answer.NO: ExitCode.DECLINED,
        Answer.INTERRUPTED: ExitCode.INTERRUPTED,
        Answer.NOT_ASKED: ExitCode.REFUSED,
    }
)


def ask(question: str) -> Answer:
    """Ask a question at the terminal, even if stdin is a file.

    The end of input means no. If no terminal can be asked at, stderr says how to consent.
    """
    try:
        with _terminal() as (typed, screen), open(typed, "rb", buffering=0, closefd=False) as keys:
            # Before the question: somebody may be quick to press Ctrl-C.
            with _woken_by_signals() as woken:
                os.write(screen, prompt(question, terminal_width(screen)).encode())
                while typed not in select.select([typed, woken], [], [])[0]:
                    os.read(woken, ANSWER_BYTES_MAX)
            answer = keys.readline(ANSWER_BYTES_MAX).strip().lower()
            return Answer.YES if answer in {b"y", b"yes"} else Answer.NO
    except KeyboardInterrupt:
        click.echo(err=True)
        return Answer.INTERRUPTED
    except OSError:
        click.echo(f"{question.removesuffix(ASKS)} {NO_TERMINAL}", err=True)
        return Answer.NOT_ASKED


def prompt(question: str, width: int | None) -> str:
    """The question with the keys to type behind it, in lines that leave room for the answer."""
    asked = f"{question} {_KEYS}"
    # The last two columns are for a space and the answer.
    return (fitted(asked, width - 2) if width is not None else asked) + " "


def declined(question: str) -> Answer:
    """The answer no, given beforehand. Prints what the question would have said."""
    click.echo(question.removesuffix(ASKS), err=True)
    return Answer.NO


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """What to read answers from and where to write questions. Raises OSError if there is nothing.

    A program in a container, or behind `su -c`, may have no controlling terminal although a
    person types at its stdin.
    """
    try:
        controlling = os.open(TERMINAL, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield _terminal_of_streams()
        return
    try:
        yield controlling, controlling
    finally:
        os.close(controlling)


def _terminal_of_streams() -> tuple[int, int]:
    terminals = [stream.fileno() for stream in _streams() if stream is not None and stream.isatty()]
    if sys.stdin is None or sys.stdin.fileno() not in terminals:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
    # stderr before stdin, which may be open for reading only.
    return sys.stdin.fileno(), terminals[-1]


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
