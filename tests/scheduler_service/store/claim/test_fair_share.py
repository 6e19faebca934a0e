"""Tenants share the workers: whoever has one job does not wait for another's two thousand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from scheduler_service.jobs.heartbeats import Heartbeat, Introduction
from scheduler_service.jobs.requests import Submission
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.claim import seen_workers
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.store import Store
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.store_driver import INGEST, TENANT, TENANTS, YEAR, StoreDriver

OTHER = "other"


@pytest.fixture
async def second(database_url: str) -> AsyncIterator[StoreDriver]:
    """A driver of another scheduler on the same database."""
    store = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        yield StoreDriver(store)
    finally:
        await store.close()


async def flood(
    driver: StoreDriver, jobs: int, job_type: str = "noop", tenant: str = TENANT
) -> None:
    """So many jobs of one tenant, in one batch."""
    scope = replace(INGEST, tenant=tenant) if job_type == "csv_check" else Scope(tenant)
    asked = Submission(uuid4(), b"body", job_type, scope, None, 5, "tester")
    await driver.submit_jobs([replace(asked, request_id=uuid4()) for _ in range(jobs)])


async def tenants_claimed(driver: StoreDriver, jobs: int) -> list[str]:
    """Whose the next jobs are, claimed one by one."""
    return [(await driver.claim("noop")).row.tenant for _ in range(jobs)]


async def test_a_single_job_is_claimed_next_but_one_behind_a_flood(driver: StoreDriver) -> None:
    await flood(driver, 2_000)
    assert len(await driver.claim_all("noop", max_jobs=647)) == 647
    await driver.submit("noop", Scope(OTHER))
    assert OTHER in await tenants_claimed(driver, 2)


async def test_it_is_whichever_scheduler_took_it(driver: StoreDriver, second: StoreDriver) -> None:
    await flood(driver, 300)
    await driver.claim_all("noop", max_jobs=100)
    await second.submit("noop", Scope(OTHER))
    assert OTHER in await tenants_claimed(driver, 2)
    await flood(second, 300)
    await driver.submit("noop", Scope(OTHER))
    assert OTHER in await tenants_claimed(second, 2)


async def test_two_floods_are_claimed_in_turn_however_late_the_second_is(
    driver: StoreDriver,
) -> None:
    await flood(driver, 200)
    await driver.claim_all("noop", max_jobs=100)
    for _ in range(10):
        await driver.submit("noop", Scope(OTHER))
    claimed = await tenants_claimed(driver, 20)
    assert claimed.count(OTHER) == 10


async def test_a_flood_of_another_type_comes_before_no_single_job(driver: StoreDriver) -> None:
    await flood(driver, 200, "csv_check")
    await driver.claim_all("csv_check", max_jobs=100)
    # Nothing of this type has waited yet, and half of the other flood has gone.
    await flood(driver, 200, "noop")
    await driver.submit("noop", Scope(OTHER))
    claimed = [await driver.claim("csv_check", "noop") for _ in range(4)]
    assert OTHER in [claim.row.tenant for claim in claimed]
    # Nor do the jobs of the first type wait for those of the second.
    assert {claim.row.job_type for claim in claimed} == {"csv_check", "noop"}


async def is_paused(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(OTHER))
    await driver.store.pause_job_type((OTHER,), "noop", "a test asks", "tester")


async def is_of_a_type_without_workers(driver: StoreDriver) -> None:
    await driver.submit("unit_removal", Scope(OTHER))


async def is_of_a_tenant_without_workers(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope("elsewhere"))


async def is_left_to_a_busy_worker(driver: StoreDriver) -> None:
    for tenant in (TENANT, OTHER):
        await driver.submit("unit_sync", Scope(tenant, year=YEAR))
    await driver.another().claim_all("unit_sync", max_jobs=1)


@pytest.mark.parametrize(
    "waits",
    [
        is_paused,
        is_of_a_type_without_workers,
        is_of_a_tenant_without_workers,
        is_left_to_a_busy_worker,
    ],
)
async def test_a_job_that_nobody_claims_brings_no_flood_before_others(
    driver: StoreDriver, waits: Callable[[StoreDriver], Awaitable[None]]
) -> None:
    await driver.submit("unit_sync", Scope(OTHER, year=YEAR))
    await driver.finish(await driver.claim("unit_sync"))
    await waits(driver)
    worker, claimed = driver.another(), ("csv_check", "noop")
    await flood(driver, 200, "csv_check")
    await worker.claim_all(*claimed, max_jobs=100)
    await driver.submit("csv_check", replace(INGEST, tenant=OTHER))
    await flood(driver, 200, "noop")
    assert OTHER in [(await worker.claim(*claimed)).row.tenant for _ in range(4)]


async def test_a_flood_that_waits_until_its_worker_is_ready_comes_before_no_single_job(
    driver: StoreDriver,
) -> None:
    await driver.submit("unit_sync", Scope(OTHER, year=YEAR))
    await driver.finish(await driver.claim("unit_sync"))
    await is_of_a_type_without_workers(driver)
    unready = driver.another()
    both = Introduction(("csv_check", "noop"), "test", "here")
    beat = Heartbeat(unready.worker_id, "local", TENANTS, [], False, "no ledger", both)
    await driver.store.heartbeat(beat)
    await flood(driver, 200, "csv_check")
    await driver.another().claim_all("csv_check", max_jobs=100)
    await driver.submit("csv_check", replace(INGEST, tenant=OTHER))
    await flood(driver, 200, "noop")
    claimed = [await unready.claim("csv_check", "noop") for _ in range(4)]
    assert OTHER in [claim.row.tenant for claim in claimed]


async def others_go_on(driver: StoreDriver, worker: StoreDriver) -> None:
    await flood(driver, 60, "noop", OTHER)
    await worker.claim_all("noop", max_jobs=40)


async def is_paused_while_others_go_on(driver: StoreDriver, worker: StoreDriver) -> None:
    await worker.claim_all("noop", max_jobs=1)
    await driver.store.pause_job_type((TENANT,), "csv_check", "a test asks", "tester")
    await flood(driver, 50, "csv_check")
    await others_go_on(driver, worker)


async def waits_through_a_pause(
    driver: StoreDriver, worker: StoreDriver, newcomer: StoreDriver
) -> None:
    await is_paused_while_others_go_on(driver, worker)
    await newcomer.claim("csv_check", "noop")
    await driver.store.resume_job_type((TENANT,), "csv_check", "tester")


async def waits_through_two_pauses(
    driver: StoreDriver, worker: StoreDriver, newcomer: StoreDriver
) -> None:
    await is_paused_while_others_go_on(driver, worker)
    await newcomer.claim("csv_check", "noop")
    await driver.store.pause_job_type((OTHER,), "noop", "a test asks", "tester")
    await driver.store.resume_job_type((TENANT,), "csv_check", "tester")
    await driver.store.resume_job_type((OTHER,), "noop", "tester")


async def waits_through_a_pause_that_ends_without_workers(
    driver: StoreDriver, worker: StoreDriver, newcomer: StoreDriver
) -> None:
    await is_paused_while_others_go_on(driver, worker)
    await driver.pass_time(timedelta(minutes=6))
    await driver.store.resume_job_type((TENANT,), "csv_check", "tester")


async def waits_for_its_first_worker(
    driver: StoreDriver, worker: StoreDriver, newcomer: StoreDriver
) -> None:
    await flood(driver, 50, "csv_check")
    await worker.claim_all("noop", max_jobs=1)
    await others_go_on(driver, worker)


async def waits_for_a_worker_that_is_silent(
    driver: StoreDriver, worker: StoreDriver, newcomer: StoreDriver
) -> None:
    await newcomer.claim_all("csv_check", "noop", max_jobs=1)
    await driver.pass_time(timedelta(minutes=6))
    await flood(driver, 50, "csv_check")
    await worker.claim_all("noop", max_jobs=1)
    await others_go_on(driver, worker)


@pytest.mark.parametrize(
    "waits",
    [
        waits_through_a_pause,
        waits_through_two_pauses,
        waits_through_a_pause_that_ends_without_workers,
        waits_for_its_first_worker,
        waits_for_a_worker_that_is_silent,
    ],
)
async def test_what_could_not_be_claimed_has_saved_nothing_up(
    driver: StoreDriver,
    monkeypatch: pytest.MonkeyPatch,
    waits: Callable[[StoreDriver, StoreDriver, StoreDriver], Awaitable[None]],
) -> None:
    # The clock of the database is moved, and that of the scheduler is not.
    monkeypatch.setattr(seen_workers, "SEE_WORKER_EVERY_SECONDS", 0.0)
    worker, newcomer = driver.another(), driver.another()
    await driver.submit("unit_sync", Scope(OTHER, year=YEAR))
    await driver.finish(await driver.claim("unit_sync"))
    await waits(driver, worker, newcomer)
    claimed = await whose(newcomer, 10)
    assert 4 <= claimed.count(OTHER) <= 6
    # Nor does what comes to it later stand behind the others.
    await newcomer.claim_all("csv_check")
    await flood(driver, 30, "noop", OTHER)
    await driver.submit("csv_check", INGEST)
    assert TENANT in await whose(newcomer, 2)
    # Once it is empty, it is late no more.
    await driver.store.forget_old()
    assert await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.late_queues") == 0


async def test_what_comes_to_a_paused_queue_has_its_turns_when_the_pause_ends(
    driver: StoreDriver,
) -> None:
    worker = driver.another()
    await worker.claim_all("csv_check", "noop", max_jobs=1)
    await driver.store.pause_job_type((TENANT,), "csv_check", "a test asks", "tester")
    await flood(driver, 120, "noop", OTHER)
    for _ in range(8):
        await driver.submit("csv_check", INGEST)
        await worker.claim_all("noop", max_jobs=10)
    await driver.store.resume_job_type((TENANT,), "csv_check", "tester")
    # Others' jobs that were claimed between two of them are not waited for once more, nor do all
    # of them come before the others.
    assert 4 <= (await whose(worker, 10)).count(TENANT) <= 6


async def whose(driver: StoreDriver, jobs: int) -> list[str]:
    """Whose the next jobs are of either type, claimed one by one."""
    return [(await driver.claim("csv_check", "noop")).row.tenant for _ in range(jobs)]


async def test_whoever_was_idle_has_saved_nothing_up(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(OTHER))
    await flood(driver, 200)
    await driver.claim_all("noop", max_jobs=150)
    for _ in range(20):
        await driver.submit("noop", Scope(OTHER))
    claimed = await tenants_claimed(driver, 20)
    assert 9 <= claimed.count(OTHER) <= 11


async def test_a_tenants_own_jobs_are_claimed_in_order(driver: StoreDriver) -> None:
    jobs = [(await driver.submit("noop", Scope(TENANT))).job_id for _ in range(5)]
    assert [(await driver.claim("noop")).row.job_id for _ in range(5)] == jobs


async def test_a_job_that_comes_back_keeps_its_place_among_its_tenants(
    driver: StoreDriver,
) -> None:
    await flood(driver, 50)
    claim = await driver.claim("noop")
    await driver.claim_all("noop", max_jobs=20)
    await driver.release(claim)
    await driver.pass_time(timedelta(minutes=10))
    await driver.store.promote_due_jobs()
    assert (await driver.claim("noop")).row.job_id == claim.row.job_id


async def come_back_at_once(driver: StoreDriver, claims: list[Claimed]) -> None:
    await driver.release_all(claims)
    await driver.pass_time(timedelta(seconds=1))
    await driver.store.promote_due_jobs()


async def come_back_one_by_one(driver: StoreDriver, claims: list[Claimed]) -> None:
    for claim in claims:
        await driver.release(claim)
        await driver.pass_time(timedelta(seconds=1))
        await driver.store.promote_due_jobs()


async def come_back_one_by_one_in_a_pause(driver: StoreDriver, claims: list[Claimed]) -> None:
    await driver.store.pause_job_type((TENANT,), "noop", "a test asks", "tester")
    await come_back_one_by_one(driver, claims)
    await driver.store.resume_job_type((TENANT,), "noop", "tester")


@pytest.mark.parametrize(
    "come_back", [come_back_at_once, come_back_one_by_one, come_back_one_by_one_in_a_pause]
)
async def test_jobs_that_come_back_come_before_no_newer_job_of_others(
    driver: StoreDriver, come_back: Callable[[StoreDriver, list[Claimed]], Awaitable[None]]
) -> None:
    await flood(driver, 60)
    claims = await driver.claim_all("noop", max_jobs=30)
    await come_back(driver, claims)
    await driver.submit("noop", Scope(OTHER))
    claimed = [await driver.claim("noop") for _ in range(4)]
    assert OTHER in [claim.row.tenant for claim in claimed]
    # Before its tenant's others comes who has come back.
    assert claims[0].row.job_id in [claim.row.job_id for claim in claimed]


async def test_a_claim_finds_what_others_do_not_hold(
    driver: StoreDriver, second: StoreDriver
) -> None:
    await flood(driver, 40)
    async with driver.store.pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "SELECT FROM scheduler.jobs WHERE state = 'QUEUED'"
            " ORDER BY fair_stamp LIMIT 30 FOR UPDATE"
        )
        assert len(await second.claim_all("noop", max_jobs=5)) == 5
