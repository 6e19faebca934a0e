"""Reads the depths of the queues every few seconds, however often they are scraped."""

import asyncio
import random
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.reads.answers import QueueDepth
from scheduler_service.store.store import Store

LOOK_SECONDS = 5.0


async def publish_queue_depths(
    store: Store,
    publish: Callable[[QueueDepth], None],
    log: FilteringBoundLogger,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Call `publish` with the depth of every job type, every `look_seconds`; never returns.

    A read that finds the database unavailable is skipped.
    """
    while True:
        try:
            for depth in await store.queue_depths():
                publish(depth)
        except ANY_DATABASE_ERROR as error:
            log.debug("queue_depths_failed", error=repr(error))
        await asyncio.sleep(look_seconds * random.uniform(0.8, 1.0))  # noqa: S311
