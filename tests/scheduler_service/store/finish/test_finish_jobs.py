"""Finish is a compare-and-set on the claim, with all that follows in one transaction."""

import asyncio

import pytest

from scheduler_service.jobs.requests import (
    Disposition,
    FinishAnswer,
    FinishOutcome,
    Refused,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.cancel.cancel_pipeline import cancel_pipeline
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAIN,
    StoreDriver,
    a_statement_waits,
)


async def test_a_claim_finishes_its_job_once(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    first = await driver.finish(claim)
    assert (first.finished, first.outcome) == (True, FinishOutcome.APPLIED)
    again = await driver.finish(claim)
    assert (again.finished, again.outcome) == (True, FinishOutcome.ALREADY_APPLIED)
    other = await driver.finish(claim, JobResult.WARNING)
    assert (other.finished, other.outcome) == (False, FinishOutcome.CONFLICT)


async def test_a_late_worker_is_refused(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    late = await driver.claim("csv_ingest")
    assert await driver.let_leases_expire() == 1
    successor = driver.another()
    claim = await successor.claim("csv_ingest")
    assert claim.claim_token > late.claim_token
    refused = await driver.finish(late)
    assert (refused.finished, refused.outcome) == (False, FinishOutcome.STALE)
    assert await driver.state(submitted.job_id) == "RUNNING"
    assert (await successor.finish(claim)).finished


@pytest.mark.usefixtures("long_waits")
async def test_a_claim_lost_while_its_end_is_looked_up_ends_nothing(driver: StoreDriver) -> None:
    """The expiry holds the pipeline when the Finish looks at the job, and commits only then."""
    submitted = await driver.submit("csv_ingest", INGEST)
    late = await driver.claim("csv_ingest")
    holds, may_commit = asyncio.Event(), asyncio.Event()

    async def expire_slowly(tx: UnitOfWork) -> None:
        job_id, token = late.row.job_id, late.claim_token
        await release_claims(tx, [ReleasedClaim(job_id, token, Fault.DRAIN, Written.NOTHING)])
        holds.set()
        await may_commit.wait()

    expiring = asyncio.create_task(driver.store._units.run(expire_slowly))
    await holds.wait()
    finishing = asyncio.create_task(driver.finish(late))
    await a_statement_waits(driver)
    may_commit.set()
    await expiring
    assert (await finishing).outcome is FinishOutcome.STALE
    assert await driver.state(submitted.job_id) == "QUEUED"
    successor = driver.another()
    answer = await successor.finish(await successor.claim("csv_ingest"))
    assert answer.outcome is FinishOutcome.APPLIED


@pytest.mark.usefixtures("long_waits")
async def test_a_pipeline_that_leaves_a_job_while_it_ends_is_not_counted_again(
    driver: StoreDriver,
) -> None:
    """Its cancel holds it when the Finish looks at the links, and commits only then."""
    owner = await driver.submit("emission_recalc", RECALC)
    joined = await driver.submit("emission_recalc", RECALC)
    claim = await driver.claim("emission_recalc")
    holds, may_commit = asyncio.Event(), asyncio.Event()

    async def cancel_slowly(tx: UnitOfWork) -> None:
        await cancel_pipeline(tx, joined.pipeline_id, (TENANT,), "a test asks", "tester")
        await tx.save()
        holds.set()
        await may_commit.wait()

    cancelling = asyncio.create_task(driver.store._units.run(cancel_slowly))
    await holds.wait()
    finishing = asyncio.create_task(driver.finish(claim))
    await a_statement_waits(driver)
    may_commit.set()
    await cancelling
    assert (await finishing).outcome is FinishOutcome.APPLIED
    assert await driver.status(owner.pipeline_id) == "SUCCESS"
    assert await driver.status(joined.pipeline_id) == "CANCELLED"


async def test_another_worker_cannot_finish_by_guessing_a_token(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    thief = driver.another()
    answer = await thief.finish(claim)
    assert answer.outcome is FinishOutcome.STALE
    assert await driver.state(submitted.job_id) == "RUNNING"


@pytest.mark.parametrize(("job_type", "scope"), [("noop", Scope(TENANT)), ("csv_ingest", INGEST)])
async def test_another_caller_in_the_same_batch_stands_in_nobodys_way(
    driver: StoreDriver, job_type: str, scope: Scope
) -> None:
    submitted = await driver.submit(job_type, scope)
    holder = driver.ending(await driver.claim(job_type))
    thief = holder._replace(principal="other", result=JobResult.WARNING)
    answers = await driver.finish_jobs([thief, holder, thief])
    outcomes = [answer.outcome for answer in answers if isinstance(answer, FinishAnswer)]
    refused, applied = FinishOutcome.STALE, FinishOutcome.APPLIED
    assert outcomes == [refused, applied, refused]
    assert await driver.state(submitted.job_id) == "FINISHED SUCCESS"


async def test_an_unknown_job_is_said_to_be_unknown(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    ending = driver.ending(claim)
    unknown = ending._replace(job_id=999999)
    answers = await driver.finish_jobs([unknown, ending])
    assert isinstance(answers[0], Refused)
    assert answers[0].reason == "JOB_NOT_FOUND"
    assert isinstance(answers[1], FinishAnswer)
    assert answers[1].finished


async def test_a_stale_ending_before_the_holder_in_one_batch_does_not_hide_it(
    driver: StoreDriver,
) -> None:
    await driver.submit("csv_ingest", INGEST)
    late = await driver.claim("csv_ingest")
    await driver.release(late)
    claim = await driver.claim("csv_ingest")
    answers = await driver.finish_jobs([driver.ending(late), driver.ending(claim)])
    assert [a.outcome for a in answers if isinstance(a, FinishAnswer)] == [
        FinishOutcome.STALE,
        FinishOutcome.APPLIED,
    ]


async def test_the_same_job_twice_in_one_batch_is_decided_by_the_first(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    good, bad = driver.ending(claim), driver.ending(claim, JobResult.ERROR, Written.NOTHING)
    answers = await driver.finish_jobs([good, bad, good])
    assert [a.outcome for a in answers if isinstance(a, FinishAnswer)] == [
        FinishOutcome.APPLIED,
        FinishOutcome.CONFLICT,
        FinishOutcome.ALREADY_APPLIED,
    ]


async def test_children_are_no_jobs_before_the_finish(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    assert await driver.jobs_of("emission_recalc") == []
    ended = await driver.finish(claim)
    (child,) = ended.children
    assert child.disposition is Disposition.CREATED
    assert await driver.state(child.job_id) == "QUEUED"


@pytest.mark.parametrize("how", ["error", "expiry", "release", "cancel"])
async def test_children_never_survive_another_end_of_the_claim(
    driver: StoreDriver, how: str
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    match how:
        case "error":
            await driver.finish(claim, JobResult.ERROR, Written.NOTHING)
        case "expiry":
            assert await driver.let_leases_expire() == 1
        case "release":
            assert await driver.release(claim)
        case _:
            await driver.cancel(submitted.pipeline_id)
            assert await driver.release(claim)
    assert await driver.jobs_of("emission_recalc") == []
    staged = await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.staged_children")
    assert staged == 0


async def test_three_recalculations_give_one_aggregation_after_all_three(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    first = await driver.claim("emission_recalc")
    second = await driver.claim("emission_recalc")
    await driver.chain(first, ("aggregation", None))
    await driver.chain(second, ("aggregation", None))
    held = await driver.finish(first)
    assert [c.disposition for c in held.children] == [Disposition.HELD]
    assert await driver.jobs_of("aggregation") == []
    made = await driver.finish(second)
    assert [c.disposition for c in made.children] == [Disposition.CREATED]
    assert len(await driver.jobs_of("aggregation")) == 1
    assert await driver.status(submitted.pipeline_id) == "LIVE"
    await driver.finish(await driver.claim("aggregation"))
    assert await driver.status(submitted.pipeline_id) == "SUCCESS"


async def test_two_last_siblings_at_once_give_one_aggregation(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    siblings = [await driver.claim("emission_recalc") for _ in range(2)]
    for sibling in siblings:
        await driver.chain(sibling, ("aggregation", None))
    await asyncio.gather(*(driver.finish(sibling) for sibling in siblings))
    assert len(await driver.jobs_of("aggregation")) == 1


async def test_both_siblings_in_one_batch_give_one_aggregation(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    siblings = [await driver.claim("emission_recalc") for _ in range(2)]
    for sibling in siblings:
        await driver.chain(sibling, ("aggregation", None))
    await driver.finish_jobs([driver.ending(s) for s in siblings])
    assert len(await driver.jobs_of("aggregation")) == 1


async def test_a_failed_last_sibling_makes_the_held_child_a_job(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    good = await driver.claim("emission_recalc")
    bad = await driver.claim("emission_recalc")
    await driver.chain(good, ("aggregation", None))
    await driver.finish(good)
    await driver.finish(bad, JobResult.ERROR, Written.NOTHING)
    assert [j["state"] for j in await driver.jobs_of("aggregation")] == ["QUEUED"]
    await driver.finish(await driver.claim("aggregation"))
    assert await driver.status(submitted.pipeline_id) == "PARTIAL"


async def test_all_failed_siblings_give_no_aggregation(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    for _ in range(2):
        bad = await driver.claim("emission_recalc")
        await driver.finish(bad, JobResult.ERROR, Written.NOTHING)
    assert await driver.jobs_of("aggregation") == []
    assert await driver.status(submitted.pipeline_id) == "PARTIAL"


async def test_a_failed_root_fails_its_pipeline(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.finish(claim, JobResult.ERROR, Written.NOTHING)
    assert await driver.status(submitted.pipeline_id) == "FAILED"


async def test_a_warning_is_remembered_and_the_pipeline_succeeds(driver: StoreDriver) -> None:
    submitted = await driver.submit("emission_recalc", RECALC)
    await driver.finish(await driver.claim("emission_recalc"), JobResult.WARNING)
    pipeline = await driver.pipeline(submitted.pipeline_id)
    assert (pipeline["status"], pipeline["warned_jobs"]) == ("SUCCESS", 1)


async def test_versions_have_no_gaps(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    seen = [(await driver.pipeline(submitted.pipeline_id))["version"]]
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)
    seen.append((await driver.pipeline(submitted.pipeline_id))["version"])
    recalc = await driver.claim("emission_recalc")
    await driver.chain(recalc, ("aggregation", None))
    await driver.finish(recalc)
    seen.append((await driver.pipeline(submitted.pipeline_id))["version"])
    await driver.finish(await driver.claim("aggregation"))
    seen.append((await driver.pipeline(submitted.pipeline_id))["version"])
    assert seen == [1, 2, 3, 4]
