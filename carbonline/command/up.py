"""`carbonline up`: the whole product on this machine, until it is told to end."""

import asyncio
import time
from pathlib import Path
from typing import Any

import click

from carbonline.client.services import DATA_FOLDER
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line
from carbonline.local.settings import (
    BEATS_PER_LEASE,
    LEASE_SECONDS,
    SWEEPS_PER_LEASE,
    StackSettings,
)
from carbonline.local.stack import Stack, running_stack


@click.command(
    short_help="Run PostgreSQL, scheduler, ledger and workers.",
    epilog=examples(
        "carbonline up",
        "carbonline up --data-folder /srv/carbonline --workers 4",
        "carbonline up --scheduler-port 7400 --ledger-port 7401",
    ),
)
@click.option(
    "--data-folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(DATA_FOLDER),
    envvar="CARBONLINE_DATA_FOLDER",
    show_default=True,
    show_envvar=True,
    help="Database, blobs and logs; made if it is not there.",
)
@click.option(
    "--database-url",
    envvar="CARBONLINE_DATABASE_URL",
    show_envvar=True,
    help="Use this PostgreSQL (15 to 18) and start none.",
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=2,
    show_default=True,
    help="Processes; with 0 of them jobs wait for workers of your own.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Jobs at once in each worker.",
)
@click.option(
    "--lease-seconds",
    type=click.IntRange(1, 3600),
    default=int(LEASE_SECONDS),
    show_default=True,
    help="After this long without a sign of life a job is given to another worker.",
)
@click.option("--scheduler-port", type=click.IntRange(0, 65535), help="Listen on loopback too.")
@click.option("--ledger-port", type=click.IntRange(0, 65535), help="Listen on loopback too.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    default=0,
    envvar="CARBONLINE_METRICS_PORT",
    show_envvar=True,
    help="Serve Prometheus' metrics on loopback: the scheduler's here, the ledger's and each "
    "worker's on the ports that follow. 0, the default, serves none.",
)
@click.option("--tenant", default="local", envvar="CARBONLINE_TENANT", show_default=True)
def up(*, lease_seconds: int, **chosen: Any) -> None:
    """Start PostgreSQL, scheduler, ledger and workers, and keep them running until Ctrl-C.

    Everything is kept in the data folder: started again, also after a kill -9, it goes on.
    """
    # Every other option is named as the setting that it chooses.
    settings = StackSettings(
        **chosen,
        lease_seconds=lease_seconds,
        beat_seconds=lease_seconds / BEATS_PER_LEASE,
        sweep_seconds=lease_seconds / SWEEPS_PER_LEASE,
        supervise=True,
    )
    run_to_end(_up(settings))


async def _up(settings: StackSettings) -> None:
    began_at = time.monotonic()
    target = Target(settings.data_folder, "", "", None, "")
    try:
        async with running_stack(settings, report=_say, notify=_say) as stack:
            _say_where(stack, target, time.monotonic() - began_at)
            await _until_interrupted()
            _say(
                "Ending. A running job gets a moment to finish, or is released. A second Ctrl-C "
                "ends all at once; nothing that was committed is lost."
            )
    except asyncio.CancelledError:
        _say("Stopped before all was ready; nothing is left running.")
        raise
    _say(f"All has ended. The data stays; go on with: {command_line('up', target)}")


def _say_where(stack: Stack, target: Target, seconds: float) -> None:
    where = stack.addresses
    click.echo(f"carbonline runs: {', '.join(stack.names)}.")
    click.echo(f"  scheduler  {where.scheduler_address}")
    click.echo(f"  ledger     {where.ledger_address}")
    click.echo(f"  data       {where.data_folder}")
    click.echo(f"  logs       {where.log_folder}")
    for name, url in where.metrics_urls.items():
        click.echo(f"  metrics    {url}  {name}")
    click.echo(f"It was ready after {seconds:.1f} s.")
    click.echo(f"Try from another terminal: {command_line('status', target)}")
    click.echo("Ctrl-C ends it.")


async def _until_interrupted() -> None:
    """Returns at the first Ctrl-C; what comes after it runs undisturbed."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
