"""`carbonline drain`: tells a worker to finish what it runs, and to end."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.printing import moment
from carbonline.command.reasons import is_dropped
from carbonline.command.safe_text import one_line
from carbonline.v1 import interventions_pb2, types_pb2


@click.command(
    short_help="Let a worker finish what it runs, and end.",
    epilog=examples('carbonline drain 0b0e1a52-7d6c-4b2e-9a51-0d8a6c5e2f11 --reason "new disk"'),
)
@click.argument("worker", metavar="WORKER")
@click.option("--reason", default="", help="The reason, shown to whoever finds it draining.")
@connection_options
def drain(*, target: Target, worker: str, reason: str) -> None:
    """Drain WORKER, an id that `carbonline workers` shows: it claims nothing more, finishes what it
    runs or returns it without loss, and ends.

    There is no way back: start a new worker instead.
    """
    answer = run_to_end(_drain(target, worker, reason))
    click.echo(one_line(f"Worker {worker} {drain_words(answer.drain)}."))
    if is_dropped(reason, answer.drain.reason):
        click.echo("It was told before, so your reason was not recorded.", err=True)
    click.echo(f"To see what it still runs: {command_line('workers', target)}", err=True)


def drain_words(drain: types_pb2.WorkerDrain) -> str:
    """Such as "drains since 2026-11-24 18:40:35 UTC, told by local: new disk"."""
    reason = f": {drain.reason}" if drain.reason else ""
    return f"drains since {moment(drain.asked_at)} UTC, told by {drain.asked_by}{reason}"


async def _drain(target: Target, worker: str, reason: str) -> interventions_pb2.DrainWorkerResponse:
    async with target.client() as client:
        return await client.drain_worker(worker, reason)
