"""`carbonline slots`: the current job and the last success of each type and scope of a year."""

from collections.abc import Sequence

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import about_words, job_result, job_state, job_word
from carbonline.command.options import MODULE, YEAR
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.scope_columns import SCOPE_COLUMNS, scope_row
from carbonline.v1 import monitoring_pb2, types_pb2

SLOTS_MAX = 1_000
COLUMNS = (
    Column("job_type", kind=Kind.WORD),
    Column("about", in_files=False),
    *SCOPE_COLUMNS,
    Column("job", kind=Kind.NUMERAL),
    Column("state_word", "state", in_files=False),
    Column("state", in_tables=False),
    Column("result", in_tables=False),
    Column("last_success", kind=Kind.NUMERAL),
    Column("last_success_at", "of (UTC)", Kind.WORD),
)


@click.command(
    short_help="List the current job and the last success of each scope.",
    epilog=examples("carbonline slots --year 2024"),
)
@click.option("--year", type=YEAR, required=True)
@click.option("--module", "modules", type=MODULE, multiple=True, help="Only this module.")
@output_options
@connection_options
def slots(target: Target, output: Output, year: int, modules: Sequence[int]) -> None:
    """List the current job of each type and scope of a year, and the last one that ended well.

    The current job is the one that was claimed last. If it failed or was cancelled, what the last
    success has written still counts.
    """
    wanted = monitoring_pb2.ListSlotsRequest(
        year=year, modules=map(types_pb2.Module.ValueType, modules)
    )
    found, more = run_to_end(_slots(target, wanted))
    show_rows(
        COLUMNS,
        [_row(one) for one in found],
        output,
        if_none=f"No job of {year} has run.",
        more="choose with --module" if more else "",
    )


async def _slots(
    target: Target, wanted: monitoring_pb2.ListSlotsRequest
) -> tuple[list[monitoring_pb2.Slot], bool]:
    async with target.client() as client:
        return await read_pages(client.list_slots, wanted, lambda page: page.slots, SLOTS_MAX)


def _row(slot: monitoring_pb2.Slot) -> Row:
    return {
        "job_type": slot.job_type,
        "about": about_words(slot.scope),
        **scope_row(slot.scope),
        "job": slot.current.job_id,
        "state_word": job_word(slot.current),
        "state": job_state(slot.current),
        "result": job_result(slot.current) or None,
        "last_success": slot.last_success.job_id or None,
        "last_success_at": moment_of(slot.last_success.finished_at),
    }
