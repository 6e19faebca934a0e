"""Whatever becomes of a run, the worker reports it, honestly and until the scheduler answers."""

import asyncio

import pytest

from carbonline.v1 import scheduler_pb2, types_pb2
from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater, Succeeded, Written
from worker_service.mechanics.run import ClaimLost, Run
from worker_service.mechanics.scheduler import ChildRequest


async def test_success_and_warning_are_reported_with_their_stats(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        return Succeeded({"rows": 3, "share": 0.5}, "3 rows", warnings=run.job.job_id == 2)

    await scheduler.give()
    await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: len(scheduler.finishes) == 2)
    good, warned = scheduler.finishes[1], scheduler.finishes[2]
    assert good.result == types_pb2.JOB_RESULT_SUCCESS
    assert warned.result == types_pb2.JOB_RESULT_WARNING
    assert good.message == "3 rows"
    assert dict(good.stats) == {"rows": 3, "share": 0.5}
    assert good.worker_id == "w-1"


async def test_an_error_says_whether_data_may_have_been_written(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        match run.job.job_id:
            case 2:
                run.data_commit_starts()
            case 3:
                run.data_commit_starts()
                run.data_rolled_back()
            case 4:
                return Failed("no_valid_rows", "None.", written=Written.UNKNOWN)
            case _:
                pass
        return Failed("no_valid_rows", "None.")

    for _ in range(4):
        await scheduler.give()
    start_worker(step, concurrency=4)
    await scheduler.until(lambda: len(scheduler.finishes) == 4)
    assert scheduler.finishes[1].error_cause == "no_valid_rows"
    assert {f.result for f in scheduler.finishes.values()} == {types_pb2.JOB_RESULT_ERROR}
    nothing, unknown = types_pb2.WRITTEN_NOTHING, types_pb2.WRITTEN_UNKNOWN
    written = [scheduler.finishes[number].written for number in (1, 2, 3, 4)]
    assert written == [nothing, unknown, nothing, unknown]


async def test_a_passing_fault_releases_the_job(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        if run.job.job_id == 2:
            raise ConnectionResetError("the database went away")
        return RetryLater("busy", delay_seconds=7.0)

    await scheduler.give()
    await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: len(scheduler.releases) == 2)
    asked, raised = scheduler.releases[1], scheduler.releases[2]
    assert {r.reason for r in (asked, raised)} == {scheduler_pb2.RELEASE_REASON_RETRY_LATER}
    assert (asked.message, asked.delay.seconds) == ("busy", 7)
    assert raised.message == "ConnectionResetError: the database went away"
    assert not raised.HasField("delay")
    line = worker.log.one("handler_raised")
    assert (line["level"], line["error"], line["job_id"]) == ("warning", raised.message, 2)
    assert "exc_info" not in line


async def test_an_unexpected_exception_is_logged_once_and_ends_the_job(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(_run: Run) -> Outcome:
        raise ZeroDivisionError("by zero")

    token = await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    finish = scheduler.finishes[token]
    assert finish.error_cause == "unexpected_exception"
    assert finish.message == "ZeroDivisionError: by zero"
    assert finish.written == types_pb2.WRITTEN_NOTHING
    line = worker.log.one("handler_raised")
    assert line["level"] == "error"
    assert line["exc_info"].__traceback__ is not None
    assert (line["job_id"], line["claim_token"], line["tenant"]) == (1, 1, "epfl")


async def test_a_step_that_exits_ends_its_job_and_not_the_worker(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        if run.job.job_id == 1:
            raise SystemExit(3)
        return Succeeded()

    await scheduler.give()
    await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: len(scheduler.finishes) == 2)
    finish = scheduler.finishes[1]
    assert (finish.error_cause, finish.message) == ("unexpected_exception", "SystemExit: 3")
    assert worker.log.one("handler_raised")["level"] == "error"
    assert scheduler.finishes[2].result == types_pb2.JOB_RESULT_SUCCESS


async def test_a_step_that_returns_no_outcome_is_a_defect(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(_run: Run) -> Outcome:
        return None  # type: ignore[return-value]  # the defect in question

    token = await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert scheduler.finishes[token].error_cause == "unexpected_exception"


@pytest.fixture
def even_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unanswered calls are repeated after 0.05, 0.15, 0.35, 0.75, 1.25, 1.75 ... seconds."""
    monkeypatch.setattr("random.uniform", lambda least, _most: least)


@pytest.mark.usefixtures("even_pauses")
async def test_a_finish_is_repeated_until_it_is_answered_lease_or_not(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.finish_tries_to_lose = 6
    scheduler.beats_unanswered = True

    async def step(run: Run) -> Outcome:
        run.data_commit_starts()
        return Succeeded()

    token = await scheduler.give(lease_seconds=0.8)
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert len(scheduler.finish_batches) == 7
    assert "handler_stopped" not in worker.log.names()
    await worker.drained()


@pytest.mark.usefixtures("even_pauses")
async def test_a_release_is_repeated_beyond_the_lease(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.release_tries_to_lose = 6
    scheduler.beats_unanswered = True

    async def step(_run: Run) -> Outcome:
        raise ConnectionResetError("the database went away")

    token = await scheduler.give(lease_seconds=1.2)
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].written == types_pb2.WRITTEN_NOTHING
    await worker.drained()
    assert worker.log.one("job_released")["released"]


@pytest.mark.usefixtures("even_pauses")
async def test_a_release_without_an_answer_is_given_up_after_two_leases(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.release_tries_to_lose = 1000

    async def step(_run: Run) -> Outcome:
        return RetryLater("busy")

    token = await scheduler.give(lease_seconds=0.7)
    worker = start_worker(step)
    await scheduler.until(lambda: scheduler.release_tries)
    # Heartbeats are answered: it is not the end of the lease that ends this.
    await worker.drained()
    line = worker.log.one("release_unanswered")
    assert line["claim_token"] == token
    assert (line["reason"], line["written"]) == ("RETRY_LATER", "NOTHING")
    assert scheduler.release_tries <= 6
    assert "job_released" not in worker.log.names()


async def test_a_finish_that_conflicts_with_an_earlier_one_is_forgotten(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.outcome = scheduler_pb2.FINISH_OUTCOME_CONFLICT

    async def step(_run: Run) -> Outcome:
        return Succeeded()

    token = await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    await worker.drained()
    assert len(scheduler.finish_batches) == 1
    assert not scheduler.releases


async def test_a_finish_that_a_cancel_overtook_releases_the_claim_with_what_was_written(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.outcome = scheduler_pb2.FINISH_OUTCOME_STALE

    async def step(run: Run) -> Outcome:
        run.data_commit_starts()
        return Succeeded()

    token = await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    await worker.drained()
    assert len(scheduler.finish_batches) == 1
    assert scheduler.releases[token].written == types_pb2.WRITTEN_UNKNOWN
    assert "finish_came_too_late" in worker.log.names()


async def test_a_finish_whose_stats_are_refused_is_sent_without_them(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.refuse_stats = True

    async def step(_run: Run) -> Outcome:
        return Succeeded({"rows": 1})

    token = await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert scheduler.finishes[token].result == types_pb2.JOB_RESULT_SUCCESS
    assert not scheduler.finishes[token].HasField("stats")


async def test_finishes_that_wait_for_a_call_are_sent_together(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.finish_gate.clear()

    async def step(run: Run) -> Outcome:
        if run.job.job_id > 1:
            await scheduler.until(lambda: scheduler.finish_batches)
        return Succeeded()

    for _ in range(50):
        await scheduler.give()
    start_worker(step, concurrency=50)
    await scheduler.until(lambda: scheduler.finish_batches)
    scheduler.finish_gate.set()
    await scheduler.until(lambda: len(scheduler.finishes) == 50)
    assert len(scheduler.finish_batches) <= 5


async def test_chain_stages_children_and_a_stale_one_stops_the_run_and_releases_the_claim(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    lost = asyncio.Event()

    async def step(run: Run) -> Outcome:
        children = [ChildRequest("recalc/20", "work", data_entry_type=20, payload={"a": 1})]
        scheduler.chain_stale = run.job.job_id == 2
        run.data_commit_starts()
        try:
            staged = await run.chain(children)
        except ClaimLost:
            lost.set()
            raise
        return Succeeded({"staged": staged})

    first, second = await scheduler.give(), await scheduler.give()
    worker = start_worker(step)
    await scheduler.until(lambda: first in scheduler.finishes)
    assert scheduler.finishes[first].stats["staged"] == 1
    child = scheduler.chained[0].children[0]
    assert (child.child_key, child.data_entry_type, child.module) == ("recalc/20", 20, 0)
    async with asyncio.timeout(5):
        await lost.wait()
    await worker.drained()
    assert list(scheduler.finishes) == [first]
    (release,) = scheduler.releases.values()
    assert (release.claim_token, release.reason) == (
        second,
        scheduler_pb2.RELEASE_REASON_CANCELLED,
    )
    assert release.written == types_pb2.WRITTEN_UNKNOWN


async def test_a_claim_refused_by_the_fence_is_released(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        raise ClaimLost("the fence is newer")

    token = await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].written == types_pb2.WRITTEN_NOTHING
