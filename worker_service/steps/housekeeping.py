"""What a worker does beside its jobs: deletes rows that no longer count, and old files."""

import asyncio
import random

from structlog.typing import FilteringBoundLogger

from worker_service.ledger.collect import collect_once
from worker_service.mechanics.scheduler import SchedulerUnreachable
from worker_service.steps.stores import Stores
from worker_service.steps.unnamed_blobs import BlobRetention, remove_unnamed_blobs

ROUND_SECONDS = 60.0
# Not for safety: readers of a retired set have a snapshot of it, and whoever may still publish one
# is known by its fence. Soon, because under many uploads the ledger grows by what waits for it.
UNSEEN_SECONDS = 60.0
# Between two deletions: as long as the last one took, so that jobs have half of the time. After one
# that took longer than the longest pause they have less: what is to be deleted must not pile up.
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.02, 2.0


async def run_housekeeping(
    stores: Stores, retention: BlobRetention, log: FilteringBoundLogger
) -> None:
    """Delete such rows about once a minute, and such files once a day, until cancelled.

    A round that fails is logged, and the next one comes: jobs run without housekeeping, too.
    """

    async def rows() -> None:
        if collected := await collect_all(stores):
            log.info("rows_collected", rows=collected)

    async def blobs() -> None:
        await remove_unnamed_blobs(stores, retention, log)

    while True:
        await asyncio.sleep(ROUND_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        for work in (rows, blobs):
            try:
                await work()
            except (OSError, SchedulerUnreachable) as error:
                log.info("housekeeping_postponed", reason=str(error))
            except Exception as error:
                log.exception("housekeeping_failed", exc_info=error)


async def collect_all(stores: Stores, unseen_seconds: float = UNSEEN_SECONDS) -> int:
    """Delete rows of sets retired for `unseen_seconds`, until none is left. Returns how many."""
    rows = 0
    now = asyncio.get_running_loop().time
    while True:
        began_at = now()
        collected = await collect_once(stores.ledger, unseen_seconds)
        rows += collected.rows
        if not collected.more:
            return rows
        took = now() - began_at
        await asyncio.sleep(min(max(took, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX))
