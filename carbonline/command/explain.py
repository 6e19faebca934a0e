"""`carbonline explain`: lists the reasons why a job does not run."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import job_result, job_state, job_word, module_name, reason_word
from carbonline.command.options import ID
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.safe_text import one_line
from carbonline.command.scope_columns import scope_row
from carbonline.v1 import monitoring_pb2, types_pb2

COLUMNS = (
    Column("reason", kind=Kind.WORD),
    Column("blocks", kind=Kind.WORD),
    Column("message"),
    Column("advice", "what to do"),
    Column("job", kind=Kind.NUMERAL, in_tables=False),
    Column("worker", in_tables=False),
    Column("until", "until (UTC)", Kind.WORD),
    Column("jobs", in_tables=False),
)


@click.command(
    short_help="Say why a job does not run.",
    epilog=examples("carbonline explain 7", "carbonline explain 7 --json"),
)
@click.argument("job", type=ID)
@output_options
@connection_options
def explain(target: Target, output: Output, job: int) -> None:
    """Say why JOB does not run, and what would help.

    `carbonline jobs` lists jobs with their numbers. A reason that does not block only delays the
    job.
    """
    answer = run_to_end(_explain(target, job))
    held = [held_row(one) for one in answer.held_children]
    if output.is_table:
        click.echo(standing(answer.job, claimable=answer.claimable))
    about = {
        **about_job(answer.job),
        "claimable": answer.claimable,
        "held_children": held,
        "held_children_more": answer.has_more_held_children,
    }
    show_rows(COLUMNS, [reason_row(one) for one in answer.reasons], output, about=about)
    if output.is_table:
        for line in held_lines(answer):
            click.echo(line)


async def _explain(target: Target, job_id: int) -> monitoring_pb2.ExplainJobResponse:
    async with target.client() as client:
        return await client.explain_job(job_id)


def standing(job: types_pb2.Job, *, claimable: bool) -> str:
    """How the job stands, in a sentence for people."""
    named = one_line(f"Job {job.job_id} ({job.job_type})")
    if job.state == types_pb2.JOB_STATE_FINISHED:
        return f"{named} has ended: {job_word(job)}."
    if job.state == types_pb2.JOB_STATE_RUNNING:
        return f"{named} is RUNNING."
    said = "a worker may claim it" if claimable else "no worker can claim it now"
    return f"{named} is {job_word(job)}: {said}."


def about_job(job: types_pb2.Job) -> dict[str, str | int | None]:
    """Which job it is and how it stands, for programs."""
    scope = scope_row(job.scope)
    return {
        "job": job.job_id,
        "pipeline": job.pipeline_id,
        "job_type": job.job_type,
        **{name: value for name, value in scope.items() if isinstance(value, str | int)},
        "state": job_state(job),
        "result": job_result(job) or None,
    }


def reason_row(reason: monitoring_pb2.JobReason) -> Row:
    """A reason as a row of COLUMNS."""
    return {
        "reason": reason_word(reason.kind),
        "blocks": reason.blocks,
        "message": reason.message,
        "advice": reason.advice or None,
        "job": reason.job_id or None,
        "worker": reason.worker_id or None,
        "until": moment_of(reason.until),
        "jobs": reason.jobs or None,
    }


def held_row(child: monitoring_pb2.HeldChild) -> Row:
    """A held child for programs."""
    return {
        "job_type": child.job_type,
        "module": module_name(child.module),
        "year": child.year,
        "parent_job": child.parent_job_id,
        "waits_for_jobs": list(child.waits_for_job_ids),
        "waits_for_more": child.waits_for_more_jobs,
    }


def held_lines(answer: monitoring_pb2.ExplainJobResponse) -> list[str]:
    """Sentences for people that say what each held child waits for."""
    lines = [
        one_line(
            f"Held until {_jobs(child)} ended: "
            f"{child.job_type} {module_name(child.module)} {child.year}."
        )
        for child in answer.held_children
    ]
    return [*lines, "More children are held."] if answer.has_more_held_children else lines


def _jobs(child: monitoring_pb2.HeldChild) -> str:
    job_ids = child.waits_for_job_ids
    if len(job_ids) == 1:
        return f"job {job_ids[0]} has"
    more = " and others" if child.waits_for_more_jobs else ""
    return f"jobs {', '.join(map(str, job_ids))}{more} have"
