"""`carbonline lock` and `carbonline unlock`: whether the numbers of a year may change."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.options import YEAR
from carbonline.command.printing import moment
from carbonline.command.reasons import is_dropped
from carbonline.command.safe_text import one_line
from carbonline.v1 import interventions_pb2


@click.command(
    short_help="Lock a year: its numbers do not change any more.",
    epilog=examples('carbonline lock 2024 --reason "reported to the board"'),
)
@click.argument("year", type=YEAR)
@click.option("--reason", default="", help="The reason, shown to whoever finds it locked.")
@connection_options
def lock(*, target: Target, year: int, reason: str) -> None:
    """Lock YEAR: uploads, withdrawals, factors and units of it are refused.

    New places no longer change it. A year cannot be locked while jobs that may change it wait or
    run; the error names them.
    """
    locked = run_to_end(_lock(target, year, reason)).lock
    because = f": {locked.reason}" if locked.reason else ""
    since = f"is locked since {moment(locked.locked_at)} UTC, by {locked.locked_by}"
    click.echo(one_line(f"Year {year} {since}{because}."))
    if is_dropped(reason, locked.reason):
        click.echo(
            "It was locked before, so your reason was not recorded. To change it, unlock and lock "
            "again.",
            err=True,
        )


@click.command(short_help="Unlock a year.", epilog=examples("carbonline unlock 2024"))
@click.argument("year", type=YEAR)
@connection_options
def unlock(*, target: Target, year: int) -> None:
    """Unlock YEAR: its numbers may change again.

    What changed while it was locked, such as places, is not recomputed by itself: see
    `carbonline status --year` and `carbonline recalculate`.
    """
    answer = run_to_end(_unlock(target, year))
    if not answer.HasField("lock"):
        click.echo(f"Year {year} is not locked.")
        return
    since = f"{moment(answer.lock.locked_at)} UTC, by {answer.lock.locked_by}"
    click.echo(one_line(f"Year {year} is unlocked. It had been locked since {since}."))


async def _lock(target: Target, year: int, reason: str) -> interventions_pb2.LockPeriodResponse:
    async with target.client() as client:
        return await client.lock_period(year, reason)


async def _unlock(target: Target, year: int) -> interventions_pb2.UnlockPeriodResponse:
    async with target.client() as client:
        return await client.unlock_period(year)
