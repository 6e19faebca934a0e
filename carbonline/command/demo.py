"""`carbonline demo`: computes the totals of a year of flights on a stack of its own."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import program_name
from carbonline.command.database_url import database_url_options
from carbonline.command.display import open_display
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import exit_code_of, watch_to_end
from carbonline.command.job_stats import count_of, rejected_of
from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    locations_job,
    submit_file,
    units_job,
)
from carbonline.command.names import status_word, step_words
from carbonline.command.options import DATA_ENTRY_TYPE, MODULE
from carbonline.command.picture import seconds_of
from carbonline.command.printing import kilograms
from carbonline.command.rejected import save_rejected_rows
from carbonline.command.safe_text import one_line
from carbonline.command.totals import show_totals
from carbonline.command.up import CONSOLE_PORT
from carbonline.local.default_port import port_if_first
from carbonline.local.settings import StackSettings
from carbonline.local.stack import check_installation, running_stack
from carbonline.v1 import ledger_pb2

FILES = Path("examples/nyc_flights_2013")
DEMO_FOLDER = Path("build/demo")
YEAR = 2024
WORKERS = 2
COMPUTED = "computed"
# What examples/nyc_flights_2013 says must come out, rounded to grams.
EXPECTED_KG = 74_564_512.190
EXPECTED_KG_TOLERANCE = 0.001


@dataclass(frozen=True, slots=True)
class Part:
    """A pipeline of the demo, with a title."""

    title: str
    job: FileJob


@click.command(
    short_help="Run the whole stack once over a year of flights.",
    epilog=examples("carbonline demo", "carbonline demo --data-folder /tmp/demo"),
)
@click.option(
    "--data-folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEMO_FOLDER,
    show_default=True,
    help="The folder for its database; a second run uses it again.",
)
@database_url_options("Use an existing PostgreSQL (15-18) instead of starting one.")
def demo(data_folder: Path, database_url: str | None) -> None:
    """Run the whole stack once over a year of flights, and print the totals.

    Uses one seat on every flight scheduled out of New York in 2013, and the factors of 2024.
    Nothing keeps running.
    """
    settings = StackSettings(
        data_folder=data_folder,
        database_url=database_url,
        workers=WORKERS,
        gateway_port=port_if_first(CONSOLE_PORT),
    )
    raise SystemExit(run_to_end(_demo(settings, find_files())))


def find_files() -> Path:
    """The folder with the demo's files: in the package, in a clone, or in the current folder."""
    for root in (Path(__file__).parents[1], Path(__file__).parents[2], Path.cwd()):
        if (root / FILES).is_dir():
            return root / FILES
    raise click.UsageError(
        f"The demo's files are missing: run it in a folder that contains {FILES}."
    )


def parts_of(files: Path) -> tuple[Part, ...]:
    """The pipelines to submit, in order. The totals of the last one are shown."""
    module = MODULE.convert("professional_travel", None, None)
    plane = DATA_ENTRY_TYPE.convert("plane", None, None)
    factors = files / "factors_plane_2024.csv"
    flights = files / "flights.csv.gz"
    return (
        Part("Units: 16 airlines", units_job(files / "units.csv", YEAR)),
        Part("Places: the airports of the world", locations_job(None, "plane")),
        Part(
            "Factors: UK Government 2024, flights between places outside the UK; an illustration",
            factors_job(factors, module, plane, YEAR),
        ),
        Part(
            "Activity: 336,776 flights out of New York",
            entries_job(flights, module, plane, YEAR, ""),
        ),
    )


async def _demo(settings: StackSettings, files: Path) -> ExitCode:
    try:
        return await _run_all(settings, files)
    except asyncio.CancelledError:
        # Said after everything has ended, since only then it is true.
        click.echo("Stopped; nothing is left running.", err=True)
        raise


async def _run_all(settings: StackSettings, files: Path) -> ExitCode:
    check_installation()
    began_at = time.monotonic()
    click.echo(
        "Starting PostgreSQL, the scheduler, the ledger, two workers and the console ...", err=True
    )
    async with running_stack(settings, report=_report) as stack:
        where = stack.addresses
        click.echo(f"All are ready after {time.monotonic() - began_at:.1f} s.", err=True)
        _print_console(where.console_url, settings.data_folder)
        client = ContractClient(
            where.scheduler_address,
            where.ledger_address,
            tenant=where.tenant,
            token_file=where.token_file,
        )
        async with client, _interrupt_acknowledged():
            view = PipelineView()
            for part in parts_of(files):
                view = await _run_part(client, part)
                code = exit_code_of(view.pipeline)
                if code is not ExitCode.SUCCESS:
                    _print_failure(view, where.log_folder)
                    return code
            await _print_result(client, view, settings.data_folder)
    click.echo(f"Took {time.monotonic() - began_at:.1f} s in all; nothing is left running.")
    _print_next_steps(settings.data_folder, settings.database_url)
    return ExitCode.SUCCESS


@asynccontextmanager
async def _interrupt_acknowledged() -> AsyncIterator[None]:
    """Print a line at the first Ctrl-C, because stopping the stack takes a moment."""
    try:
        yield
    except asyncio.CancelledError:
        click.echo("Stopping; press Ctrl-C again to end at once.", err=True)
        raise


async def _run_part(client: ContractClient, part: Part) -> PipelineView:
    click.echo(part.title, err=True)
    pipeline_id = await submit_file(client, part.job)
    with open_display(Console(stderr=True)) as display:
        return await watch_to_end(client, pipeline_id, display)


def _print_failure(view: PipelineView, log_folder: Path) -> None:
    status = status_word(view.pipeline) if view.pipeline else "unknown"
    click.echo(f"The demo ended early: its pipeline is {status}. Logs: {log_folder}", err=True)
    for job in view.in_order():
        if job.error_cause:
            text = f"{step_words(job)}: {job.error_cause}: {job.message}"
            click.echo(f"  {one_line(text)}", err=True)


async def _print_result(client: ContractClient, view: PipelineView, data_folder: Path) -> None:
    assert view.pipeline is not None
    totals = await client.get_totals(YEAR)
    show_totals(totals, YEAR)
    number = view.pipeline.pipeline_id
    rejected_file = data_folder / "rejected.csv"
    saved = await save_rejected_rows(client, number, rejected_file)
    rejected = sum(rejected_of(job).count for job in view.in_order())
    accepted = sum(count_of(job, "rows_accepted") for job in view.in_order())
    steps = ", ".join(
        f"{step_words(job)} {seconds_of(job, 0.0) or 0.0:.1f} s" for job in view.in_order()
    )
    click.echo(f"Rows: {accepted:,} accepted, {rejected:,} rejected.")
    outcomes = outcomes_of_totals(totals)
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    click.echo(f"Outcomes: {counts or 'none'}.")
    if doubt := doubt_about(totals.institution.total_kg, outcomes):
        click.echo(doubt)
    click.echo(f"Steps: {steps}.")
    click.echo(f"Pipeline: {number}, {status_word(view.pipeline)}.")
    if saved:
        click.echo(f"Rejected rows, each with its reason: {rejected_file}")


def outcomes_of_totals(totals: ledger_pb2.GetTotalsResponse) -> Mapping[str, int]:
    """Number of entries by outcome, summed over units and modules."""
    counts: dict[str, int] = {}
    for one in totals.module_totals:
        for outcome, count in one.outcome_counts.items():
            counts[outcome] = counts.get(outcome, 0) + count
    return counts


def doubt_about(total_kg: float, outcomes: Mapping[str, int]) -> str:
    """A sentence if the totals are not those of the demo's files alone; otherwise ""."""
    if set(outcomes) == {COMPUTED} and abs(total_kg - EXPECTED_KG) < EXPECTED_KG_TOLERANCE:
        return ""
    return (
        f"NOTE: the demo's files alone give {kilograms(EXPECTED_KG)} kg with every entry computed. "
        "This folder probably holds other data of the year, such as other factors or places. Use "
        "an empty --data-folder to get the demo's own totals."
    )


def _print_console(url: str, data_folder: Path) -> None:
    command = f"{program_name()} console --data-folder {shlex.quote(str(data_folder))}"
    click.echo(f"Watch it in the console meanwhile: {url}", err=True)
    click.echo(f"  logged in by, in another terminal: {command}", err=True)


def _print_next_steps(data_folder: Path, database_url: str | None) -> None:
    program, folder = program_name(), shlex.quote(str(data_folder))
    # It may hold a password, and whoever typed it knows it.
    elsewhere = "" if database_url is None else " --database-url URL"
    click.echo("What to try next:")
    click.echo(f"  {program} up --data-folder {folder}{elsewhere}")
    click.echo("and meanwhile, in another terminal:")
    click.echo(f"  {program} console --data-folder {folder}")
    click.echo(f"  {program} totals --year {YEAR} --data-folder {folder}")
    click.echo(f"  {program} template plane --data-folder {folder}")


def _report(sentence: str) -> None:
    click.echo(sentence, err=True)
