"""What a worker does beside its jobs: deletes rows that no longer count, old files, old history.

Tasks of their own: a look at many files takes long, and must not hold up the deletion of rows.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from worker_service.ledger.collect import collect_once
from worker_service.mechanics.scheduler import SchedulerUnreachable
from worker_service.steps.deletions import Deleted, nobody_counts
from worker_service.steps.old_history import HistoryRetention, forget_history
from worker_service.steps.stores import Stores
from worker_service.steps.unnamed_blobs import BlobRetention, remove_unnamed_blobs

ROUND_SECONDS = 60.0
# Between two looks of one worker for what is old: a day more or less matters little.
HISTORY_SECONDS = 3600.0
# Not for safety: readers of a retired set have a snapshot of it, and whoever may still publish one
# is known by its fence. Soon, because under many uploads the ledger grows by what waits for it.
UNSEEN_SECONDS = 60.0
# Between two deletions: as long as the last one took, so that jobs have half of the time. After one
# that took longer than the longest pause they have less: what is to be deleted must not pile up.
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.02, 2.0


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept for how long, and who is told what was deleted."""

    blobs: BlobRetention
    history: HistoryRetention
    deleted: Deleted = nobody_counts


def housekeeping(
    stores: Stores, retention: Retention, log: FilteringBoundLogger
) -> Mapping[str, Coroutine[Any, Any, None]]:
    """The tasks of a worker's housekeeping, by their names. Each runs until it is cancelled."""
    told = retention.deleted
    return {
        "deletion-of-rows": delete_rows_in_rounds(stores, log, told),
        "deletion-of-files": delete_files_in_rounds(stores, retention.blobs, log, told),
        "deletion-of-history": forget_history_in_rounds(stores, retention.history, log, told),
    }


async def delete_rows_in_rounds(
    stores: Stores, log: FilteringBoundLogger, deleted: Deleted = nobody_counts
) -> None:
    """Delete such rows about once a minute, until cancelled. `deleted` is told how many.

    A round that fails is logged, and the next one comes: jobs run without housekeeping, too.
    """

    async def one_round() -> None:
        if collected := await collect_all(stores):
            deleted("rows", collected)
            log.info("rows_collected", rows=collected)

    await _in_rounds(one_round, log)


async def delete_files_in_rounds(
    stores: Stores,
    retention: BlobRetention,
    log: FilteringBoundLogger,
    deleted: Deleted = nobody_counts,
) -> None:
    """Delete such files once a day, until cancelled. A look that fails is made again soon."""

    async def one_round() -> None:
        await remove_unnamed_blobs(stores, retention, log, deleted)

    await _in_rounds(one_round, log)


async def forget_history_in_rounds(
    stores: Stores,
    retention: HistoryRetention,
    log: FilteringBoundLogger,
    deleted: Deleted = nobody_counts,
) -> None:
    """Forget what counted long ago, until cancelled. A look that fails is made again soon."""

    async def one_round() -> None:
        await forget_history(stores.ledger, retention, log, deleted)

    await _in_rounds(one_round, log, HISTORY_SECONDS)


async def _in_rounds(
    one_round: Callable[[], Awaitable[None]],
    log: FilteringBoundLogger,
    pause_seconds: float | None = None,
) -> None:
    """`pause_seconds` is the time after a round that succeeded; None means ROUND_SECONDS."""
    pause = ROUND_SECONDS
    while True:
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        pause = ROUND_SECONDS
        try:
            await one_round()
        except (OSError, SchedulerUnreachable) as error:
            log.info("housekeeping_postponed", reason=str(error))
        except Exception as error:
            log.exception("housekeeping_failed", exc_info=error)
        else:
            pause = pause_seconds or ROUND_SECONDS


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
