"""What a worker does beside its jobs: takes away rows that nobody can see any more."""

import asyncio
import random

from structlog.typing import FilteringBoundLogger

from worker_service.ledger.collect import collect_once
from worker_service.ledger.errors import DatabaseAway
from worker_service.steps.stores import Stores

ROUND_SECONDS = 60.0
# Whoever reads a retired set does it in a snapshot, so this is no safety margin but a courtesy:
# what was replaced by mistake can be looked at for a while.
UNSEEN_SECONDS = 3600.0
# Between two deletions of one round: jobs come first.
PAUSE_SECONDS = 0.2


async def keep_house(stores: Stores, log: FilteringBoundLogger) -> None:
    """Goes on until it is cancelled."""
    while True:
        await asyncio.sleep(ROUND_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
        try:
            rows = await collect_all(stores)
        except DatabaseAway as away:
            log.info("housekeeping_put_off", reason=str(away))
            continue
        if rows:
            log.info("rows_collected", rows=rows)


async def collect_all(stores: Stores, unseen_seconds: float = UNSEEN_SECONDS) -> int:
    """Collects until nothing is left to collect; how many rows."""
    rows = 0
    while True:
        collected = await collect_once(stores.ledger, unseen_seconds)
        rows += collected.rows
        if not collected.more:
            return rows
        await asyncio.sleep(PAUSE_SECONDS)
