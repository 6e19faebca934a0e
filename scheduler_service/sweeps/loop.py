"""The sweep: every few seconds, for as long as the process lives, whatever fails."""

import asyncio
import random

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.store import Store

FORGET_EVERY_SECONDS = 60.0


async def sweep_forever(store: Store, log: FilteringBoundLogger) -> None:
    """Lapse claims, promote what is due, look behind; jittered, so that replicas spread."""
    loop = asyncio.get_running_loop()
    forget_at = loop.time() + FORGET_EVERY_SECONDS
    is_told = False
    while True:
        try:
            await sweep_once(store, log)
            if loop.time() > forget_at:
                forget_at = loop.time() + FORGET_EVERY_SECONDS
                await store.forget_old()
            pause = await _pause(store)
            is_told = False
        except ANY_DATABASE_ERROR as error:
            # Once an outage.
            if not is_told:
                log.warning("sweep_failed", error=repr(error))
            is_told = True
            pause = store.sweep_seconds
        except Exception as error:
            log.exception("sweep_failed", exc_info=error)
            pause = store.sweep_seconds
        await asyncio.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311


async def sweep_once(store: Store, log: FilteringBoundLogger) -> None:
    """One look at everything that time makes due."""
    if lapsed := await store.expire_claims():
        log.warning("claims_expired", claims=lapsed)
    await store.promote_due_jobs()
    if neglected := await store.backstop():
        log.error("backstop_found_work", keys=neglected)


async def _pause(store: Store) -> float:
    """Until the next sweep, or until the next job's time if that comes first."""
    due = await store.seconds_to_next_due()
    if due is None:
        return store.sweep_seconds
    return min(store.sweep_seconds, max(due, 0.05))
