"""`carbonline years`: the accounting years, newest first, and which of their totals are stale."""

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import operations_pb2

YEARS_MAX = 200
COLUMNS = (
    Column("year", kind=Kind.NUMERAL),
    Column("provisioned_at", "provisioned (UTC)", Kind.WORD),
    Column("locked_at", "locked (UTC)", Kind.WORD),
    Column("locked_by", "by"),
    Column("lock_reason", in_tables=False),
    Column("fresh_modules", "up to date"),
    Column("stale_modules", "stale"),
)


@click.command(
    short_help="List the accounting years.",
    epilog=examples("carbonline years"),
)
@output_options
@connection_options
def years(target: Target, output: Output) -> None:
    """List the accounting years, newest first: who locked them, and which totals are stale.

    `carbonline status --year YEAR` says why.
    """
    found, _ = run_to_end(_years(target))
    show_rows(
        COLUMNS,
        [_row(one) for one in found],
        output,
        if_none="No years yet: load units with --year.",
    )


async def _years(target: Target) -> tuple[list[operations_pb2.GetYearResponse], bool]:
    async with target.client() as client:
        return await read_pages(
            client.list_years,
            operations_pb2.ListYearsRequest(),
            lambda page: page.years,
            YEARS_MAX,
        )


def _row(year: operations_pb2.GetYearResponse) -> Row:
    return {
        "year": year.year,
        "provisioned_at": moment_of(year.provisioned_at),
        "locked_at": moment_of(year.locked_at),
        "locked_by": year.locked_by or None,
        "lock_reason": year.lock_reason or None,
        "fresh_modules": _names(year, fresh=True),
        "stale_modules": _names(year, fresh=False),
    }


def _names(year: operations_pb2.GetYearResponse, *, fresh: bool) -> str:
    return ", ".join(module_name(one.module) for one in year.modules if one.fresh is fresh)
