"""`carbonline load`: loads units, reference data and emission factors."""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from carbonline.airport_corrections import corrections_sentence
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import check_options
from carbonline.command.check_load import check_each_to_the_end, check_load_to_the_end
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.consequence import of_load
from carbonline.command.exit_codes import ExitCode
from carbonline.command.factor_source import FileOrSet, file_of, types_of
from carbonline.command.how_to_read import HowToRead, reading_options
from carbonline.command.jobs_of_files import (
    FileJob,
    Replacing,
    factors_job,
    locations_job,
    of_sheet,
    routed_factors_job,
    rows_job,
    units_job,
)
from carbonline.command.names import type_name, type_numbers
from carbonline.command.options import (
    FILE,
    YEAR,
    module_option,
    no_watch_option,
    optional_type_option,
    type_is_missing,
)
from carbonline.command.output import Output
from carbonline.command.saved_mapping import FOR_ONE_TYPE
from carbonline.command.submit import submit_to_the_end
from carbonline.shelf.sets import ShelfSet

_replace_option = click.option(
    "--replace", is_flag=True, help="Remove what the file lacks; refused if entries use it."
)
_take_away_option = click.option(
    "--yes",
    "--take-away",
    "take_away",
    is_flag=True,
    help="Do not ask: remove even what entries use, and halve or double the kilograms.",
)


@click.group(
    cls=CommandGroup,
    epilog=examples(
        "carbonline load units units.csv --year 2024",
        "carbonline load locations",
        "carbonline load factors factors.csv --type plane --year 2024",
    ),
)
def load() -> None:
    """Load units, places, rates, rooms or emission factors.

    A file of another program is read with --map, --set, --value, --decimal and --dates, or with a
    saved --mapping, which stand with what is loaded.
    """


@load.command(
    short_help="The institution's units; provisions a year.",
    epilog=examples(
        "carbonline load units units.csv --year 2024",
        "carbonline load units --from unit-directory --year 2024",
        "carbonline load units sap.csv --year 2024 --map Code=unit_institutional_id",
    ),
)
@click.argument("file", type=FILE, required=False)
@click.option(
    "--from",
    "provider",
    default="",
    metavar="PROVIDER",
    help="Have a worker ask this service instead of a FILE, such as unit-directory.",
)
@click.option("--year", type=YEAR, required=True, help="The year to provision.")
@click.option(
    "--all", "are_all", is_flag=True, help="The FILE has all units: flag the others as stale."
)
@reading_options
@no_watch_option
@check_options
@connection_options
def units(
    *,
    target: Target,
    file: Path | None,
    provider: str,
    year: int,
    are_all: bool,
    reading: HowToRead,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Load the institution's units from a CSV, a workbook or a service, and provision a year.

    Columns: unit_institutional_id, name, and parent_unit_id (optional), the unit above it. Data of
    a year is refused until its units are loaded. Units are added, renamed and moved. With --all,
    and with --from, those that the list lacks are flagged as stale; they stay, and their totals
    count.
    """
    if bool(file) == bool(provider):
        raise click.UsageError("Name either a FILE, or a service with --from.")
    if provider:
        reading.check_unused()
        if are_all:
            raise click.UsageError("--all is for a FILE.")
    job = units_job(file, year, provider, are_all=are_all)
    job = reading.of(target, job, is_check=check is not None)
    _load(target, job, check, watch=not no_watch)


@load.command(
    short_help="Places with their coordinates.",
    epilog=examples(
        "carbonline load locations",
        "carbonline load locations four_more_airports.csv",
        "carbonline load locations all_airports.csv --replace",
        "carbonline load locations stations.csv --transport-mode train",
    ),
)
@click.argument("file", type=FILE, required=False)
@click.option(
    "--transport-mode", type=click.Choice(["plane", "train"]), default="plane", show_default=True
)
@_replace_option
@_take_away_option
@reading_options
@no_watch_option
@check_options
@connection_options
def locations(
    *,
    target: Target,
    file: Path | None,
    transport_mode: str,
    replace: bool,
    take_away: bool,
    reading: HowToRead,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Load places with their coordinates; without FILE, the airports of the package airportsdata,
    with corrections.

    Columns of airports: iata, name, country, latitude, longitude. Stations (--transport-mode train)
    have no iata; name and country are needed, and identify them. Places are added, or changed if
    they exist; with --replace, all other places of the mode are removed.
    """
    if file is None and transport_mode != "plane":
        raise click.UsageError("Only airports ship with the product: give a FILE of stations.")
    if file is None:
        reading.check_unused()
        click.echo(corrections_sentence(), err=True)
    replacing = _replacing(replace=replace, take_away=take_away)
    job = locations_job(file, transport_mode, replacing)
    job = reading.of(target, job, is_check=check is not None)
    _load(target, job, check, watch=not no_watch)


@load.command(
    short_help="Exchange rates of currencies, by year.",
    epilog=examples("carbonline load rates rates.csv", "carbonline references rates"),
)
@click.argument("file", type=FILE)
@_replace_option
@_take_away_option
@reading_options
@no_watch_option
@check_options
@connection_options
def rates(
    *,
    target: Target,
    file: Path,
    replace: bool,
    take_away: bool,
    reading: HowToRead,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Load exchange rates: how many units of a currency one euro is, in the average of a year.

    Columns: currency, year, units_per_eur. Rates are added, or changed if they exist; with
    --replace, all other rates of the file's years are removed. The euro needs no rate.
    """
    replacing = _replacing(replace=replace, take_away=take_away)
    job = reading.of(target, rows_job("rates", file, replacing), is_check=check is not None)
    _load(target, job, check, watch=not no_watch)


@load.command(
    short_help="Rooms of buildings with their surfaces.",
    epilog=examples("carbonline load rooms rooms.csv", "carbonline references rooms --used"),
)
@click.argument("file", type=FILE)
@_replace_option
@_take_away_option
@reading_options
@no_watch_option
@check_options
@connection_options
def rooms(
    *,
    target: Target,
    file: Path,
    replace: bool,
    take_away: bool,
    reading: HowToRead,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Load rooms of buildings with their surfaces.

    Columns: building_name, room_name, surface_m2. Rooms are added, or changed if they exist; with
    --replace, all other rooms are removed.
    """
    replacing = _replacing(replace=replace, take_away=take_away)
    job = reading.of(target, rows_job("rooms", file, replacing), is_check=check is not None)
    _load(target, job, check, watch=not no_watch)


@load.command(
    short_help="Emission factors of a type and year.",
    epilog=examples(
        "carbonline template plane --factors >factors.csv",
        "carbonline load factors factors.csv --type plane --year 2024",
        "carbonline load factors factors.csv --type plane --year 2024 --check",
        "carbonline load factors uk-gov-2024 --year 2024",
        "carbonline load factors a.csv --type it --year 2024 --decimal comma",
        "carbonline load factors all.csv --module purchase --year 2024",
    ),
)
@click.argument("file", type=FileOrSet(), metavar="FILE|SET")
@optional_type_option("Required with a FILE, unless a column says it (--module).")
@module_option
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@_replace_option
@_take_away_option
@reading_options
@no_watch_option
@check_options
@connection_options
@click.pass_context
def factors(  # noqa: PLR0913  click gives each option
    context: click.Context,
    *,
    target: Target,
    file: Path | ShelfSet,
    module: int,
    data_entry_type: int,
    year: int,
    replace: bool,
    take_away: bool,
    reading: HowToRead,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Load emission factors of a data-entry type and year from a CSV or a workbook.

    A factor keeps its id; a change makes a new version, and totals are recomputed. Factors that
    the file lacks become stale and stay in use; with --replace they are no longer in force.
    A SET is a published one, such as uk-gov-2024: `carbonline factors shelf` lists them. All its
    types are loaded, or the one of --type; what to know of it is said first.
    With --module instead of --type, a column of the FILE says of which type each factor is, such as
    purchase_category. With --check, the command says of each type what would come of it.
    """
    replacing = _replacing(replace=replace, take_away=take_away)
    if isinstance(file, ShelfSet):
        reading.check_unused()
        types = types_of(file, data_entry_type)
        click.echo(f"{file.title}. {file.licence}. {file.note}", err=True)
        jobs = [
            factors_job(file_of(file, name, context), module, type_numbers()[name], year, replacing)
            for name in types
        ]
        if len(jobs) == 1:
            _load(target, jobs[0], check, watch=not no_watch)
        _load_each(target, file.name, jobs, check, watch=not no_watch)
    if data_entry_type:
        job = factors_job(file, module, data_entry_type, year, replacing)
        job = reading.of(target, job, is_check=check is not None)
    else:
        job = _of_several_types(file, module, year, replacing, reading)
    _load(target, job, check, watch=not no_watch)


def _of_several_types(
    file: Path,
    module: int,
    year: int,
    replacing: Replacing,
    reading: HowToRead,
) -> FileJob:
    if not module:
        type_is_missing()
    if reading.choice:
        raise click.UsageError(FOR_ONE_TYPE)
    return of_sheet(routed_factors_job(file, module, year, replacing), reading.sheet)


def _load(target: Target, job: FileJob, check: Output | None, *, watch: bool) -> NoReturn:
    """Submit, watch to the end, and print the totals that have changed. Or only have it checked."""
    if check is not None:
        _check_of(job, watch=watch)
        raise SystemExit(check_load_to_the_end(target, job, check))
    before = run_to_end(of_load(target, job)) if watch else None
    raise SystemExit(submit_to_the_end(target, job, watch=watch, before=before))


def _check_of(job: FileJob, *, watch: bool) -> None:
    """Raise click.UsageError for what a check does not take."""
    if not watch or job.extra.get("take_away"):
        raise click.UsageError("--check neither asks nor goes on alone: leave out the other.")
    if job.provider:
        raise click.UsageError("--check is for a FILE.")


def _load_each(
    target: Target, name: str, jobs: Sequence[FileJob], check: Output | None, *, watch: bool
) -> NoReturn:
    """Submit one after the other, as long as they succeed, then print the totals that changed.

    Or only have all of them checked.
    """
    if check is not None:
        _check_of(jobs[0], watch=watch)
        raise SystemExit(check_each_to_the_end(target, name, jobs, check))
    before = run_to_end(of_load(target, jobs[-1])) if watch else None
    for at, job in enumerate(jobs[:-1], start=1):
        code = submit_to_the_end(target, job, watch=watch, before=None)
        if code is not ExitCode.SUCCESS:
            left = ", ".join(type_name(one.data_entry_type) for one in jobs[at:])
            click.echo(f"Not loaded: {left}.", err=True)
            raise SystemExit(code)
    raise SystemExit(submit_to_the_end(target, jobs[-1], watch=watch, before=before))


def _replacing(*, replace: bool, take_away: bool) -> Replacing:
    return Replacing(replace, take_away)
