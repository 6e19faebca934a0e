"""What a worker does not take away without consent: asked about on a terminal, then sent again."""

import sys

import click

from carbonline.client.submission import NEEDS_CONSENT
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2

_QUESTIONS = {
    "most_would_go": "More than half would go. Continue?",
    "factors_in_use": "Factors that entries use would go. Continue?",
    "places_in_use": "Places that entries use would go. Continue?",
}


def can_ask() -> bool:
    """Whether a person reads the question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def says_yes(question: str) -> bool:
    """Ask at the terminal. Ctrl-C is a no."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        return False


def question_of(view: PipelineView) -> str:
    """What to ask where a pipeline was refused for want of consent; "" where it was not."""
    causes = {
        job.error_cause
        for job in view.in_order()
        if job.result == types_pb2.JOB_RESULT_ERROR and job.error_cause in NEEDS_CONSENT
    }
    return _QUESTIONS[min(causes)] if causes else ""
