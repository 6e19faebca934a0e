"""`carbonline remove`: removes what the newest file lacks, reference data, and units."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, NoReturn

import click

from carbonline.client.submission import CONSENT
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.kilograms import Kilograms, kilograms_of, kilograms_of_all_years
from carbonline.command.names import REFERENCE_KINDS
from carbonline.command.options import YEAR, no_watch_option, type_option
from carbonline.command.recalculate import follow_and_print_the_end, module_of

EXAMPLE = "carbonline remove stale-factors --type plane --year 2024"
EXAMPLE_OF_PLACES = "carbonline remove locations SXF"
EXAMPLE_OF_ROWS = 'carbonline remove references rates "USD, 2023"'
EXAMPLE_OF_UNITS = "carbonline remove units 0829"
_take_away_option = click.option(
    "--yes",
    "--take-away",
    "take_away",
    is_flag=True,
    help="Even what entries use, and most of the kilograms.",
)
_mode_option = click.option(
    "--transport-mode", type=click.Choice(["plane", "train"]), default="plane", show_default=True
)


@click.group(cls=CommandGroup, epilog=examples(EXAMPLE, EXAMPLE_OF_PLACES, EXAMPLE_OF_UNITS))
def remove() -> None:
    """Remove stale factors, reference data, or unused units."""


@remove.command(
    name="stale-factors",
    short_help="Factors that the newest file lacks.",
    epilog=examples(EXAMPLE),
)
@type_option
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@_take_away_option
@no_watch_option
@connection_options
def stale_factors(
    *, target: Target, data_entry_type: int, year: int, take_away: bool, no_watch: bool
) -> None:
    """Remove the factors of a type and year that the newest file lacks.

    Refused if emissions use them, unless you pass --yes. Nothing is deleted: a later file
    restores them, and what they computed can still be explained.
    """
    payload = {"mode": "remove_stale", **(CONSENT if take_away else {})}
    _end(_remove(target, data_entry_type, year, payload, watch=not no_watch))


def _end(removal: Coroutine[Any, Any, ExitCode]) -> NoReturn:
    raise SystemExit(run_to_end(removal))


async def _remove(
    target: Target, data_entry_type: int, year: int, payload: dict[str, str], *, watch: bool
) -> ExitCode:
    async with target.client() as client:
        module = await module_of(client, data_entry_type)
        scope = client.scope(module=module, data_entry_type=data_entry_type, year=year)
        before = await kilograms_of(client, module, year)
        submitted = await client.submit("factor_ingest", scope, payload)
        return await follow_and_print_the_end(
            client, submitted.pipeline_id, target, watch=watch, before=before
        )


@remove.command(
    name="locations",
    short_help="Places, by their codes.",
    epilog=examples(EXAMPLE_OF_PLACES, "carbonline locations SXF --used"),
)
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@_mode_option
@_take_away_option
@no_watch_option
@connection_options
def locations(
    *,
    target: Target,
    codes: tuple[str, ...],
    transport_mode: str,
    take_away: bool,
    no_watch: bool,
) -> None:
    """Remove the place of each CODE: all of them, or none.

    Refused if entries use them, unless you pass --yes; those entries then have no kilograms.
    A later file restores a place.
    """
    payload = {"mode": "remove", "codes": list(codes), "transport_mode": transport_mode}
    _end(_remove_rows(target, "locations", payload, take_away=take_away, watch=not no_watch))


@remove.command(
    name="stale-locations",
    short_help="Places that the newest file of their name lacks.",
    epilog=examples("carbonline remove stale-locations", "carbonline locations --stale --used"),
)
@_mode_option
@_take_away_option
@no_watch_option
@connection_options
def stale_locations(
    *, target: Target, transport_mode: str, take_away: bool, no_watch: bool
) -> None:
    """Remove the places that the newest file with the name of their own file lacks.

    Refused if entries use them, unless you pass --yes. A later file restores a place.
    """
    payload = {"mode": "remove_stale", "transport_mode": transport_mode}
    _end(_remove_rows(target, "locations", payload, take_away=take_away, watch=not no_watch))


@remove.command(
    name="references",
    short_help="Exchange rates or rooms, by their keys.",
    epilog=examples(EXAMPLE_OF_ROWS, "carbonline references rates --used"),
)
@click.argument("kind", type=click.Choice(REFERENCE_KINDS))
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@_take_away_option
@no_watch_option
@connection_options
def references(
    *, target: Target, kind: str, keys: tuple[str, ...], take_away: bool, no_watch: bool
) -> None:
    """Remove the exchange rate or room of each KEY: all of them, or none.

    Refused if entries use them, unless you pass --yes; entries that need them then have no
    kilograms. A later file restores them.
    """
    payload = {"mode": "remove", "codes": list(keys)}
    _end(_remove_rows(target, kind, payload, take_away=take_away, watch=not no_watch))


@remove.command(
    name="stale-references",
    short_help="Exchange rates or rooms that the newest file of their name lacks.",
    epilog=examples(
        "carbonline remove stale-references rooms", "carbonline references rooms --stale --used"
    ),
)
@click.argument("kind", type=click.Choice(REFERENCE_KINDS))
@_take_away_option
@no_watch_option
@connection_options
def stale_references(*, target: Target, kind: str, take_away: bool, no_watch: bool) -> None:
    """Remove the rows of KIND that the newest file with the name of their own file lacks.

    Refused if entries use them, unless you pass --yes. A later file restores them.
    """
    payload = {"mode": "remove_stale"}
    _end(_remove_rows(target, kind, payload, take_away=take_away, watch=not no_watch))


async def _remove_rows(
    target: Target, kind: str, payload: Mapping[str, object], *, take_away: bool, watch: bool
) -> ExitCode:
    async with target.client() as client:
        before = await kilograms_of_all_years(client) if watch else Kilograms()
        consent = CONSENT if take_away else {}
        scope = client.scope(reference_kind=kind)
        submitted = await client.submit("reference_ingest", scope, {**payload, **consent})
        return await follow_and_print_the_end(
            client, submitted.pipeline_id, target, watch=watch, before=before
        )


@remove.command(
    name="units",
    short_help="Units that no entry uses.",
    epilog=examples(EXAMPLE_OF_UNITS, "carbonline units --used"),
)
@click.argument("units", nargs=-1, required=True, metavar="UNIT...")
@no_watch_option
@connection_options
def units(*, target: Target, units: tuple[str, ...], no_watch: bool) -> None:
    """Remove each UNIT from the institution: all of them, or none if an entry uses one.

    Entries of all years count, also those without kilograms. To remove such entries, upload their
    files without the unit, or withdraw the uploads. A later file of units restores a unit.
    """
    _end(_remove_units(target, units, watch=not no_watch))


async def _remove_units(target: Target, units: Sequence[str], *, watch: bool) -> ExitCode:
    async with target.client() as client:
        submitted = await client.submit("unit_removal", client.scope(), {"units": list(units)})
        return await follow_and_print_the_end(client, submitted.pipeline_id, target, watch=watch)
