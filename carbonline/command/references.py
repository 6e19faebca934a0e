"""`carbonline references`: lists exchange rates or rooms, each with its file."""

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
from carbonline.command.names import REFERENCE_KINDS
from carbonline.command.options import YEAR
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import reference_pb2

COLUMNS = (
    Column("key", kind=Kind.WORD),
    Column("values"),
    Column("state", kind=Kind.WORD, once_if_same=True),
    Column("version", kind=Kind.NUMERAL, once_if_same=True),
    Column("entries", "used by entries", Kind.NUMBER),
    Column("file", once_if_same=True),
    Column("changed_at", in_tables=False),
)
# The columns whose values the key has already.
_OF_KEY = frozenset({"currency", "year", "building_name", "room_name"})


@click.command(
    short_help="List exchange rates or rooms.",
    epilog=examples(
        "carbonline references rates --year 2024",
        'carbonline references rates "USD, 2024" --used',
        "carbonline references rooms --search CE",
        "carbonline references rooms --stale --used",
    ),
)
@click.argument("kind", type=click.Choice(REFERENCE_KINDS))
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--search", default="", help="Only rows whose key contains this.")
@click.option("--year", type=YEAR, help="Only rows of this year.")
@click.option("--stale", is_flag=True, help="Only rows that a later file of the name lacks.")
@click.option("--used", is_flag=True, help="Show how many entries name each.")
@limit_option
@output_options
@connection_options
def references(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    output: Output,
    kind: str,
    keys: tuple[str, ...],
    search: str,
    year: int | None,
    stale: bool,
    used: bool,
    limit: int | None,
) -> None:
    """List reference data of a KIND: rates (of currencies) or rooms (of buildings).

    The key of a rate is its currency and year, that of a room its building and name. A stale row is
    not in the newest file with the name of the file that brought it, but still used;
    `carbonline remove stale-references` removes such rows, and `carbonline remove references` any
    others.
    """
    wanted = reference_pb2.ListReferenceRowsRequest(
        kind=kind, keys=keys, text=search, year=year or 0, stale_only=stale, with_usage=used
    )
    found, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    are_some = keys or search or year or stale
    rows = [_row(one, used=used) for one in found]
    show_rows(
        with_mapping(COLUMNS, rows),
        rows,
        output,
        if_none=f"There are no such {kind}." if are_some else f"There are no {kind} yet.",
        more="give keys, --search or --limit" if more else "",
    )
    there = {one.key.casefold() for one in found}
    if not more and (absent := [key for key in keys if key.strip().casefold() not in there]):
        if not found:
            raise SystemExit(ExitCode.REFUSED)
        click.echo(f"Unknown keys: {'; '.join(absent)}.", err=True)


async def _listed(
    target: Target, wanted: reference_pb2.ListReferenceRowsRequest, rows: int
) -> tuple[Sequence[reference_pb2.ReferenceRow], bool]:
    async with target.client() as client:
        return await read_pages(client.list_reference_rows, wanted, lambda page: page.rows, rows)


def _row(one: reference_pb2.ReferenceRow, *, used: bool) -> Row:
    values = {name: text for name, text in sorted(one.values.items()) if name not in _OF_KEY}
    return {
        "key": one.key,
        "values": values,
        "state": "stale" if one.stale else "in force",
        "version": one.version,
        "entries": one.entries if used else None,
        "file": one.file_name,
        "changed_at": moment_of(one.changed_at),
        MAPPING: name_or_words(values_of(one.mapping)) or None,
    }
