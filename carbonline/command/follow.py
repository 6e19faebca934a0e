"""Watches a pipeline to its end and prints the result."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.client.watch import Interrupted
from carbonline.command.connection import Target, command_line
from carbonline.command.display import Display, open_display
from carbonline.command.exit_codes import OF_STATUS, ExitCode
from carbonline.command.job_stats import (
    CHECK_JOBS,
    defaults_of,
    rejected_of,
    shared_of,
    warned_of,
    without_kilograms,
)
from carbonline.command.names import job_word, message_words, scope_words, status_word, step_words
from carbonline.command.picture import seconds_of
from carbonline.command.safe_text import one_line
from carbonline.command.waiting import report_what_is_waited_for
from carbonline.command.ways_out import of_unit
from carbonline.v1 import types_pb2


async def follow(client: ContractClient, pipeline_id: int, target: Target) -> PipelineView:
    """Show a pipeline until it ends. On Ctrl-C, print how to watch it again."""
    with open_display(Console(stderr=True)) as display:
        try:
            return await watch_to_end(client, pipeline_id, display)
        except (asyncio.CancelledError, ServerError) as error:
            if isinstance(error, asyncio.CancelledError) or error.unreachable:
                again = command_line(f"watch {pipeline_id}", target)
                display.note(f"Pipeline {pipeline_id} continues. To watch it again: {again}")
            raise


async def watch_to_end(client: ContractClient, pipeline_id: int, display: Display) -> PipelineView:
    """Show a pipeline on `display` until it ends. Returns the last view."""
    view = PipelineView()
    looking = asyncio.create_task(report_what_is_waited_for(client, view, display))
    try:
        async for event in client.watch(pipeline_id):
            if isinstance(event, Interrupted):
                display.lost(pipeline_id, event.silent_seconds)
                continue
            view.apply(event)
            display.show(view)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return view


def exit_code_of(pipeline: types_pb2.Pipeline | None) -> ExitCode:
    """The exit code that stands for the status of a pipeline."""
    return OF_STATUS.get(pipeline.status if pipeline else 0, ExitCode.DEFECT)


def print_the_end(view: PipelineView, target: Target) -> ExitCode:
    """Print the result of a pipeline and what to do next. Returns the exit code.

    Each failed job has a line. The display has shown the messages of the others.
    """
    pipeline = view.pipeline
    if pipeline is None:
        return ExitCode.DEFECT
    took = _seconds_of_pipeline(pipeline)
    about = one_line(f"{pipeline.kind} {scope_words(pipeline.scope)}".strip())
    outcome = f"Pipeline {pipeline.pipeline_id} ({about}): {status_word(pipeline)}"
    click.echo(f"{outcome} after {took:.1f} s.")
    for job in view.in_order():
        if job.result == types_pb2.JOB_RESULT_ERROR:
            click.echo(f"  {_job_line(job)}")
    for sentence in _next_steps(view, pipeline, target):
        click.echo(sentence)
    return exit_code_of(pipeline)


def _job_line(job: types_pb2.Job) -> str:
    seconds = seconds_of(job, 0.0)
    took = "" if seconds is None else f", {seconds:.1f} s"
    cause = f" ({job.error_cause})" if job.error_cause else ""
    message = f": {message_words(job)}" if job.message else ""
    return one_line(f"{step_words(job)}: {job_word(job)}{cause}{took}{message}")


def _seconds_of_pipeline(pipeline: types_pb2.Pipeline) -> float:
    if not pipeline.HasField("finished_at"):
        return 0.0
    return (pipeline.finished_at.ToNanoseconds() - pipeline.created_at.ToNanoseconds()) / 1e9


def _next_steps(view: PipelineView, pipeline: types_pb2.Pipeline, target: Target) -> Sequence[str]:
    number, year, unit = pipeline.pipeline_id, pipeline.scope.year, pipeline.scope.unit
    steps = []
    if any(rejected_of(job).count for job in view.in_order()):
        wanted = command_line(f"rejected {number} -o {Path('rejected.csv')}", target)
        steps.append(f"Rejected rows: {wanted}")
    if any(warned_of(job).count or shared_of(job).count for job in view.in_order()):
        steps.append(f"Rows with a warning: {command_line(f'warnings {number}', target)}")
    for name, value in sorted(pair for job in view.in_order() for pair in defaults_of(job).items()):
        steps.append(one_line(f"Column not read: {name} is {value} in each row."))
    for without in sorted({job.scope.year for job in view.in_order() if without_kilograms(job)}):
        wanted = of_unit(f"uncomputed --year {without}", unit)
        steps.append(f"Entries without kilograms: {command_line(wanted, target)}")
    counts = pipeline.scope.module and pipeline.kind not in CHECK_JOBS
    if pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS and counts:
        wanted = of_unit(f"totals --year {year}", unit)
        steps.append(f"Totals: {command_line(wanted, target)}")
    if pipeline.status == types_pb2.PIPELINE_STATUS_PARTIAL:
        steps.append("The data was stored, but a later step failed: the totals may be stale.")
    if pipeline.has_error:
        steps.append(f"To list every job with its reason: {command_line(f'jobs {number}', target)}")
    return steps
