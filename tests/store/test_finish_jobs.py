"""Finish is a compare-and-set on the claim, with all that follows in one transaction."""

import asyncio
from collections.abc import Sequence

import pytest

from scheduler_service.jobs.requests import (
    Claimed,
    Disposition,
    Ended,
    FinishOutcome,
    Refused,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store import finish_jobs as finish_jobs_module
from scheduler_service.store.transaction import Row, Transaction
from tests.store.desk import INGEST, PLANE, RECALC, TENANT, TRAIN, Desk


async def test_a_claim_finishes_its_job_once(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    first = await desk.finish(claim)
    assert (first.finished, first.outcome) == (True, FinishOutcome.APPLIED)
    again = await desk.finish(claim)
    assert (again.finished, again.outcome) == (True, FinishOutcome.ALREADY_APPLIED)
    other = await desk.finish(claim, JobResult.WARNING)
    assert (other.finished, other.outcome) == (False, FinishOutcome.CONFLICT)


async def test_a_late_worker_is_refused(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    late = await desk.claim("csv_ingest")
    assert await desk.let_leases_lapse() == 1
    successor = desk.another()
    claim = await successor.claim("csv_ingest")
    assert claim.claim_token > late.claim_token
    refused = await desk.finish(late)
    assert (refused.finished, refused.outcome) == (False, FinishOutcome.STALE)
    assert await desk.state(submitted.job_id) == "RUNNING"
    assert (await successor.finish(claim)).finished


async def test_a_claim_lost_while_its_end_is_looked_up_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    late = await desk.claim("csv_ingest")
    successor = desk.another()
    claims: list[Claimed] = []
    peek = finish_jobs_module._peek

    async def peek_and_dawdle(tx: Transaction, job_ids: Sequence[int]) -> list[Row]:
        rows = await peek(tx, job_ids)
        if not claims:
            await desk.let_leases_lapse()
            claims.append(await successor.claim("csv_ingest"))
        return rows

    monkeypatch.setattr(finish_jobs_module, "_peek", peek_and_dawdle)
    assert (await desk.finish(late)).outcome is FinishOutcome.STALE
    assert await desk.state(submitted.job_id) == "RUNNING"
    assert (await successor.finish(claims[0])).outcome is FinishOutcome.APPLIED


async def test_another_worker_cannot_finish_by_guessing_a_token(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    thief = desk.another()
    answer = await thief.finish(claim)
    assert answer.outcome is FinishOutcome.STALE
    assert await desk.state(submitted.job_id) == "RUNNING"


@pytest.mark.parametrize(("job_type", "scope"), [("noop", Scope(TENANT)), ("csv_ingest", INGEST)])
async def test_another_caller_in_the_same_batch_stands_in_nobodys_way(
    desk: Desk, job_type: str, scope: Scope
) -> None:
    submitted = await desk.submit(job_type, scope)
    holder = desk.ending(await desk.claim(job_type))
    thief = holder._replace(principal="other", result=JobResult.WARNING)
    answers = await desk.store.finish_jobs([thief, holder, thief])
    outcomes = [answer.outcome for answer in answers if isinstance(answer, Ended)]
    refused, applied = FinishOutcome.CONFLICT, FinishOutcome.APPLIED
    assert outcomes == [refused, applied, refused]
    assert await desk.state(submitted.job_id) == "FINISHED SUCCESS"


async def test_an_unknown_job_is_said_to_be_unknown(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    ending = desk.ending(claim)
    unknown = ending._replace(job_id=999999)
    answers = await desk.store.finish_jobs([unknown, ending])
    assert isinstance(answers[0], Refused)
    assert answers[0].reason == "JOB_NOT_FOUND"
    assert isinstance(answers[1], Ended)
    assert answers[1].finished


async def test_a_stale_ending_before_the_holder_in_one_batch_does_not_hide_it(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    late = await desk.claim("csv_ingest")
    await desk.release(late)
    claim = await desk.claim("csv_ingest")
    answers = await desk.store.finish_jobs([desk.ending(late), desk.ending(claim)])
    assert [a.outcome for a in answers if isinstance(a, Ended)] == [
        FinishOutcome.STALE,
        FinishOutcome.APPLIED,
    ]


async def test_the_same_job_twice_in_one_batch_is_decided_by_the_first(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    good, bad = desk.ending(claim), desk.ending(claim, JobResult.ERROR, Written.NOTHING)
    answers = await desk.store.finish_jobs([good, bad, good])
    assert [a.outcome for a in answers if isinstance(a, Ended)] == [
        FinishOutcome.APPLIED,
        FinishOutcome.CONFLICT,
        FinishOutcome.ALREADY_APPLIED,
    ]


async def test_children_are_no_jobs_before_the_finish(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE))
    assert await desk.jobs_of("emission_recalc") == []
    ended = await desk.finish(claim)
    (child,) = ended.children
    assert child.disposition is Disposition.CREATED
    assert await desk.state(child.job_id) == "QUEUED"


@pytest.mark.parametrize("how", ["error", "lapse", "release", "cancel"])
async def test_children_never_survive_another_end_of_the_claim(desk: Desk, how: str) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE))
    match how:
        case "error":
            await desk.finish(claim, JobResult.ERROR, Written.NOTHING)
        case "lapse":
            assert await desk.let_leases_lapse() == 1
        case "release":
            assert await desk.release(claim)
        case _:
            await desk.cancel(submitted.pipeline_id)
            assert await desk.release(claim)
    assert await desk.jobs_of("emission_recalc") == []
    staged = await desk.store.pool.fetchval("SELECT count(*) FROM scheduler.staged_children")
    assert staged == 0


async def test_three_recalculations_give_one_aggregation_after_all_three(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await desk.finish(claim)
    first = await desk.claim("emission_recalc")
    second = await desk.claim("emission_recalc")
    await desk.chain(first, ("aggregation", None))
    await desk.chain(second, ("aggregation", None))
    held = await desk.finish(first)
    assert [c.disposition for c in held.children] == [Disposition.HELD]
    assert await desk.jobs_of("aggregation") == []
    made = await desk.finish(second)
    assert [c.disposition for c in made.children] == [Disposition.CREATED]
    assert len(await desk.jobs_of("aggregation")) == 1
    assert await desk.status(submitted.pipeline_id) == "LIVE"
    await desk.finish(await desk.claim("aggregation"))
    assert await desk.status(submitted.pipeline_id) == "SUCCESS"


async def test_two_last_siblings_at_once_give_one_aggregation(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await desk.finish(claim)
    siblings = [await desk.claim("emission_recalc") for _ in range(2)]
    for sibling in siblings:
        await desk.chain(sibling, ("aggregation", None))
    await asyncio.gather(*(desk.finish(sibling) for sibling in siblings))
    assert len(await desk.jobs_of("aggregation")) == 1


async def test_both_siblings_in_one_batch_give_one_aggregation(desk: Desk) -> None:
    await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await desk.finish(claim)
    siblings = [await desk.claim("emission_recalc") for _ in range(2)]
    for sibling in siblings:
        await desk.chain(sibling, ("aggregation", None))
    await desk.store.finish_jobs([desk.ending(s) for s in siblings])
    assert len(await desk.jobs_of("aggregation")) == 1


async def test_a_failed_last_sibling_turns_the_wish_into_a_job(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await desk.finish(claim)
    good = await desk.claim("emission_recalc")
    bad = await desk.claim("emission_recalc")
    await desk.chain(good, ("aggregation", None))
    await desk.finish(good)
    await desk.finish(bad, JobResult.ERROR, Written.NOTHING)
    assert [j["state"] for j in await desk.jobs_of("aggregation")] == ["QUEUED"]
    await desk.finish(await desk.claim("aggregation"))
    assert await desk.status(submitted.pipeline_id) == "PARTIAL"


async def test_all_failed_siblings_give_no_aggregation(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await desk.finish(claim)
    for _ in range(2):
        bad = await desk.claim("emission_recalc")
        await desk.finish(bad, JobResult.ERROR, Written.NOTHING)
    assert await desk.jobs_of("aggregation") == []
    assert await desk.status(submitted.pipeline_id) == "PARTIAL"


async def test_a_failed_root_fails_its_pipeline(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.finish(claim, JobResult.ERROR, Written.NOTHING)
    assert await desk.status(submitted.pipeline_id) == "FAILED"


async def test_a_warning_is_remembered_and_the_pipeline_succeeds(desk: Desk) -> None:
    submitted = await desk.submit("emission_recalc", RECALC)
    await desk.finish(await desk.claim("emission_recalc"), JobResult.WARNING)
    pipeline = await desk.pipeline(submitted.pipeline_id)
    assert (pipeline["status"], pipeline["warned_jobs"]) == ("SUCCESS", 1)


async def test_versions_have_no_gaps(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    seen = [(await desk.pipeline(submitted.pipeline_id))["version"]]
    claim = await desk.claim("csv_ingest")
    await desk.chain(claim, ("emission_recalc", PLANE))
    await desk.finish(claim)
    seen.append((await desk.pipeline(submitted.pipeline_id))["version"])
    recalc = await desk.claim("emission_recalc")
    await desk.chain(recalc, ("aggregation", None))
    await desk.finish(recalc)
    seen.append((await desk.pipeline(submitted.pipeline_id))["version"])
    await desk.finish(await desk.claim("aggregation"))
    seen.append((await desk.pipeline(submitted.pipeline_id))["version"])
    assert seen == [1, 2, 3, 4]
