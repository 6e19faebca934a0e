"""`carbonline remove`: removes factors that the newest file lacks, and unused units."""

from collections.abc import Sequence

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.kilograms import kilograms_of, print_kilograms
from carbonline.command.options import YEAR, no_watch_option, type_option
from carbonline.command.recalculate import follow_and_print_the_end, module_of

EXAMPLE = "carbonline remove stale-factors --type plane --year 2024"
EXAMPLE_OF_UNITS = "carbonline remove units 0829"


@click.group(cls=CommandGroup, epilog=examples(EXAMPLE, EXAMPLE_OF_UNITS))
def remove() -> None:
    """Remove stale factors, or units that no entry uses."""


@remove.command(
    name="stale-factors",
    short_help="Factors that the newest file lacks.",
    epilog=examples(EXAMPLE),
)
@type_option
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--take-away", is_flag=True, help="Even factors that entries use.")
@no_watch_option
@connection_options
def stale_factors(
    *, target: Target, data_entry_type: int, year: int, take_away: bool, no_watch: bool
) -> None:
    """Remove the factors of a type and year that the newest file lacks.

    Refused if emissions use them, unless you pass --take-away. Nothing is deleted: a later file
    restores them, and what they computed can still be explained.
    """
    payload = {"mode": "remove_stale", **({"take_away": "yes"} if take_away else {})}
    raise SystemExit(
        run_to_end(_remove(target, data_entry_type, year, payload, watch=not no_watch))
    )


async def _remove(
    target: Target, data_entry_type: int, year: int, payload: dict[str, str], *, watch: bool
) -> ExitCode:
    async with target.client() as client:
        module = await module_of(client, data_entry_type)
        scope = client.scope(module=module, data_entry_type=data_entry_type, year=year)
        before = await kilograms_of(client, module, year)
        submitted = await client.submit("factor_ingest", scope, payload)
        code = await follow_and_print_the_end(client, submitted.pipeline_id, target, watch=watch)
        if watch and code is ExitCode.SUCCESS:
            await print_kilograms(client, before)
        return code


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
    raise SystemExit(run_to_end(_remove_units(target, units, watch=not no_watch)))


async def _remove_units(target: Target, units: Sequence[str], *, watch: bool) -> ExitCode:
    async with target.client() as client:
        submitted = await client.submit("unit_removal", client.scope(), {"units": list(units)})
        return await follow_and_print_the_end(client, submitted.pipeline_id, target, watch=watch)
