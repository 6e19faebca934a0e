"""CancelPipeline ends what is live, leaves what others joined, and drains running claims."""

import asyncio
from collections.abc import Sequence

import pytest

from scheduler_service.jobs.requests import (
    Cancelled,
    ChildRequest,
    ClaimDirective,
    FinishOutcome,
    Refused,
    ReleaseReason,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.cancel import cancel_pipeline
from scheduler_service.store.core import statements
from scheduler_service.store.core.rows import End
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.ending.end_jobs import end_jobs
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TOTALS,
    TRAIN,
    StoreDriver,
)


async def test_a_waiting_job_is_cancelled_and_its_key_is_free(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    second = await driver.submit("csv_ingest", INGEST)
    answer = await driver.cancel(first.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert answer.cancelled_job_ids == (first.job_id,)
    assert await driver.status(first.pipeline_id) == "CANCELLED"
    assert await driver.state(second.job_id) == "QUEUED"


async def test_a_running_claim_drains_before_the_next_of_its_key_runs(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    second = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.cancel(first.pipeline_id)
    assert await driver.state(first.job_id) == "FINISHED CANCELLED"
    assert await driver.state(second.job_id) == "NOT_STARTED"
    assert (await driver.beat(claim)).directive is ClaimDirective.CANCEL
    assert await driver.release(claim, ReleaseReason.CANCELLED, Written.NOTHING)
    assert await driver.state(second.job_id) == "QUEUED"
    assert (await driver.beat(claim)).directive is ClaimDirective.LOST


async def test_a_drain_ends_with_its_lease(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    second = await driver.submit("csv_ingest", INGEST)
    await driver.claim("csv_ingest")
    await driver.cancel(first.pipeline_id)
    assert await driver.let_leases_expire() == 1
    assert await driver.state(second.job_id) == "QUEUED"


async def test_a_cancelled_run_that_had_committed_is_repaired(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.cancel(submitted.pipeline_id)
    ended = await driver.finish(claim)
    assert ended.outcome is FinishOutcome.STALE
    (repair,) = await driver.store.pool.fetch(
        "SELECT * FROM scheduler.pipelines WHERE kind = 'repair'"
    )
    assert repair["repair_of"] == submitted.pipeline_id
    recalc = await driver.claim("emission_recalc")
    assert recalc.close_through == {"entries/2/2024": claim.claim_token}


async def test_what_others_joined_is_left_to_them(driver: StoreDriver) -> None:
    first = await driver.submit("emission_recalc", RECALC)
    second = await driver.submit("emission_recalc", RECALC)
    answer = await driver.cancel(first.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert answer.unlinked_job_ids == (first.job_id,)
    assert await driver.status(first.pipeline_id) == "CANCELLED"
    assert await driver.status(second.pipeline_id) == "LIVE"
    await driver.finish(await driver.claim("emission_recalc"))
    assert await driver.status(second.pipeline_id) == "SUCCESS"


async def test_all_who_joined_a_job_hear_that_it_passed_on_and_from_whom(
    driver: StoreDriver,
) -> None:
    first, heir, third, fourth = [await driver.submit("emission_recalc", RECALC) for _ in range(4)]
    joiners = [submitted.pipeline_id for submitted in (heir, third, fourth)]
    before = {p: (await driver.pipeline(p))["version"] for p in joiners}
    await driver.cancel(first.pipeline_id)
    views = await driver.store.read_views(before)
    for pipeline_id in joiners:
        assert views[pipeline_id].version == before[pipeline_id] + 1
        [job] = views[pipeline_id].jobs
        assert (job.job_id, job.pipeline_id) == (first.job_id, heir.pipeline_id)
    for submitted in (heir, third):
        await driver.cancel(submitted.pipeline_id)
    told = await driver.store.pool.fetch(
        "SELECT pipeline_id, detail FROM scheduler.job_events WHERE event = 'unlinked' "
        "ORDER BY event_id"
    )
    assert [tuple(row) for row in told] == [
        (heir.pipeline_id, f"from pipeline {first.pipeline_id}, which was cancelled"),
        (third.pipeline_id, f"from pipeline {heir.pipeline_id}, which was cancelled"),
        (fourth.pipeline_id, f"from pipeline {third.pipeline_id}, which was cancelled"),
    ]
    await driver.finish(await driver.claim("emission_recalc"))
    assert await driver.status(fourth.pipeline_id) == "SUCCESS"


async def test_cancel_against_join_never_kills_the_joiner(driver: StoreDriver) -> None:
    for _ in range(10):
        first = await driver.submit("emission_recalc", RECALC)
        cancelled, joined = await asyncio.gather(
            driver.cancel(first.pipeline_id), driver.submit("emission_recalc", RECALC)
        )
        assert isinstance(cancelled, Cancelled)
        assert await driver.status(first.pipeline_id) == "CANCELLED"
        assert await driver.status(joined.pipeline_id) == "LIVE"
        await driver.finish(await driver.claim("emission_recalc"))
        assert await driver.status(joined.pipeline_id) == "SUCCESS"


@pytest.mark.parametrize("rounds", [8])
async def test_cancel_against_finish_ends_either_way_and_never_both(
    driver: StoreDriver, rounds: int
) -> None:
    for _ in range(rounds):
        submitted = await driver.submit("csv_ingest", INGEST)
        claim = await driver.claim("csv_ingest")
        await driver.chain(claim, ("emission_recalc", PLANE))
        ended, _ = await asyncio.gather(driver.finish(claim), driver.cancel(submitted.pipeline_id))
        state = await driver.state(submitted.job_id)
        assert state == ("FINISHED SUCCESS" if ended.finished else "FINISHED CANCELLED")
        assert await driver.status(submitted.pipeline_id) == "CANCELLED"
        for recalc in await driver.claim_all("emission_recalc"):
            await driver.finish(recalc)


async def test_nothing_live_is_nothing_to_cancel(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.NOTHING)
    refused = await driver.cancel(submitted.pipeline_id)
    assert isinstance(refused, Refused)
    assert refused.reason == "NOTHING_TO_CANCEL"
    unknown = await driver.cancel(424242)
    assert isinstance(unknown, Refused)
    assert unknown.reason == "PIPELINE_NOT_FOUND"


async def test_a_repeated_cancel_answers_what_the_first_did(driver: StoreDriver) -> None:
    upload = await driver.submit("csv_ingest", INGEST)
    shared = await driver.submit("emission_recalc", RECALC)
    await driver.submit("emission_recalc", RECALC)
    for submitted in (upload, shared):
        first = await driver.cancel(submitted.pipeline_id)
        version = (await driver.pipeline(submitted.pipeline_id))["version"]
        assert isinstance(first, Cancelled)
        assert first.cancelled_job_ids + first.unlinked_job_ids == (submitted.job_id,)
        assert await driver.cancel(submitted.pipeline_id) == first
        assert (await driver.pipeline(submitted.pipeline_id))["version"] == version


async def test_who_cancelled_and_why_stands_in_the_timeline_once(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    for _ in range(2):
        await driver.cancel(submitted.pipeline_id)
    rows = await driver.store.pool.fetch(
        "SELECT detail FROM scheduler.job_events WHERE pipeline_id = $1 AND event = 'cancelled'",
        submitted.pipeline_id,
    )
    assert [row["detail"] for row in rows] == ["by tester: a test asks"]


async def test_many_jobs_end_a_part_at_a_time(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = []

    async def ended(tx: UnitOfWork, ends: Sequence[End]) -> object:
        parts.append(len(ends))
        return await end_jobs(tx, ends)

    monkeypatch.setattr(cancel_pipeline, "end_jobs", ended)
    submitted = await driver.submit("noop", Scope(TENANT))
    root = await driver.claim("noop")
    count = 2 * statements.AT_ONCE + 1
    names = [ChildRequest(f"{n}", "noop", None, None, None, None) for n in range(count)]
    await driver.chain_all(root, *names)
    await driver.finish(root)
    answer = await driver.cancel(submitted.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert len(set(answer.cancelled_job_ids)) == count
    assert parts == [statements.AT_ONCE, statements.AT_ONCE, 1]


async def test_jobs_of_one_key_that_end_in_parts_leave_it_to_the_next_one(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "AT_ONCE", 1)
    submitted = await driver.submit("routed_ingest", TOTALS)
    root = await driver.claim("routed_ingest")
    await driver.chain(root, ("csv_ingest", PLANE), ("csv_ingest", TRAIN))
    await driver.finish(root)
    behind = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    answer = await driver.cancel(submitted.pipeline_id)
    assert isinstance(answer, Cancelled)
    assert len(answer.cancelled_job_ids) == 2
    assert await driver.status(submitted.pipeline_id) == "CANCELLED"
    assert await driver.state(behind.job_id) == "NOT_STARTED"
    await driver.release(claim, ReleaseReason.CANCELLED)
    assert await driver.state(behind.job_id) == "QUEUED"
