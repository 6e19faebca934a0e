"""What a worker does beside its jobs: deletes rows that no longer count, and old files.

Two tasks: a look at many files takes long, and must not hold up the deletion of rows.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

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


async def delete_rows_in_rounds(stores: Stores, log: FilteringBoundLogger) -> None:
    """Delete such rows about once a minute, until cancelled.

    A round that fails is logged, and the next one comes: jobs run without housekeeping, too.
    """

    async def one_round() -> None:
        if collected := await collect_all(stores):
            log.info("rows_collected", rows=collected)

    await _in_rounds(one_round, log)


async def delete_files_in_rounds(
    stores: Stores, retention: BlobRetention, log: FilteringBoundLogger
) -> None:
    """Delete such files once a day, until cancelled. A look that fails is made again soon."""

    async def one_round() -> None:
        await remove_unnamed_blobs(stores, retention, log)

    await _in_rounds(one_round, log)


async def _in_rounds(one_round: Callable[[], Awaitable[None]], log: FilteringBoundLogger) -> None:
    while True:
        await asyncio.sleep(ROUND_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        try:
            await one_round()
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
