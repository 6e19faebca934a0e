"""Claims are replayed, leases renewed, lapsed by the database clock, graced after an outage."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from scheduler_service.jobs.requests import ClaimDirective, FinishOutcome, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.give_back import Fault, GivenBack, give_back
from tests.store.desk import INGEST, TENANT, Desk

NOOP = Scope(TENANT)


async def test_a_repeated_claim_returns_what_is_still_held(desk: Desk) -> None:
    for _ in range(4):
        await desk.submit("noop", NOOP)
    request_id = uuid4()
    first = await desk.claim_all("noop", max_jobs=2, request_id=request_id)
    await desk.finish(first[0])
    again = await desk.claim_all("noop", max_jobs=2, request_id=request_id)
    assert [c.claim_token for c in again] == [first[1].claim_token]
    assert len(await desk.claim_all("noop")) == 2


async def test_the_same_claim_twice_at_once_takes_jobs_once(desk: Desk) -> None:
    for _ in range(6):
        await desk.submit("noop", NOOP)
    request_id = uuid4()
    answers = await asyncio.gather(
        *(desk.claim_all("noop", max_jobs=3, request_id=request_id) for _ in range(5))
    )
    tokens = {c.claim_token for answer in answers for c in answer}
    assert len(tokens) == 3
    assert len(await desk.claim_all("noop")) == 3


async def test_fifty_claims_at_once_never_share_a_job(desk: Desk) -> None:
    for _ in range(40):
        await desk.submit("noop", NOOP)
    answers = await asyncio.gather(
        *(desk.another().claim_all("noop", max_jobs=2) for _ in range(50))
    )
    jobs = [c.row["job_id"] for answer in answers for c in answer]
    assert len(jobs) == len(set(jobs)) == 40


async def test_beats_keep_a_claim_alive(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    for _ in range(6):
        await desk.pass_time(timedelta(seconds=15))
        assert await desk.store.lapse_claims() == 0
        answer = await desk.beat(claim)
        assert answer.directive is ClaimDirective.CONTINUE
        assert 44 < answer.lease_seconds_left <= 45
    assert (await desk.finish(claim)).outcome is FinishOutcome.APPLIED


async def test_after_an_outage_every_live_claim_gets_one_lease_once(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.store.lapse_claims()
    await desk.pass_time(timedelta(minutes=10))
    assert await desk.store.lapse_claims() == 0
    assert (await desk.beat(claim)).directive is ClaimDirective.CONTINUE
    assert await desk.let_leases_lapse() == 1


async def test_a_beat_between_the_look_and_the_lock_keeps_the_claim(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    lapse = GivenBack(claim.row["job_id"], claim.claim_token, Fault.LAPSE, Written.UNKNOWN)
    given = await desk.store._transactor.run(lambda tx: give_back(tx, [lapse]))
    assert given == set()
    assert (await desk.finish(claim)).finished


async def test_a_finish_in_time_beats_the_sweep(desk: Desk) -> None:
    for _ in range(8):
        submitted = await desk.submit("csv_ingest", INGEST)
        claim = await desk.claim("csv_ingest")
        await desk.store.lapse_claims()
        await desk.pass_time(timedelta(seconds=20))
        await desk.store.lapse_claims()
        await desk.pass_time(timedelta(seconds=20))
        await desk.store.lapse_claims()
        await desk.pass_time(timedelta(seconds=6))
        ended, lapsed = await asyncio.gather(desk.finish(claim), desk.store.lapse_claims())
        assert ended.finished is (lapsed == 0)
        if not ended.finished:
            await desk.finish(await desk.claim("csv_ingest"))
        assert (await desk.state(submitted.job_id)).startswith("FINISHED SUCCESS")
        for recalc in await desk.claim_all("emission_recalc"):
            await desk.finish(recalc)
        for aggregation in await desk.claim_all("aggregation"):
            await desk.finish(aggregation)
