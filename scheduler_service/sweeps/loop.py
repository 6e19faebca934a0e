"""The sweep: every few seconds, for as long as the process lives, whatever fails."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.store import Store

FORGET_EVERY_SECONDS = 60.0
# What becomes due a moment later shares a sweep.
SWEEPS_PER_PERIOD_MAX = 50
# Behind the moment itself.
MARGIN_SECONDS = 0.01


class Sweep:
    """One look at everything that time makes due, step by step: what one step fails with is kept
    from the others, and logged once until the step succeeds again.
    """

    def __init__(self, store: Store, log: FilteringBoundLogger) -> None:
        """Sweeps `store`; `log` hears of what was found and of what failed."""
        self._store = store
        self._log = log
        self._failing: set[str] = set()

    async def once(self) -> None:
        """Expire claims, promote what is due, look behind."""
        await self._try("expire_claims", self._expire_claims)
        await self._try("promote_due_jobs", self._store.promote_due_jobs)
        await self._try("backstop", self._backstop)

    async def forget(self) -> None:
        """Drop what is remembered for a while only."""
        await self._try("forget_old", self._store.forget_old)

    async def pause_seconds(self) -> float:
        """Until the next sweep: when the next thing is due, or a period later, jittered so that
        replicas spread.
        """
        period = self._store.sweep_seconds
        later = period * random.uniform(0.8, 1.0)  # noqa: S311
        due: float | None = None

        async def look() -> None:
            nonlocal due
            due = await self._store.seconds_to_next_due()

        await self._try("next_due", look)
        if due is None or self._failing:
            return later
        return min(later, max(due + MARGIN_SECONDS, period / SWEEPS_PER_PERIOD_MAX))

    async def _expire_claims(self) -> None:
        if expired := await self._store.expire_claims():
            self._log.warning("claims_expired", claims=expired)

    async def _backstop(self) -> None:
        if neglected := await self._store.backstop():
            self._log.error("backstop_found_work", keys=neglected)

    async def _try(self, step: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except ANY_DATABASE_ERROR as error:
            if step not in self._failing:
                self._log.warning("sweep_failed", step=step, error=repr(error))
            self._failing.add(step)
        except Exception as error:  # noqa: BLE001 - the steps behind it must run
            self._log.exception("sweep_failed", step=step, exc_info=error)
            self._failing.add(step)
        else:
            self._failing.discard(step)


async def sweep_forever(store: Store, log: FilteringBoundLogger) -> None:
    """Sweep again and again; never returns."""
    loop = asyncio.get_running_loop()
    forget_at = loop.time() + FORGET_EVERY_SECONDS
    sweep = Sweep(store, log)
    while True:
        await sweep.once()
        if loop.time() > forget_at:
            forget_at = loop.time() + FORGET_EVERY_SECONDS
            await sweep.forget()
        await asyncio.sleep(await sweep.pause_seconds())
