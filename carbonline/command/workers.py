"""`carbonline workers`: the processes that run jobs, and what they hold."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import worker_word
from carbonline.command.options import json_option
from carbonline.command.printing import moment, print_json, print_nothing, print_table
from carbonline.v1 import operations_pb2

COLUMNS = ("worker", "host", "build", "state", "last seen (UTC)", "holds")


@click.command(short_help="List worker processes and what they hold.")
@json_option
@connection_options
def workers(target: Target, as_json: bool) -> None:
    """List worker processes: live, draining, and lost ones with what they hold."""
    answer = run_to_end(_workers(target))
    if as_json:
        print_json(answer)
        return
    if not answer.workers:
        print_nothing("No worker is there: jobs wait until one comes.")
        return
    rows = [
        (
            one.worker_id,
            one.host,
            f"{one.build_id} (not the scheduler's)" if one.build_skew else one.build_id,
            worker_word(one.state),
            moment(one.last_seen_at),
            ", ".join(f"{held.job_type} {held.job_id}" for held in one.held),
        )
        for one in answer.workers
    ]
    print_table(COLUMNS, rows)


async def _workers(target: Target) -> operations_pb2.ListWorkersResponse:
    async with target.client() as client:
        return await client.list_workers()
