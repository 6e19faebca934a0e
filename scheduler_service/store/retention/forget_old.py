"""Deletes what is remembered for a while and belongs to no pipeline."""

from collections.abc import Awaitable, Callable

from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.sweep.set_asides import KEPT_SECONDS

BATCH_MAX = 2_000
# Of each kind. What is left then goes with the next look.
BATCHES_MAX = 500


async def forget_old(units: UnitRunner, kept_seconds: float) -> Removed:
    """Delete Claims that are not answered again, workers that are gone, and pauses that ended more
    than `kept_seconds` ago; and what empty queues were late by. Returns how much of each.
    """
    async with units.pool.acquire() as conn:
        await statement("forget_set_asides").run(conn, kept_seconds=KEPT_SECONDS)
        await statement("forget_late_queues").run(conn)
    return Removed(
        requests=await _until_done(
            units,
            lambda conn: statement("forget_requests").rows(conn, _RemovedRow, rows_max=BATCH_MAX),
        ),
        workers=await _until_done(
            units,
            lambda conn: statement("forget_workers").rows(conn, _RemovedRow, rows_max=BATCH_MAX),
        ),
        pauses=await _until_done(
            units,
            lambda conn: statement("forget_pauses").rows(
                conn, _RemovedRow, kept_seconds=kept_seconds, rows_max=BATCH_MAX
            ),
        ),
    )


async def _until_done(
    units: UnitRunner, batch: "Callable[[Connection], Awaitable[list[_RemovedRow]]]"
) -> int:
    """So many rows; each batch of them goes in a transaction of its own."""
    removed = 0
    for _ in range(BATCHES_MAX):
        async with units.pool.acquire() as conn:
            (row,) = await batch(conn)
        removed += row.removed
        if row.removed < BATCH_MAX:
            break
    return removed


class _RemovedRow(Row):
    __slots__ = ()
    removed: int
