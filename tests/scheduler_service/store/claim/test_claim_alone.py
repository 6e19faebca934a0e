"""After an expiry a job runs alone in its worker process, and only a job that did is charged."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import FinishOutcome
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.store import Store
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

NOOP = Scope(TENANT)
ATTEMPTS_MAX = JOB_TYPES["noop"].attempts_max
COMPANY_OF_THE_ALONE = """
SELECT count(*) FROM scheduler.claims AS a JOIN scheduler.claims AS c USING (worker_id)
WHERE a.is_alone AND c.claim_token <> a.claim_token
"""


async def submit_noops(driver: StoreDriver, count: int, **fields: int) -> list[int]:
    return [(await driver.submit("noop", NOOP, **fields)).job_id for _ in range(count)]


async def counts(driver: StoreDriver, job_id: int) -> tuple[int, int, bool]:
    """Attempts, expiries, and whether it runs alone."""
    job = await driver.job(job_id)
    return job["attempts"], job["expiries"], job["runs_alone"]


async def one_that_runs_alone(driver: StoreDriver, *beating: tuple[StoreDriver, Claimed]) -> int:
    """A job that is queued, after its only claim has expired. These others go on."""
    [job_id] = await submit_noops(driver, 1)
    await driver.another().claim("noop")
    for _ in range(3):
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=LEASE_SECONDS / 3 + 1))
        for worker, claim in beating:
            await worker.beat(claim)
    assert await driver.let_leases_expire_now() == 1
    return job_id


async def test_neighbours_of_an_expired_claim_are_not_charged_and_run_one_by_one(
    driver: StoreDriver,
) -> None:
    jobs = await submit_noops(driver, 4)
    await driver.another().claim_all("noop")
    assert await driver.let_leases_expire() == 4
    assert {await counts(driver, job_id) for job_id in jobs} == {(0, 1, True)}
    worker = driver.another()
    more = await submit_noops(driver, 3)
    for _ in jobs:
        [alone] = await worker.claim_all("noop")
        assert alone.row.job_id in jobs
        assert alone.row.runs_alone
        assert await worker.claim_all("noop") == []
        await worker.finish(alone)
    assert sorted(c.row.job_id for c in await worker.claim_all("noop")) == more
    assert {await driver.state(job_id) for job_id in jobs} == {"FINISHED SUCCESS"}


async def test_a_job_that_expires_alone_pays_with_its_attempts_and_each_is_counted(
    driver: StoreDriver,
) -> None:
    poison, neighbour = await submit_noops(driver, 2)
    await driver.another().claim_all("noop")
    await driver.let_leases_expire()
    for attempt in range(1, ATTEMPTS_MAX + 1):
        worker = driver.another()
        claim = await worker.claim("noop")
        if claim.row.job_id == neighbour:
            await worker.finish(claim)
            claim = await worker.claim("noop")
        assert (claim.row.job_id, claim.row.attempts) == (poison, attempt)
        assert await driver.let_leases_expire() == 1
    assert await driver.state(poison) == "FINISHED ERROR"
    assert await counts(driver, poison) == (ATTEMPTS_MAX, ATTEMPTS_MAX + 1, True)
    assert await counts(driver, neighbour) == (0, 1, True)


async def test_an_expired_job_comes_back_later_and_not_with_its_neighbours(
    driver: StoreDriver,
) -> None:
    await submit_noops(driver, 4)
    await driver.another().claim_all("noop")
    assert await driver.let_leases_run_out() + await driver.store.expire_claims() == 4
    rows = await driver.jobs_of("noop")
    assert {row["state"] for row in rows} == {"NOT_STARTED"}
    assert len({row["run_after"] for row in rows}) == len(rows)
    await driver.pass_time(timedelta(seconds=2))
    await driver.store.promote_due_jobs()
    assert {row["state"] for row in await driver.jobs_of("noop")} == {"QUEUED"}


async def test_what_is_taken_back_late_is_claimable_at_once(driver: StoreDriver) -> None:
    """Of ten thousand claims of a lost node the last have waited while the others came back."""
    await submit_noops(driver, 4)
    await driver.another().claim_all("noop")
    for _ in range(3):
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=LEASE_SECONDS / 3 + 0.5))
    assert await driver.store.expire_claims() == 4
    assert {row["state"] for row in await driver.jobs_of("noop")} == {"QUEUED"}


async def test_who_expires_last_of_a_worker_did_not_run_alone(driver: StoreDriver) -> None:
    first, last = await submit_noops(driver, 2)
    worker = driver.another()
    claims = await worker.claim_all("noop")
    await driver.store.expire_claims()
    await driver.pass_time(timedelta(seconds=15))
    await worker.beat(claims[1])
    for _ in range(2):
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=16))
    assert await driver.store.expire_claims() == 1
    assert await driver.state(last) == "RUNNING"
    assert await driver.let_leases_expire() == 1
    assert await counts(driver, first) == (0, 1, True)
    assert await counts(driver, last) == (0, 1, True)


async def test_who_came_after_one_expiry_and_stays_after_the_next_did_not_run_alone(
    driver: StoreDriver,
) -> None:
    await submit_noops(driver, 2)
    worker = driver.another()
    _, second = await worker.claim_all("noop")
    await driver.store.expire_claims()
    await driver.pass_time(timedelta(seconds=15))
    await worker.beat(second)
    for _ in range(2):
        assert await driver.store.expire_claims() == 0
        await driver.pass_time(timedelta(seconds=16))
    assert await driver.store.expire_claims() == 1
    # Who waits to run alone would keep others from this worker.
    idle = driver.another()
    await idle.finish(await idle.claim("noop"))
    [newcomer] = await submit_noops(driver, 1)
    await worker.claim("noop")
    await driver.pass_time(timedelta(seconds=16))
    assert await driver.store.expire_claims() == 1
    assert await driver.let_leases_expire() == 1
    assert await counts(driver, newcomer) == (0, 1, True)


async def test_a_claim_that_outlived_the_recovery_of_a_neighbour_had_company(
    driver: StoreDriver,
) -> None:
    first, last = await submit_noops(driver, 2)
    await driver.another().claim_all("noop")
    for _ in range(3):
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=16))
    await driver.recover(first)
    assert (await driver.job(first))["runs_alone"]
    assert await driver.let_leases_expire() == 1
    assert await counts(driver, last) == (0, 1, True)


async def test_one_busy_worker_makes_room_and_the_others_go_on(driver: StoreDriver) -> None:
    workers = [driver.another() for _ in range(3)]
    held = {}
    for worker in workers:
        await submit_noops(driver, 1)
        held[worker.worker_id] = await worker.claim("noop")
    beating = [(worker, held[worker.worker_id]) for worker in workers]
    alone = await one_that_runs_alone(driver, *beating)
    await submit_noops(driver, 9)
    got = {worker.worker_id: await worker.claim_all("noop", max_jobs=2) for worker in workers}
    [waiting] = [worker for worker in workers if not got[worker.worker_id]]
    assert all(len(got[one.worker_id]) == 2 for one in workers if one is not waiting)
    assert await waiting.claim_all("noop") == []
    await waiting.finish(held[waiting.worker_id])
    [claim] = await waiting.claim_all("noop")
    assert claim.row.job_id == alone
    # And then nobody has to wait for it.
    assert len(await workers[workers.index(waiting) - 1].claim_all("noop")) == 5


async def test_an_idle_worker_takes_the_job_before_a_busy_one_has_made_room(
    driver: StoreDriver,
) -> None:
    busy, idle = driver.another(), driver.another()
    await submit_noops(driver, 1)
    held = await busy.claim("noop")
    alone = await one_that_runs_alone(driver, (busy, held))
    assert await busy.claim_all("noop") == []
    assert [claim.row.job_id for claim in await idle.claim_all("noop")] == [alone]


async def test_a_job_that_runs_alone_has_its_turn_as_all_others(driver: StoreDriver) -> None:
    alone = await one_that_runs_alone(driver)
    [urgent] = await submit_noops(driver, 1, priority=1)
    worker = driver.another()
    first = await worker.claim("noop")
    assert first.row.job_id == urgent
    await worker.finish(first)
    assert (await worker.claim("noop")).row.job_id == alone


async def test_a_claim_that_drains_is_company(driver: StoreDriver) -> None:
    worker = driver.another()
    cancelled = await driver.submit("csv_ingest", INGEST)
    drained = await worker.claim("csv_ingest")
    alone = await one_that_runs_alone(driver, (worker, drained))
    await driver.cancel(cancelled.pipeline_id)
    assert await worker.claim_all("noop") == []
    await worker.release(drained)
    assert [claim.row.job_id for claim in await worker.claim_all("noop")] == [alone]


async def test_a_repeated_claim_gets_the_job_that_runs_alone_again(driver: StoreDriver) -> None:
    await one_that_runs_alone(driver)
    worker, request_id = driver.another(), uuid4()
    [first] = await worker.claim_all("noop", request_id=request_id)
    [again] = await worker.claim_all("noop", request_id=request_id)
    assert again.claim_token == first.claim_token
    assert (await worker.finish(first)).outcome is FinishOutcome.APPLIED
    assert await worker.claim_all("noop", request_id=request_id) == []


async def test_claims_at_two_schedulers_at_once_give_a_job_that_runs_alone_no_company(
    driver: StoreDriver, database_url: str
) -> None:
    other = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        for _ in range(8):
            await one_that_runs_alone(driver)
            await submit_noops(driver, 4)
            worker = driver.another()
            there = StoreDriver(other, worker.worker_id)
            answers = await asyncio.gather(
                *(one.claim_all("noop", max_jobs=2) for one in (worker, there) * 4)
            )
            assert await driver.store.pool.fetchval(COMPANY_OF_THE_ALONE) == 0
            [claim] = [claim for answer in answers for claim in answer]
            assert claim.row.runs_alone
            await worker.finish(claim)
            while claims := await driver.claim_all("noop"):
                for claim in claims:
                    await driver.finish(claim)
    finally:
        await other.close()
