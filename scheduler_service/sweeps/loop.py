"""The sweep: every few seconds, for as long as the process lives, whatever fails."""

import asyncio
import random
from time import monotonic

from structlog.typing import FilteringBoundLogger

from scheduler_service.store.store import Store
from scheduler_service.sweeps.steps import Steps

# What becomes due a moment later shares a sweep.
SWEEPS_PER_PERIOD_MAX = 50
# Behind the moment itself.
MARGIN_SECONDS = 0.01


class Sweep:
    """One look at everything that time makes due, step by step."""

    def __init__(self, store: Store, log: FilteringBoundLogger) -> None:
        """Sweeps `store`; `log` hears of what was found and of what failed."""
        self._store = store
        self._log = log
        self._steps = Steps(log)
        self._began_at = monotonic()

    async def once(self) -> None:
        """Expire claims, submit what schedules want, promote what is due, look behind."""
        self._began_at = monotonic()
        await self._steps.run("expire_claims", self._expire_claims)
        await self._steps.run("submit_due_ticks", self._store.submit_due_ticks)
        await self._steps.run("promote_due_jobs", self._store.promote_due_jobs)
        await self._steps.run("backstop", self._backstop)

    async def pause_seconds(self) -> float:
        """Until the next sweep: when the next thing is due, or a period later, jittered so that
        replicas spread.
        """
        period = self._store.sweep_seconds
        later = period * random.uniform(0.8, 1.0)  # noqa: S311
        due: float | None = None

        async def look() -> None:
            nonlocal due
            # What became due behind its step would otherwise wait for a whole period.
            due = await self._store.seconds_to_next_due(monotonic() - self._began_at)

        await self._steps.run("next_due", look)
        if due is None or self._steps.failing:
            return later
        return min(later, max(due + MARGIN_SECONDS, period / SWEEPS_PER_PERIOD_MAX))

    async def _expire_claims(self) -> None:
        if expired := await self._store.expire_claims():
            self._log.warning("claims_expired", claims=expired)

    async def _backstop(self) -> None:
        if neglected := await self._store.backstop():
            self._log.error("backstop_found_work", keys=neglected)


async def sweep_forever(store: Store, log: FilteringBoundLogger) -> None:
    """Sweep again and again; never returns."""
    sweep = Sweep(store, log)
    while True:
        await sweep.once()
        await asyncio.sleep(await sweep.pause_seconds())
