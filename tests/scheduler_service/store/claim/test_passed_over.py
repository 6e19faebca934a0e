"""At debug, a Claim that gets too little says which claimable jobs others hold."""

from collections.abc import Sequence
from uuid import uuid4

import asyncpg

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.claim.passed_over import passed_over
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

LOCK = "SELECT FROM scheduler.jobs WHERE job_id = ANY($1) FOR UPDATE"


class Heard(Observer):
    """Hears of what Claims passed over."""

    def __init__(self, *, wants: bool) -> None:
        self.wants_passed_over = wants
        self.job_ids: list[list[int]] = []

    def passed_over(self, request: ClaimRequest, job_ids: Sequence[int]) -> None:
        self.job_ids.append(list(job_ids))


def watched(driver: StoreDriver, observer: Observer) -> StoreDriver:
    """The driver, at a store of the same database with this observer."""
    return StoreDriver(
        Store(
            driver.store.pools,
            lease_seconds=driver.store.lease_seconds,
            sweep_seconds=driver.store.sweep_seconds,
            observer=observer,
        )
    )


async def test_jobs_that_others_hold_are_told_of_if_anybody_wants_to_hear(
    driver: StoreDriver, database_url: str
) -> None:
    jobs = [(await driver.submit("noop", Scope(TENANT))).job_id for _ in range(4)]
    eager, idle = Heard(wants=True), Heard(wants=False)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(LOCK, jobs[:2])
        assert len(await watched(driver, idle).claim_all("noop", max_jobs=1)) == 1
        # One of one: it lacks nothing.
        assert await claimed_by(watched(driver, eager), max_jobs=1) == [jobs[3]]
        assert eager.job_ids == []
        assert await claimed_by(watched(driver, eager), max_jobs=1) == []
        assert await watched(driver, idle).claim_all("noop") == []
        waits = (await driver.submit("noop", Scope(TENANT))).job_id
        assert await look(driver) == jobs[:2]
        assert await claimed_by(watched(driver, idle), max_jobs=1) == [waits]
    await other.close()
    assert (eager.job_ids, idle.job_ids) == ([jobs[:2]], [])
    # The lock is over, though its mark is still in the row.
    assert await look(driver) == []
    assert await claimed_by(watched(driver, eager), max_jobs=5) == jobs[:2]
    assert eager.job_ids == [jobs[:2]]


async def claimed_by(driver: StoreDriver, max_jobs: int) -> list[int]:
    return [claim.row.job_id for claim in await driver.claim_all("noop", max_jobs=max_jobs)]


async def look(driver: StoreDriver) -> list[int]:
    """What a Claim of now would pass over."""
    asking = ClaimRequest(uuid4(), uuid4(), ("noop",), 1, "local", (TENANT,), "test", "here")
    async with driver.store.pool.acquire() as conn:
        return await passed_over(conn, asking)
