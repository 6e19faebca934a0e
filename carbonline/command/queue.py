"""`carbonline queue`: how many jobs wait for a worker, and for how long."""

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.output import Output, output_options, show_rows
from carbonline.v1 import monitoring_pb2

QUEUES_MAX = 5_000
COLUMNS = (
    Column("tenant", once_if_same=True),
    Column("job_type", kind=Kind.WORD),
    Column("claimable", kind=Kind.NUMBER),
    Column("oldest_wait_seconds", "oldest wait (s)", kind=Kind.NUMBER, decimals=0),
    Column("running", kind=Kind.NUMBER),
    Column("live_workers", kind=Kind.NUMBER),
    Column("paused", once_if_same=True),
)


@click.command(
    short_help="Count the jobs that wait for a worker.",
    epilog=examples("carbonline queue", "carbonline queue --json"),
)
@output_options
@connection_options
def queue(target: Target, output: Output) -> None:
    """Count the jobs that wait for a worker and those that run, by job type.

    A type without such jobs is left out. A job is claimable if it needs only a worker.
    """
    found, more = run_to_end(_queue(target))
    show_rows(
        COLUMNS,
        [_row(one) for one in found],
        output,
        if_none="No job waits for a worker, and none runs.",
        more="name a tenant with --tenant" if more else "",
    )


async def _queue(target: Target) -> tuple[list[monitoring_pb2.QueueStats], bool]:
    async with target.client() as client:
        request = monitoring_pb2.GetQueueStatsRequest()
        return await read_pages(
            client.get_queue_stats, request, lambda page: page.queues, QUEUES_MAX
        )


def _row(stats: monitoring_pb2.QueueStats) -> Row:
    waits = stats.HasField("oldest_wait")
    return {
        "tenant": stats.tenant,
        "job_type": stats.job_type,
        "claimable": stats.claimable,
        "oldest_wait_seconds": stats.oldest_wait.ToTimedelta().total_seconds() if waits else None,
        "running": stats.running,
        "live_workers": stats.live_workers,
        "paused": stats.paused,
    }
