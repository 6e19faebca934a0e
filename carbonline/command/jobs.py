"""`carbonline jobs`: lists the jobs of one pipeline or of all."""

import click

from carbonline.client.json_struct import values_of
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import job_result, job_state, job_word, message_words, step_words
from carbonline.command.options import ID, WholeNumber
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.picture import seconds_of
from carbonline.command.printing import moment_of
from carbonline.command.row_files import in_order
from carbonline.command.scope_columns import SCOPE_COLUMNS, scope_row
from carbonline.v1 import operations_pb2, types_pb2

COLUMNS = (
    Column("job", kind=Kind.NUMERAL),
    Column("pipeline", kind=Kind.NUMERAL, once_if_same=True),
    Column("step", in_files=False),
    Column("job_type", in_tables=False),
    *SCOPE_COLUMNS,
    Column("state_word", "state", in_files=False),
    Column("state", in_tables=False),
    Column("result", in_tables=False),
    Column("attempts_words", "attempts", Kind.WORD, once_if_same=True, in_files=False),
    Column("attempts", in_tables=False),
    Column("attempts_max", in_tables=False),
    Column("created_at", in_tables=False),
    Column("started_at", in_tables=False),
    Column("finished_at", in_tables=False),
    Column("seconds", kind=Kind.NUMBER, decimals=1),
    Column("said", "message", in_files=False),
    Column("error_cause", in_tables=False),
    Column("message", in_tables=False),
    Column("worker", in_tables=False),
    Column("parent_job", in_tables=False),
    Column("stats", in_tables=False),
    Column("priority", in_tables=False),
)


@click.command(
    short_help="List the jobs of a pipeline, or of all.",
    epilog=examples("carbonline jobs 4", "carbonline jobs --limit 500 --format csv"),
)
@click.argument("pipeline", type=ID, required=False)
@click.option("--limit", type=WholeNumber(1, 500), default=50, show_default=True)
@output_options
@connection_options
def jobs(target: Target, output: Output, pipeline: int | None, limit: int) -> None:
    """List the jobs of PIPELINE, newest first, or of all, the newest pipelines first."""
    answer = run_to_end(_jobs(target, pipeline or 0, limit))
    show_rows(
        COLUMNS,
        [row_of(job) for job in answer.jobs],
        output,
        if_none="There are no jobs yet.",
        more="raise --limit, or name a pipeline" if answer.next_page_token else "",
    )


async def _jobs(target: Target, pipeline_id: int, limit: int) -> operations_pb2.ListJobsResponse:
    async with target.client() as client:
        answer = await client.list_jobs(pipeline_id=pipeline_id, page_size=limit)
        if pipeline_id and not answer.jobs:
            # A pipeline always has jobs: this asks whether there is one, and says so if not.
            await client.get_pipeline(pipeline_id)
        return answer


def row_of(job: types_pb2.Job) -> Row:
    """A job as a row of COLUMNS."""
    finished = job.state == types_pb2.JOB_STATE_FINISHED
    seconds = seconds_of(job, 0.0) if finished else None
    cause = f"{job.error_cause}: " if job.error_cause else ""
    return {
        "job": job.job_id,
        "pipeline": job.pipeline_id,
        "step": step_words(job),
        "job_type": job.job_type,
        **scope_row(job.scope),
        "state_word": job_word(job),
        "state": job_state(job),
        "result": job_result(job) or None,
        "attempts_words": f"{job.attempts}/{job.attempts_max}",
        "attempts": job.attempts,
        "attempts_max": job.attempts_max,
        "created_at": moment_of(job.created_at),
        "started_at": moment_of(job.started_at),
        "finished_at": moment_of(job.finished_at),
        "seconds": seconds,
        "said": f"{cause}{message_words(job)}",
        "error_cause": job.error_cause or None,
        "message": job.message or None,
        "worker": job.worker_id or None,
        "parent_job": job.parent_job_id or None,
        "stats": in_order(values_of(job.stats)),
        "priority": job.priority,
    }
