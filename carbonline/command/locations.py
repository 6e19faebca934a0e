"""`carbonline locations`: lists the places that distances are computed from, each with its file."""

from collections.abc import Sequence

import click

from carbonline.client.json_struct import values_of
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.mapping_options import MAPPING, name_or_words, with_mapping
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import reference_pb2

COLUMNS = (
    Column("transport_mode", "mode", Kind.WORD, once_if_same=True),
    Column("code", kind=Kind.WORD),
    Column("name"),
    Column("country", kind=Kind.WORD),
    Column("latitude", kind=Kind.NUMBER, decimals=4),
    Column("longitude", kind=Kind.NUMBER, decimals=4),
    Column("state", kind=Kind.WORD, once_if_same=True),
    Column("version", kind=Kind.NUMERAL, once_if_same=True),
    Column("entries", "used by entries", Kind.NUMBER),
    Column("file", once_if_same=True),
    Column("changed_at", in_tables=False),
)


@click.command(
    short_help="List places with their coordinates.",
    epilog=examples(
        "carbonline locations GVA CDG",
        "carbonline locations --search brussels",
        "carbonline locations --stale --used",
        "carbonline locations -o places.csv",
    ),
)
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option(
    "--search",
    default="",
    help="Only places whose code starts with this, or whose name contains it.",
)
@click.option("--stale", is_flag=True, help="Only places that a later file of the name lacks.")
@click.option("--used", is_flag=True, help="Show how many entries use each.")
@limit_option
@output_options
@connection_options
def locations(
    *,
    target: Target,
    output: Output,
    codes: tuple[str, ...],
    search: str,
    stale: bool,
    used: bool,
    limit: int | None,
) -> None:
    """List places: those of each CODE, those that --search finds, or all.

    A stale place is not in the newest file with the name of the file that brought it, but still
    used; `carbonline remove stale-locations` removes such places, and
    `carbonline remove locations` any others.
    """
    wanted = reference_pb2.ListLocationsRequest(
        codes=codes, text=search, stale_only=stale, with_usage=used
    )
    found, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    rows = [_row(one, used=used) for one in found]
    show_rows(
        with_mapping(COLUMNS, rows),
        rows,
        output,
        if_none=(
            "There are no such places." if codes or search or stale else "There are no places yet."
        ),
        more="give codes, --search or --limit" if more else "",
    )
    there = {one.code for one in found}
    if not more and (absent := [code for code in codes if code.upper() not in there]):
        if not found:
            raise SystemExit(ExitCode.REFUSED)
        click.echo(f"Unknown places: {', '.join(absent)}.", err=True)


async def _listed(
    target: Target, wanted: reference_pb2.ListLocationsRequest, rows: int
) -> tuple[Sequence[reference_pb2.Location], bool]:
    async with target.client() as client:
        return await read_pages(client.list_locations, wanted, lambda page: page.locations, rows)


def _row(one: reference_pb2.Location, *, used: bool) -> Row:
    return {
        "transport_mode": one.transport_mode,
        "code": one.code,
        "name": one.name,
        "country": one.country,
        "latitude": one.latitude,
        "longitude": one.longitude,
        "state": "stale" if one.stale else "in force",
        "version": one.version,
        "entries": one.entries if used else None,
        "file": one.file_name,
        "changed_at": moment_of(one.changed_at),
        MAPPING: name_or_words(values_of(one.mapping)) or None,
    }
