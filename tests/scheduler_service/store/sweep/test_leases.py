"""Claims are replayed, leases renewed, expired by the database clock, graced after an outage."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from scheduler_service.jobs.requests import ClaimDirective, FinishOutcome, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

NOOP = Scope(TENANT)


async def test_a_repeated_claim_returns_what_is_still_held(driver: StoreDriver) -> None:
    for _ in range(4):
        await driver.submit("noop", NOOP)
    request_id = uuid4()
    first = await driver.claim_all("noop", max_jobs=2, request_id=request_id)
    await driver.finish(first[0])
    again = await driver.claim_all("noop", max_jobs=2, request_id=request_id)
    assert [c.claim_token for c in again] == [first[1].claim_token]
    assert len(await driver.claim_all("noop")) == 2


async def test_the_same_claim_twice_at_once_takes_jobs_once(driver: StoreDriver) -> None:
    for _ in range(6):
        await driver.submit("noop", NOOP)
    request_id = uuid4()
    answers = await asyncio.gather(
        *(driver.claim_all("noop", max_jobs=3, request_id=request_id) for _ in range(5))
    )
    tokens = {c.claim_token for answer in answers for c in answer}
    assert len(tokens) == 3
    assert len(await driver.claim_all("noop")) == 3


async def test_fifty_claims_at_once_never_share_a_job(driver: StoreDriver) -> None:
    for _ in range(40):
        await driver.submit("noop", NOOP)
    answers = await asyncio.gather(
        *(driver.another().claim_all("noop", max_jobs=2) for _ in range(50))
    )
    jobs = [c.row.job_id for answer in answers for c in answer]
    assert len(jobs) == len(set(jobs)) == 40


async def test_beats_keep_a_claim_alive(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    for _ in range(6):
        await driver.pass_time(timedelta(seconds=15))
        assert await driver.store.expire_claims() == 0
        answer = await driver.beat(claim)
        assert answer.directive is ClaimDirective.CONTINUE
        assert 44 < answer.lease_seconds_left <= 45
    assert (await driver.finish(claim)).outcome is FinishOutcome.APPLIED


async def test_after_an_outage_every_live_claim_gets_one_lease_once(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.store.expire_claims()
    await driver.pass_time(timedelta(minutes=10))
    assert await driver.store.expire_claims() == 0
    assert (await driver.beat(claim)).directive is ClaimDirective.CONTINUE
    assert await driver.let_leases_expire() == 1


async def test_a_beat_between_the_look_and_the_lock_keeps_the_claim(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    expiry = ReleasedClaim(claim.row.job_id, claim.claim_token, Fault.EXPIRY, Written.UNKNOWN)
    given = await driver.store._units.run(lambda tx: release_claims(tx, [expiry]))
    assert given == set()
    assert (await driver.finish(claim)).finished


async def test_a_finish_in_time_beats_the_sweep(driver: StoreDriver) -> None:
    for _ in range(8):
        submitted = await driver.submit("csv_ingest", INGEST)
        claim = await driver.claim("csv_ingest")
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=20))
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=20))
        await driver.store.expire_claims()
        await driver.pass_time(timedelta(seconds=6))
        ended, expired = await asyncio.gather(driver.finish(claim), driver.store.expire_claims())
        assert ended.finished is (expired == 0)
        if not ended.finished:
            # The pause after an expiry.
            await driver.pass_time(timedelta(seconds=2))
            await driver.store.promote_due_jobs()
            await driver.finish(await driver.claim("csv_ingest"))
        assert (await driver.state(submitted.job_id)).startswith("FINISHED SUCCESS")
        for recalc in await driver.claim_all("emission_recalc"):
            await driver.finish(recalc)
        for aggregation in await driver.claim_all("aggregation"):
            await driver.finish(aggregation)
