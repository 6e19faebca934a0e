"""`carbonline config check`: whether the settings of processes can be used."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.exit_codes import ExitCode
from carbonline.command.output import Output, output_options, show_rows
from carbonline.pluralize import pluralize

MODULES: Mapping[str, tuple[str, ...]] = {
    "scheduler": ("scheduler_service",),
    "ledger": ("worker_service", "ledger"),
    "worker": ("worker_service",),
    "gateway": ("gateway_service",),
}
CHECK_SECONDS_MAX = 60.0
COLUMNS = (
    Column("process", kind=Kind.WORD, once_if_same=True),
    Column("variable", kind=Kind.WORD),
    Column("value"),
    Column("source"),
)


@click.group(
    cls=CommandGroup,
    short_help="Check the settings of processes.",
    epilog=examples("carbonline config check"),
)
def config() -> None:
    """Look at the settings with which processes would start here."""


@config.command(
    short_help="Say what is missing or wrong.",
    epilog=examples(
        "carbonline config check",
        "carbonline config check worker --file carbonline.toml",
    ),
)
@click.argument("processes", nargs=-1, metavar="[PROCESS]...", type=click.Choice(sorted(MODULES)))
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Read this TOML file, as CARBONLINE_CONFIG_FILE would have it.",
)
@output_options
def check(output: Output, processes: tuple[str, ...], path: Path | None) -> None:
    """List what is set, and from where, for each PROCESS: scheduler, ledger, worker, gateway.

    Without one, all four are checked. Nothing is started, and secrets are not shown. Files with
    secrets that others of the machine may read are named. The exit code is 2 if a setting is
    missing or wrong.
    """
    wanted = processes or tuple(MODULES)
    reports = [_report_of(name, path) for name in dict.fromkeys(wanted)]
    unread = _read_by_none(reports)
    show_rows(
        COLUMNS,
        [row for report in reports for row in _rows(report)],
        output,
        if_none="Nothing is set.",
        about={
            "faults": {report["process"]: report["faults"] for report in reports},
            "unread": {"names": unread},
            "exposed": {report["process"]: report["exposed"] for report in reports},
        },
    )
    if output.is_table:
        _print_verdicts(reports, unread)
    if any(report["faults"] for report in reports):
        raise SystemExit(ExitCode.REFUSED)


def _report_of(process: str, path: Path | None) -> dict[str, Any]:
    """What the process itself says. Each knows its own settings only."""
    environment = dict(os.environ)
    if path is not None:
        environment["CARBONLINE_CONFIG_FILE"] = str(path)
    done = subprocess.run(
        [sys.executable, "-m", *MODULES[process], "--check"],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=CHECK_SECONDS_MAX,
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        # It lacks packages, and says which extra has them.
        raise click.UsageError(done.stderr.strip() or f"{process} says nothing") from None
    return report


def _rows(report: Mapping[str, Any]) -> list[Row]:
    return [{"process": report["process"], **one} for one in report["settings"]]


def _read_by_none(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """What no process that was asked reads: a misspelt name, or one for another process."""
    sets = [set(report["unread"]) for report in reports if report["unread"] is not None]
    return sorted(set.intersection(*sets)) if sets else []


def _print_verdicts(reports: Sequence[Mapping[str, Any]], unread: Sequence[str]) -> None:
    if unread:
        names = ", ".join(report["process"] for report in reports if report["unread"] is not None)
        click.echo(f"Not read by {names}: {', '.join(unread)}.")
    for sentence in dict.fromkeys(one for report in reports for one in report["exposed"]):
        click.echo(f"{sentence}.")
    for report in reports:
        faults = report["faults"]
        if not faults:
            click.echo(f"{report['process']}: the settings can be used.")
            continue
        click.echo(f"{report['process']}: {pluralize(len(faults), 'setting')} missing or wrong:")
        for fault in faults:
            click.echo(f"  {fault}")
