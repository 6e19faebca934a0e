"""Looks at the queues now and then, however often somebody asks for the numbers."""

import asyncio
import random
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.reads import QueueDepth
from scheduler_service.store.store import Store

LOOK_SECONDS = 5.0


async def tell_queue_depths(
    store: Store,
    tell: Callable[[QueueDepth], None],
    log: FilteringBoundLogger,
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Tells every job type's depth, for as long as the process lives; a failed look is passed."""
    while True:
        try:
            for depth in await store.queue_depths():
                tell(depth)
        except ANY_DATABASE_ERROR as error:
            log.debug("queue_depths_failed", error=repr(error))
        await asyncio.sleep(look_seconds * random.uniform(0.8, 1.0))  # noqa: S311
