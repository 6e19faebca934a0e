"""Why a job does not run: every reason, and nothing that a worker would contradict."""

from datetime import timedelta
from uuid import uuid4

import pytest

from scheduler_service.jobs.explain import JobReason, JobReasonKind, explain, is_claimable
from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.job_types import enabled_job_types
from scheduler_service.jobs.requests import Beat, ClaimRequest, Refused, ReleaseReason, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.rpc import explanations
from scheduler_service.rpc.explanations import explanation
from scheduler_service.store.reads.explain import Explained
from tests.scheduler_service.store.reads.random_states import TYPES, RandomStates
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    TENANT,
    TRAIN,
    TRAVEL,
    YEAR,
    StoreDriver,
)

ENABLED = enabled_job_types(noop=True)
STEPS = 30


async def explained(driver: StoreDriver, job_id: int) -> Explained:
    found = await driver.store.explain_job(TENANT, job_id)
    assert isinstance(found, Explained)
    return found


async def reasons(driver: StoreDriver, job_id: int) -> list[JobReason]:
    return explain((await explained(driver, job_id)).facts, ENABLED)


async def kinds(driver: StoreDriver, job_id: int) -> list[JobReasonKind]:
    return [reason.kind for reason in await reasons(driver, job_id)]


async def a_worker_of_all_types(driver: StoreDriver) -> StoreDriver:
    """One that has asked already: the scheduler knows that it claims every type."""
    worker = driver.another()
    assert await worker.claim_all(*TYPES) == []
    return worker


async def a_worker_that_is_busy(driver: StoreDriver) -> None:
    """One that claims every type, and holds a job of another tenant."""
    await driver.submit("noop", Scope("other"), priority=0)
    assert len(await driver.another().claim_all(*TYPES)) == 1


@pytest.mark.parametrize("seed", range(12))
async def test_a_job_is_claimable_or_a_reason_blocks_it(driver: StoreDriver, seed: int) -> None:
    states = RandomStates(driver, seed)
    for _ in range(STEPS):
        await states.step()
    jobs = await driver.store.pool.fetch("SELECT job_id, state FROM scheduler.jobs")
    found = {row["job_id"]: await reasons(driver, row["job_id"]) for row in jobs}
    claimed: set[int] = set()
    # A job that runs alone comes alone: each worker asks once.
    while claims := await driver.another().claim_all(*TYPES, max_jobs=1_000):
        claimed |= {claim.row.job_id for claim in claims}
    assert {job_id for job_id, why in found.items() if is_claimable(why)} == claimed
    assert all(why for job_id, why in found.items() if not is_claimable(why))
    await driver.store.promote_due_jobs()


async def test_a_job_behind_another_names_it_and_who_runs_it(driver: StoreDriver) -> None:
    worker = await a_worker_of_all_types(driver)
    first = await driver.submit("csv_ingest", INGEST)
    await worker.claim("csv_ingest")
    await driver.submit("csv_ingest", INGEST)
    last = await driver.submit("csv_ingest", INGEST)
    [older] = await reasons(driver, last.job_id)
    assert (older.kind, older.jobs, older.job_id) == (JobReasonKind.OLDER_JOBS, 2, first.job_id)
    assert older.worker_id == str(worker.worker_id)
    assert f"worker {worker.worker_id} runs" in older.message
    [running] = await reasons(driver, first.job_id)
    assert (running.kind, running.worker_id) == (JobReasonKind.RUNNING, str(worker.worker_id))
    assert running.until is not None


async def test_a_job_behind_a_cancelled_one_waits_for_its_claim(driver: StoreDriver) -> None:
    worker = await a_worker_of_all_types(driver)
    cancelled = await driver.submit("csv_ingest", INGEST)
    claim = await worker.claim("csv_ingest")
    await driver.cancel(cancelled.pipeline_id)
    waiting = await driver.submit("csv_ingest", INGEST)
    [drain] = await reasons(driver, waiting.job_id)
    assert (drain.kind, drain.job_id) == (JobReasonKind.DRAINING_CLAIM, cancelled.job_id)
    assert drain.worker_id == str(worker.worker_id)
    await worker.release(claim, ReleaseReason.CANCELLED)
    assert await kinds(driver, waiting.job_id) == []
    assert await kinds(driver, cancelled.job_id) == [JobReasonKind.FINISHED]


async def test_a_failed_attempt_waits_for_its_time_and_then_for_the_sweep(
    driver: StoreDriver,
) -> None:
    worker = await a_worker_of_all_types(driver)
    job = await driver.submit("csv_ingest", INGEST)
    await worker.release(await worker.claim("csv_ingest"), ReleaseReason.RETRY_LATER)
    [due, attempts] = await reasons(driver, job.job_id)
    assert due.kind == JobReasonKind.NOT_DUE
    assert due.until == (await driver.job(job.job_id))["run_after"]
    assert attempts.kind == JobReasonKind.EARLIER_ATTEMPTS
    last = f"The last one was by worker {worker.worker_id}."
    assert attempts.message == f"1 attempt of 5 is used. {last}"
    assert attempts.worker_id == str(worker.worker_id)
    assert str(worker.worker_id) in attempts.advice
    await driver.pass_time(timedelta(seconds=5))
    assert await kinds(driver, job.job_id) == [
        JobReasonKind.NEXT_SWEEP,
        JobReasonKind.EARLIER_ATTEMPTS,
    ]
    await driver.store.promote_due_jobs()
    assert await kinds(driver, job.job_id) == [JobReasonKind.EARLIER_ATTEMPTS]


async def test_a_running_job_names_the_worker_of_the_attempt_before(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    first, second = driver.another(), driver.another()
    for worker in (first, second):
        await worker.claim("noop")
        await driver.let_leases_expire()
    third = driver.another()
    await third.claim("noop")
    [running, attempts] = await reasons(driver, job.job_id)
    assert running.worker_id == str(third.worker_id)
    assert attempts.worker_id == str(second.worker_id)
    assert f"by worker {second.worker_id}." in attempts.message


async def test_a_job_whose_claim_has_expired_says_that_it_runs_alone(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    await driver.another().claim("noop")
    await driver.let_leases_expire()
    await a_worker_that_is_busy(driver)
    assert await kinds(driver, job.job_id) == [
        JobReasonKind.RUNS_ALONE,
        JobReasonKind.EARLIER_ATTEMPTS,
    ]


async def test_claimable_jobs_know_how_many_come_first(driver: StoreDriver) -> None:
    await a_worker_of_all_types(driver)
    jobs = [await driver.submit("noop", Scope(TENANT)) for _ in range(4)]
    urgent = await driver.submit("noop", Scope(TENANT), priority=1)
    ahead = [
        [(r.kind, r.jobs) for r in await reasons(driver, job.job_id)] for job in (urgent, *jobs)
    ]
    assert ahead == [[], *([(JobReasonKind.JOBS_AHEAD, count)] for count in (1, 2, 3, 4))]


async def test_a_job_that_no_live_worker_takes_says_so(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    [no_worker] = await reasons(driver, job.job_id)
    assert no_worker.kind == JobReasonKind.NO_WORKER
    assert not no_worker.blocks
    assert "1 with other job types (build test)" in no_worker.message
    worker = driver.another()
    await worker.release(await worker.claim("noop"))
    assert await reasons(driver, job.job_id) == []
    await driver.store.heartbeat(Heartbeat(worker.worker_id, "local", (TENANT,), [], False))
    await driver.pass_time(timedelta(seconds=100))
    [no_worker] = await reasons(driver, job.job_id)
    assert "1 lost (build test)" in no_worker.message


async def test_a_worker_that_drains_takes_no_job(driver: StoreDriver) -> None:
    worker = driver.another()
    claim, job = [await driver.submit("noop", Scope(TENANT)) for _ in range(2)]
    held = await worker.claim("noop")
    beat = Beat(held.row.job_id, held.claim_token, None)
    await driver.store.heartbeat(Heartbeat(worker.worker_id, "local", (TENANT,), [beat], True))
    assert held.row.job_id == claim.job_id
    [no_worker] = await reasons(driver, job.job_id)
    assert "1 draining (build test)" in no_worker.message


async def test_a_worker_of_another_tenant_does_not_help(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    stranger = ClaimRequest(uuid4(), uuid4(), ("noop",), 1, "stranger", ("other",), "b", "h")
    assert await driver.store.claim_jobs(stranger) == []
    [no_worker] = await reasons(driver, job.job_id)
    assert "1 with other tenants" in no_worker.message


async def test_a_job_of_a_paused_type_names_the_pause(driver: StoreDriver) -> None:
    worker = await a_worker_of_all_types(driver)
    job = await driver.submit("noop", Scope(TENANT))
    await driver.store.pause_job_type(["another"], "noop", "", "ann")
    assert await kinds(driver, job.job_id) == []
    await driver.store.pause_job_type([TENANT], "noop", "too fast", "ann")
    [pause] = await reasons(driver, job.job_id)
    assert pause.kind == JobReasonKind.PAUSED_TYPE
    assert "by ann: too fast." in pause.message
    assert await worker.claim_all("noop") == []
    await driver.store.resume_job_type([TENANT], "noop", "ann")
    assert await kinds(driver, job.job_id) == []


async def test_a_job_that_a_sweep_has_failed_at_says_until_when_it_is_set_aside(
    driver: StoreDriver,
) -> None:
    await a_worker_of_all_types(driver)
    job = await driver.submit("noop", Scope(TENANT))
    other = await driver.submit("noop", Scope(TENANT))
    await driver.another().claim_all("noop")
    await driver.store.pool.execute(
        "INSERT INTO scheduler.set_asides (step, item, job_id, failures, until, reason)"
        " VALUES ('expire', '1', $1, 1, scheduler.clock() + interval '1 minute', 'it fails')",
        job.job_id,
    )
    assert await kinds(driver, job.job_id) == [JobReasonKind.RUNNING, JobReasonKind.SET_ASIDE]
    assert await kinds(driver, other.job_id) == [JobReasonKind.RUNNING]
    await driver.pass_time(timedelta(minutes=2))
    assert await kinds(driver, job.job_id) == [JobReasonKind.RUNNING]


async def test_a_type_that_this_scheduler_does_not_run_blocks(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    facts = (await explained(driver, job.job_id)).facts
    found = explain(facts, enabled_job_types(noop=False))
    assert found[0].kind == JobReasonKind.UNKNOWN_TYPE
    assert not is_claimable(found)


async def test_held_children_name_what_they_wait_for_and_whether_there_are_more(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    recalcs = await driver.claim_all("emission_recalc")
    first, other = sorted(recalcs, key=lambda one: one.row.job_id)
    await driver.chain(first, ("aggregation", None))
    await driver.finish(first)
    [held] = (await explained(driver, ingest.job_id)).held_children
    assert dict(held) == {
        "job_type": "aggregation",
        "module": TRAVEL,
        "year": YEAR,
        "parent_job_id": first.row.job_id,
        "waits_for": [other.row.job_id],
    }
    whole = explanation(await explained(driver, ingest.job_id), ())
    assert [list(one.waits_for_job_ids) for one in whole.held_children] == [[other.row.job_id]]
    assert not whole.has_more_held_children
    monkeypatch.setattr(explanations, "HELD_SHOWN_MAX", 0)
    assert explanation(await explained(driver, ingest.job_id), ()).has_more_held_children
    await driver.finish(other, JobResult.ERROR, Written.NOTHING)
    assert (await explained(driver, ingest.job_id)).held_children == []


async def test_another_tenants_job_is_not_explained(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    other = await driver.store.explain_job("another", job.job_id)
    assert isinstance(other, Refused)
    assert other.reason == "OTHER_TENANT"
    unknown = await driver.store.explain_job(TENANT, job.job_id + 1)
    assert isinstance(unknown, Refused)
    assert unknown.reason == "JOB_NOT_FOUND"
