"""`carbonline cancel`: cancels the jobs of a pipeline that have not ended."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import status_word
from carbonline.command.options import ID
from carbonline.pluralize import pluralize
from carbonline.v1 import operations_pb2


@click.command(epilog=examples('carbonline cancel 4 --reason "wrong file"'))
@click.argument("pipeline", type=ID)
@click.option("--reason", default="", help="The reason, shown in the timeline.")
@connection_options
def cancel(target: Target, pipeline: int, reason: str) -> None:
    """Cancel PIPELINE. Stored data stays; jobs that other pipelines have joined continue."""
    answer = run_to_end(_cancel(target, pipeline, reason))
    cancelled, left = len(answer.cancelled_job_ids), len(answer.unlinked_job_ids)
    left_to_others = f", {left} continue for other pipelines" if left else ""
    click.echo(
        f"Pipeline {pipeline}: {status_word(answer.pipeline)}; "
        f"{pluralize(cancelled, 'job')} cancelled{left_to_others}."
    )


async def _cancel(
    target: Target, pipeline_id: int, reason: str
) -> operations_pb2.CancelPipelineResponse:
    async with target.client() as client:
        return await client.cancel_pipeline(pipeline_id, reason)
