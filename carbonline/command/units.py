"""`carbonline units`: lists the institution's units, each with its file."""

from collections.abc import Sequence

import click

from carbonline.client.json_struct import values_of
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.mapping_options import MAPPING, name_or_words, with_mapping
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import reference_pb2

COLUMNS = (
    Column("unit_institutional_id", "unit", Kind.WORD),
    Column("name"),
    Column("parent_unit_id", "below", Kind.WORD),
    Column("state", once_if_same=True),
    Column("entries", "used by entries", Kind.NUMBER),
    Column("file", once_if_same=True),
    Column("changed_at", "since", Kind.WORD),
)


@click.command(
    short_help="List the institution's units.",
    epilog=examples(
        "carbonline units",
        "carbonline units 0828 0829 --used",
        "carbonline units --search physics",
        "carbonline units -o units_in_force.csv",
    ),
)
@click.argument("units", nargs=-1, metavar="[UNIT]...")
@click.option(
    "--search", default="", help="Only units whose id starts with this, or whose name contains it."
)
@click.option("--used", is_flag=True, help="Show how many entries use each.")
@limit_option
@output_options
@connection_options
def units(
    *,
    target: Target,
    output: Output,
    units: tuple[str, ...],
    search: str,
    used: bool,
    limit: int | None,
) -> None:
    """List units: each UNIT, those that --search finds, or all. Times are UTC.

    `carbonline load units` adds and renames them, `carbonline remove units` removes those that
    no entry uses.
    """
    wanted = reference_pb2.ListUnitsRequest(units=units, text=search, with_usage=used)
    found, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    rows = [_row(one, used=used) for one in found]
    show_rows(
        with_mapping(COLUMNS, rows),
        rows,
        output,
        if_none="There are no such units." if units or search else "There are no units yet.",
        more="give ids, --search or --limit" if more else "",
    )
    there = {one.unit.casefold() for one in found}
    absent = [unit for unit in units if unit.strip().casefold() not in there]
    if not more and found and absent:
        click.echo(f"Unknown units: {', '.join(absent)}.", err=True)


async def _listed(
    target: Target, wanted: reference_pb2.ListUnitsRequest, rows: int
) -> tuple[Sequence[reference_pb2.Unit], bool]:
    async with target.client() as client:
        return await read_pages(client.list_units, wanted, lambda page: page.units, rows)


def _row(one: reference_pb2.Unit, *, used: bool) -> Row:
    return {
        "unit_institutional_id": one.unit,
        "name": one.name,
        "parent_unit_id": one.parent_unit or None,
        "state": "stale" if one.stale else None,
        "entries": one.entries if used else None,
        "file": one.file_name,
        "changed_at": moment_of(one.changed_at),
        MAPPING: name_or_words(values_of(one.mapping)) or None,
    }
