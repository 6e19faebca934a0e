"""CancelPipeline ends what is live, leaves what others joined, and drains running claims."""

import asyncio

import pytest

from scheduler_service.jobs.requests import (
    Cancelled,
    ClaimDirective,
    FinishOutcome,
    Refused,
    ReleaseReason,
    Written,
)
from scheduler_service.jobs.states import JobResult
from tests.store.desk import INGEST, PLANE, RECALC, Desk


async def test_a_waiting_job_is_cancelled_and_its_key_is_free(desk: Desk) -> None:
    first = await desk.submit("csv_ingest", INGEST)
    second = await desk.submit("csv_ingest", INGEST)
    answer = await desk.cancel(first.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert answer.cancelled_job_ids == (first.job_id,)
    assert await desk.status(first.pipeline_id) == "CANCELLED"
    assert await desk.state(second.job_id) == "QUEUED"


async def test_a_running_claim_drains_before_the_next_of_its_key_runs(desk: Desk) -> None:
    first = await desk.submit("csv_ingest", INGEST)
    second = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.cancel(first.pipeline_id)
    assert await desk.state(first.job_id) == "FINISHED CANCELLED"
    assert await desk.state(second.job_id) == "NOT_STARTED"
    assert (await desk.beat(claim)).directive is ClaimDirective.CANCEL
    assert await desk.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    assert await desk.state(second.job_id) == "QUEUED"
    assert (await desk.beat(claim)).directive is ClaimDirective.LOST


async def test_a_drain_ends_with_its_lease(desk: Desk) -> None:
    first = await desk.submit("csv_ingest", INGEST)
    second = await desk.submit("csv_ingest", INGEST)
    await desk.claim("csv_ingest")
    await desk.cancel(first.pipeline_id)
    assert await desk.let_leases_lapse() == 1
    assert await desk.state(second.job_id) == "QUEUED"


async def test_a_cancelled_run_that_had_committed_is_repaired(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    claim = await desk.claim("csv_ingest")
    await desk.cancel(submitted.pipeline_id)
    ended = await desk.finish(claim)
    assert ended.outcome is FinishOutcome.STALE
    (repair,) = await desk.store.pool.fetch(
        "SELECT * FROM scheduler.pipelines WHERE kind = 'repair'"
    )
    assert repair["repair_of"] == submitted.pipeline_id
    recalc = await desk.claim("emission_recalc")
    assert recalc.close_through == {"entries/2/2024": claim.claim_token}


async def test_what_others_joined_is_left_to_them(desk: Desk) -> None:
    first = await desk.submit("emission_recalc", RECALC)
    second = await desk.submit("emission_recalc", RECALC)
    answer = await desk.cancel(first.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert answer.unlinked_job_ids == (first.job_id,)
    assert await desk.status(first.pipeline_id) == "CANCELLED"
    assert await desk.status(second.pipeline_id) == "LIVE"
    await desk.finish(await desk.claim("emission_recalc"))
    assert await desk.status(second.pipeline_id) == "SUCCESS"


async def test_cancel_against_join_never_kills_the_joiner(desk: Desk) -> None:
    for _ in range(10):
        first = await desk.submit("emission_recalc", RECALC)
        cancelled, joined = await asyncio.gather(
            desk.cancel(first.pipeline_id), desk.submit("emission_recalc", RECALC)
        )
        assert isinstance(cancelled, Cancelled)
        assert await desk.status(first.pipeline_id) == "CANCELLED"
        assert await desk.status(joined.pipeline_id) == "LIVE"
        await desk.finish(await desk.claim("emission_recalc"))
        assert await desk.status(joined.pipeline_id) == "SUCCESS"


@pytest.mark.parametrize("rounds", [8])
async def test_cancel_against_finish_ends_either_way_and_never_both(
    desk: Desk, rounds: int
) -> None:
    for _ in range(rounds):
        submitted = await desk.submit("csv_ingest", INGEST)
        claim = await desk.claim("csv_ingest")
        await desk.chain(claim, ("emission_recalc", PLANE))
        ended, _ = await asyncio.gather(desk.finish(claim), desk.cancel(submitted.pipeline_id))
        state = await desk.state(submitted.job_id)
        assert state == ("FINISHED SUCCESS" if ended.finished else "FINISHED CANCELLED")
        assert await desk.status(submitted.pipeline_id) == "CANCELLED"
        for recalc in await desk.claim_all("emission_recalc"):
            await desk.finish(recalc)


async def test_nothing_live_is_nothing_to_cancel(desk: Desk) -> None:
    submitted = await desk.submit("csv_ingest", INGEST)
    await desk.finish(await desk.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    refused = await desk.cancel(submitted.pipeline_id)
    assert isinstance(refused, Refused)
    assert refused.reason == "NOTHING_TO_CANCEL"
    unknown = await desk.cancel(424242)
    assert isinstance(unknown, Refused)
    assert unknown.reason == "PIPELINE_NOT_FOUND"
