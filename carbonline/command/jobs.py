"""`carbonline jobs`: the steps of a pipeline, or of all."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, connection_options
from carbonline.command.display import seconds_of
from carbonline.command.names import job_word, scope_words
from carbonline.command.options import ID, json_option
from carbonline.command.printing import print_json, print_more, print_nothing, print_table
from carbonline.v1 import operations_pb2, types_pb2

COLUMNS = ("job", "pipeline", "type", "scope", "state", "attempts", "seconds", "message")
NUMBERS = ("job", "pipeline", "seconds")


@click.command()
@click.argument("pipeline", type=ID, required=False)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@connection_options
def jobs(target: Target, pipeline: int | None, limit: int, as_json: bool) -> None:
    """List the jobs of PIPELINE, newest first, or of all, the newest pipelines first."""
    answer = run_to_end(_jobs(target, pipeline or 0, limit))
    if as_json:
        print_json(answer)
        return
    if not answer.jobs:
        print_nothing("There are no jobs yet.")
        return
    print_table(COLUMNS, [_row(job) for job in answer.jobs], numbers=NUMBERS)
    if answer.next_page_token:
        print_more("raise --limit, or name a pipeline")


async def _jobs(target: Target, pipeline_id: int, limit: int) -> operations_pb2.ListJobsResponse:
    async with target.client() as client:
        answer = await client.list_jobs(pipeline_id=pipeline_id, page_size=limit)
        if pipeline_id and not answer.jobs:
            # A pipeline always has jobs: this asks whether there is one, and says so if not.
            await client.get_pipeline(pipeline_id)
        return answer


def _row(job: types_pb2.Job) -> tuple[str, ...]:
    finished = job.state == types_pb2.JOB_STATE_FINISHED
    seconds = seconds_of(job, 0.0) if finished else None
    cause = f"{job.error_cause}: " if job.error_cause else ""
    return (
        str(job.job_id),
        str(job.pipeline_id),
        job.job_type,
        scope_words(job.scope),
        job_word(job),
        f"{job.attempts}/{job.attempts_max}",
        "" if seconds is None else f"{seconds:.1f}",
        f"{cause}{job.message}",
    )
