"""`carbonline stale`: totals that have not seen every change of their data."""

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name, stale_word, type_name
from carbonline.command.options import YEAR, WholeNumber
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import monitoring_pb2

STATS_MAX = 1_000
MINUTES_MAX = 5_000_000
COLUMNS = (
    Column("year", kind=Kind.NUMERAL),
    Column("module", kind=Kind.WORD),
    Column("reason", kind=Kind.WORD),
    Column("stale_types", "types"),
    Column("stale_since", "since (UTC)", Kind.WORD),
    Column("aggregated_at", "totals of (UTC)", Kind.WORD),
    Column("job", kind=Kind.NUMERAL),
    Column("pipeline", kind=Kind.NUMERAL),
)


@click.command(
    short_help="List totals that are stale, and why.",
    epilog=examples("carbonline stale", "carbonline stale --year 2024 --older-than 60"),
)
@click.option("--year", type=YEAR, default=None, help="Only this year.")
@click.option(
    "--older-than",
    "minutes",
    type=WholeNumber(0, MINUTES_MAX),
    default=0,
    metavar="MINUTES",
    help="Only totals that have been stale for at least this long.",
)
@click.option("--by-age", is_flag=True, help="Include fresh totals that are older than that.")
@output_options
@connection_options
def stale(target: Target, output: Output, year: int | None, minutes: int, by_age: bool) -> None:
    """List the totals that have not seen every change of their data, with the reason.

    `carbonline recalculate` brings a module up to date; a failed or stuck aggregation is named.
    """
    wanted = monitoring_pb2.ListStaleStatsRequest(year=year or 0, by_age=by_age)
    wanted.older_than.seconds = minutes * 60
    found, more = run_to_end(_stale(target, wanted))
    show_rows(
        COLUMNS,
        [_row(one) for one in found],
        output,
        if_none="No totals are stale.",
        more="choose with --year" if more else "",
    )


async def _stale(
    target: Target, wanted: monitoring_pb2.ListStaleStatsRequest
) -> tuple[list[monitoring_pb2.StaleStats], bool]:
    async with target.client() as client:
        return await read_pages(client.list_stale_stats, wanted, lambda page: page.stats, STATS_MAX)


def _row(stats: monitoring_pb2.StaleStats) -> Row:
    return {
        "year": stats.year,
        "module": module_name(stats.module),
        "reason": stale_word(stats.reason),
        "stale_types": [type_name(one) for one in stats.stale_types],
        "stale_since": moment_of(stats.stale_since),
        "aggregated_at": moment_of(stats.aggregated_at),
        "job": stats.job_id or None,
        "pipeline": stats.pipeline_id or None,
    }
