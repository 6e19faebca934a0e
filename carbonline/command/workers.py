"""`carbonline workers`: lists worker processes and the jobs that they hold."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import worker_word
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import operations_pb2, types_pb2

COLUMNS = (
    Column("worker", kind=Kind.WORD),
    Column("host", once_if_same=True),
    Column("build_words", "build", once_if_same=True, in_files=False),
    Column("build", in_tables=False),
    Column("build_is_schedulers", in_tables=False),
    Column("state_words", "state", in_files=False),
    Column("state", in_tables=False),
    Column("not_ready", in_tables=False),
    Column("last_seen_at", "last seen (UTC)", Kind.WORD),
    Column("holds"),
    Column("holds_more", "more", Kind.NUMBER),
)


@click.command(
    short_help="List worker processes and what they hold.",
    epilog=examples("carbonline workers", "carbonline workers --json"),
)
@output_options
@connection_options
def workers(target: Target, output: Output) -> None:
    """List worker processes and what they hold: live, not ready, draining and lost ones."""
    answer = run_to_end(_workers(target))
    show_rows(
        COLUMNS,
        [row_of(worker) for worker in answer.workers],
        output,
        about={"scheduler_build": answer.scheduler_build_id},
        if_none="There are no workers: jobs wait for one.",
        more="call ListWorkers page by page" if answer.next_page_token else "",
    )


def row_of(worker: types_pb2.Worker) -> Row:
    """A worker as a row of COLUMNS."""
    build = worker.build_id
    return {
        "worker": worker.worker_id,
        "host": worker.host,
        "build_words": f"{build} (not the scheduler's)" if worker.build_skew else build,
        "build": build,
        "build_is_schedulers": not worker.build_skew,
        "state_words": _state_words(worker),
        "state": worker_word(worker.state),
        "not_ready": worker.not_ready,
        "last_seen_at": moment_of(worker.last_seen_at),
        "holds": [f"{held.job_type} {held.job_id}" for held in worker.held],
        "holds_more": worker.held_left_out or None,
    }


def _state_words(worker: types_pb2.Worker) -> str:
    word = worker_word(worker.state)
    return f"{word}: {worker.not_ready}" if worker.not_ready else word


async def _workers(target: Target) -> operations_pb2.ListWorkersResponse:
    async with target.client() as client:
        return await client.list_workers()
