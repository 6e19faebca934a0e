"""`carbonline retry`: runs again what failed in a pipeline."""

from collections.abc import Mapping
from types import MappingProxyType

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.options import ID, no_watch_option
from carbonline.command.recalculate import follow_and_print_the_end
from carbonline.command.safe_text import one_line
from carbonline.v1 import types_pb2

HOW: Mapping[int, str] = MappingProxyType(
    {
        types_pb2.DISPOSITION_CREATED: "at once",
        types_pb2.DISPOSITION_JOINED: "together with a job that waits already",
        types_pb2.DISPOSITION_QUEUED_BEHIND: "after older jobs of the same data",
    }
)


@click.command(
    short_help="Run again what failed in a pipeline.",
    epilog=examples("carbonline retry 4 --dry-run", "carbonline retry 4"),
)
@click.argument("pipeline", type=ID)
@click.option("--dry-run", is_flag=True, help="Only say which jobs would run again.")
@no_watch_option
@connection_options
def retry(*, target: Target, pipeline: int, dry_run: bool, no_watch: bool) -> None:
    """Run again the jobs of PIPELINE that failed or were cancelled, as a new pipeline.

    What follows from them follows again. A file is refused if a newer one of the same scope and
    source has landed since.
    """
    raise SystemExit(run_to_end(_retry(target, pipeline, dry_run=dry_run, watch=not no_watch)))


async def _retry(target: Target, pipeline_id: int, *, dry_run: bool, watch: bool) -> ExitCode:
    async with target.client() as client:
        answer = await client.retry_pipeline(pipeline_id, validate_only=dry_run)
        if not dry_run:
            return await follow_and_print_the_end(client, answer.pipeline_id, target, watch=watch)
        for job in answer.jobs:
            how = HOW.get(job.disposition, "")
            said = f"Job {job.failed_job_id} ({job.job_type}) would run again {how}".rstrip()
            click.echo(one_line(f"{said}."))
        return ExitCode.SUCCESS
