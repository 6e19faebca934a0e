"""Deletes what is old, beside the sweep, which must not wait for it."""

import asyncio
import random

from structlog.typing import FilteringBoundLogger

from scheduler_service.store.store import Store
from scheduler_service.sweeps.steps import Steps

FORGET_EVERY_SECONDS = 60.0
# Of these looks every tenth is for pipelines, if the one before has seen all that are old.
LOOKS_PER_REMOVAL = 10


class Retention:
    """Looks for what is kept for a while only. Any number of schedulers may look at once."""

    def __init__(self, store: Store, log: FilteringBoundLogger) -> None:
        """Deletes from `store`; `log` hears of what failed."""
        self._store = store
        self._steps = Steps(log)
        self._looks_to_removal = 0

    async def once(self) -> None:
        """Delete what belongs to no pipeline, and every now and then old pipelines."""
        await self._steps.run("forget_old", self._store.forget_old)
        if self._looks_to_removal > 0:
            self._looks_to_removal -= 1
            return
        await self._steps.run("remove_pipelines", self._remove_pipelines)

    async def _remove_pipelines(self) -> None:
        removed = await self._store.remove_pipelines()
        if removed.is_all:
            self._looks_to_removal = LOOKS_PER_REMOVAL - 1


async def retain_forever(store: Store, log: FilteringBoundLogger) -> None:
    """Look again and again; never returns. The pause has jitter, so that replicas spread."""
    retention = Retention(store, log)
    while True:
        await asyncio.sleep(FORGET_EVERY_SECONDS * random.uniform(0.8, 1.0))  # noqa: S311
        await retention.once()
