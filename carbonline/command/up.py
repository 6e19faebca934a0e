"""`carbonline up`: runs all services on this machine until it is stopped."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from carbonline.client.services import DATA_FOLDER
from carbonline.command.asynchronous import run_to_end
from carbonline.command.collected_options import Function
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line
from carbonline.command.database_url import database_url_options
from carbonline.command.options import WholeNumber
from carbonline.local.default_port import port_if_first
from carbonline.local.settings import (
    BEATS_PER_LEASE,
    CONCURRENCY,
    LEASE_SECONDS,
    SWEEPS_PER_LEASE,
    WORKERS_MAX,
    WORKERS_MIN,
    StackSettings,
    usable_cores,
    workers_for,
)
from carbonline.local.stack import Stack, running_stack
from carbonline.pluralize import pluralize

CONSOLE_PORT = 7410

_PROCESS_OPTIONS = (
    click.option(
        "--schedulers",
        type=WholeNumber(1, 16),
        default=1,
        show_default=True,
        help="Number of scheduler processes; clients and workers call each in turn.",
    ),
    click.option(
        "--workers",
        type=WholeNumber(0, 64),
        default=lambda: workers_for(usable_cores()),
        show_default=f"half of the cores, {WORKERS_MIN} to {WORKERS_MAX}",
        help="Number of worker processes; with 0, jobs wait for your own workers.",
    ),
    click.option(
        "--console-port",
        type=WholeNumber(0, 65535),
        envvar="CARBONLINE_CONSOLE_PORT",
        show_envvar=True,
        help=f"Port of the console and the HTTP API, on loopback. By default {CONSOLE_PORT}, or "
        "any free port if that one is taken.",
    ),
    click.option(
        "--concurrency",
        type=WholeNumber(1, 1000),
        default=CONCURRENCY,
        show_default=True,
        help="Jobs that each worker runs at once, on one core: short ones need not wait for large "
        "ones.",
    ),
)


def _with_process_options(function: Function) -> Function:
    """How many processes there are, and what each worker runs."""
    for option in reversed(_PROCESS_OPTIONS):
        function = option(function)
    return function


@click.command(
    short_help="Run PostgreSQL, scheduler, ledger, workers and console.",
    epilog=examples(
        "carbonline up",
        "carbonline up --data-folder /srv/carbonline --workers 4",
        "carbonline up --scheduler-port 7400 --ledger-port 7401",
        "carbonline up --schedulers 2",
    ),
)
@click.option(
    "--data-folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(DATA_FOLDER),
    envvar="CARBONLINE_DATA_FOLDER",
    show_default=True,
    show_envvar=True,
    help="Folder for database, blobs and logs; created if missing.",
)
@database_url_options("Use an existing PostgreSQL (15-18) instead of starting one.")
@_with_process_options
@click.option(
    "--lease-seconds",
    type=WholeNumber(1, 3600),
    default=int(LEASE_SECONDS),
    show_default=True,
    help="A lease expires after this long without a heartbeat; another worker gets the job.",
)
@click.option(
    "--scheduler-port",
    type=WholeNumber(0, 65535),
    help="Also listen on loopback; several schedulers take the ports that follow, too.",
)
@click.option("--ledger-port", type=WholeNumber(0, 65535), help="Also listen on loopback.")
@click.option(
    "--metrics-port",
    type=WholeNumber(0, 65535),
    default=0,
    envvar="CARBONLINE_METRICS_PORT",
    show_envvar=True,
    help="Serve Prometheus metrics on loopback ports: this one for the first scheduler, the "
    "following ones for the other processes. 0, the default, serves none.",
)
@click.option("--tenant", default="local", envvar="CARBONLINE_TENANT", show_default=True)
def up(*, lease_seconds: int, console_port: int | None, **chosen: Any) -> None:
    """Start PostgreSQL, scheduler, ledger, workers and the console, and keep them running until
    Ctrl-C.

    Restart it at any time, even after kill -9, and it resumes where it left off.
    """
    # Every other option is named as the setting that it chooses.
    settings = StackSettings(
        **chosen,
        gateway_port=port_if_first(CONSOLE_PORT) if console_port is None else console_port,
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
        async with running_stack(settings, report=_print_note, notify=_print_note) as stack:
            click.echo(f"carbonline runs: {', '.join(_running(stack, settings))}.")
            _print_addresses(stack, target, time.monotonic() - began_at)
            await _until_interrupted()
            _print_note(
                "Stopping. Running jobs get a moment to finish, or are released. A second Ctrl-C "
                "stops everything at once; nothing committed is lost."
            )
    except asyncio.CancelledError:
        _print_note("Stopped before all was ready; nothing is left running.")
        raise
    _print_note(f"Stopped. The data is kept; to resume: {command_line('up', target)}")


def _running(stack: Stack, settings: StackSettings) -> Iterator[str]:
    """The processes; workers together, with what they may have in hand."""
    first, *others = settings.worker_names or ("",)
    jobs = pluralize(settings.concurrency, "job")
    for name in stack.names:
        if name == first:
            yield f"{pluralize(settings.workers, 'worker')} of up to {jobs} each"
        elif name not in others:
            yield name


def _print_addresses(stack: Stack, target: Target, seconds: float) -> None:
    where = stack.addresses
    for address in where.scheduler_addresses:
        click.echo(f"  scheduler  {address}")
    click.echo(f"  ledger     {where.ledger_address}")
    click.echo(f"  console    {where.console_url}")
    click.echo(f"  data       {where.data_folder}")
    click.echo(f"  logs       {where.log_folder}")
    for name, url in where.metrics_urls.items():
        click.echo(f"  metrics    {url}  {name}")
    click.echo(f"Ready after {seconds:.1f} s.")
    click.echo(f"Try from another terminal: {command_line('status', target)}")
    click.echo("Press Ctrl-C to stop.")


async def _until_interrupted() -> None:
    """Return at the first Ctrl-C. A second one during the shutdown ends the process."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()


def _print_note(sentence: str) -> None:
    click.echo(sentence, err=True)
