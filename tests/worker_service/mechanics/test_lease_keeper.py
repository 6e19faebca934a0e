"""A claim is kept while its worker lives, and its handler stops before the lease ends."""

import asyncio
import time

import pytest

from carbonline.v1 import scheduler_pb2, types_pb2
from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run


def tokens_in(beats: list[scheduler_pb2.HeartbeatRequest]) -> set[int]:
    return {beat.claim_token for request in beats for beat in request.beats}


async def test_a_handler_stops_before_its_lease_ends_when_nobody_answers(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.beats_unanswered = True
    stopped_after: list[float] = []
    left: list[float] = []
    began_at = seconds_now()

    async def step(run: Run) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            stopped_after.append(seconds_now() - began_at)
            left.append(run.deadline_seconds())
        return Succeeded()

    token = await scheduler.give(lease_seconds=2.0)
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    assert stopped_after[0] < 2.0 - 0.2, "the handler is gone a margin before the lease's end"
    assert left[0] > 0, "it may still commit while it is being stopped"
    release = scheduler.releases[token]
    assert release.reason == scheduler_pb2.RELEASE_REASON_NOT_READY
    assert release.message == "not ready: the scheduler does not answer"
    assert release.written == types_pb2.WRITTEN_NOTHING
    assert "heartbeat_unanswered" in worker.log.names()
    assert worker.log.one("handler_stopped")["reason"] == "LEASE_OVER"


async def test_a_step_that_stops_only_after_the_outage_is_not_charged_for_it(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.beats_unanswered = True

    async def step(run: Run) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            # A rollback, on a busy machine.
            scheduler.beats_unanswered = False
            sent = len(scheduler.beats)
            await scheduler.until(lambda: len(scheduler.beats) > sent + 1)
        return Succeeded()

    token = await scheduler.give(lease_seconds=2.0)
    worker = start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    assert worker.log.one("handler_stopped")["reason"] == "LEASE_OVER"
    release = scheduler.releases[token]
    assert release.reason == scheduler_pb2.RELEASE_REASON_NOT_READY
    assert release.message == "not ready: the scheduler does not answer"


async def test_the_lease_counts_from_before_the_claim_was_sent(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    seen: list[float] = []

    async def step(run: Run) -> Outcome:
        seen.append(seconds_now() + run.deadline_seconds())
        return Succeeded()

    worker = start_worker(step)
    await scheduler.until(lambda: scheduler.claims)
    asked_by = seconds_now()
    token = await scheduler.give(lease_seconds=10.0)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert seen[0] <= asked_by + 10.0 - 1.0, "ten seconds and a margin of one"
    await worker.drained()


async def test_heartbeats_go_on_while_a_handler_burns_cpu_in_a_thread(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    def burn() -> None:
        ends_at = time.monotonic() + 1.0
        while time.monotonic() < ends_at:
            sum(range(1000))

    async def step(_run: Run) -> Outcome:
        await asyncio.to_thread(burn)
        return Succeeded()

    token = await scheduler.give()
    start_worker(step, beat_seconds=0.1)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert len([beat for beat in scheduler.beats if beat.beats]) >= 5


async def test_a_worker_beats_by_the_lease_that_it_was_given(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.lease_seconds = 1.2
    enough = asyncio.Event()

    async def step(run: Run) -> Outcome:
        await enough.wait()
        run.check()
        return Succeeded()

    token = await scheduler.give()
    worker = start_worker(step, beat_seconds=10.0, lease_seconds=45.0)
    await scheduler.until(lambda: len(scheduler.beats) >= 6)
    enough.set()
    await scheduler.until(lambda: token in scheduler.finishes)
    assert worker.log.one("lease_followed")["seconds"] == pytest.approx(1.2)


async def test_a_worker_beats_as_often_as_the_claim_asks_for(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    enough = asyncio.Event()

    async def step(run: Run) -> Outcome:
        await enough.wait()
        return Succeeded()

    token = await scheduler.give(lease_seconds=45.0, heartbeat_interval_seconds=0.1)
    start_worker(step, beat_seconds=10.0, lease_seconds=45.0)
    await scheduler.until(lambda: len(scheduler.beats) >= 5)
    enough.set()
    await scheduler.until(lambda: token in scheduler.finishes)


async def test_a_worker_ends_with_a_sentence_if_leases_are_too_short(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        raise AssertionError("it must not start")

    token = await scheduler.give(lease_seconds=0.1)
    worker = start_worker(step)
    async with asyncio.timeout(10):
        served = await worker.serving
    assert "raise the scheduler's CARBONLINE_LEASE_SECONDS" in str(served.failure)
    assert scheduler.releases[token].reason == scheduler_pb2.RELEASE_REASON_DRAIN


async def test_a_renewed_lease_outlives_the_first_one(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.lease_seconds = 1.5
    release = asyncio.Event()

    async def step(run: Run) -> Outcome:
        await release.wait()
        assert run.deadline_seconds() > 0
        return Succeeded()

    token = await scheduler.give()
    start_worker(step, beat_seconds=0.1)
    await scheduler.until(lambda: len(scheduler.beats) >= 20)  # two seconds' worth
    release.set()
    await scheduler.until(lambda: token in scheduler.finishes)


async def test_a_lost_claim_is_stopped_and_forgotten(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    stopped = asyncio.Event()

    async def step(_run: Run) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return Succeeded()

    token = await scheduler.give()
    scheduler.directives[token] = scheduler_pb2.CLAIM_DIRECTIVE_LOST
    worker = start_worker(step, beat_seconds=0.1)
    async with asyncio.timeout(5):
        await stopped.wait()
    other = await scheduler.give()
    scheduler.directives[other] = scheduler_pb2.CLAIM_DIRECTIVE_LOST
    await scheduler.until(lambda: other in tokens_in(scheduler.beats))
    await worker.drained()
    assert not scheduler.releases
    assert not scheduler.finishes
    assert "claim_forgotten" in worker.log.names()


async def test_a_cancelled_job_is_stopped_and_released_with_what_was_written(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        if run.job.job_id == 2:
            run.data_commit_starts()
        await asyncio.Event().wait()
        return Succeeded()

    clean, dark = await scheduler.give(), await scheduler.give()
    for token in (clean, dark):
        scheduler.directives[token] = scheduler_pb2.CLAIM_DIRECTIVE_CANCEL
    start_worker(step, beat_seconds=0.1, concurrency=2)
    await scheduler.until(lambda: len(scheduler.releases) == 2)
    for token, written in ((clean, types_pb2.WRITTEN_NOTHING), (dark, types_pb2.WRITTEN_UNKNOWN)):
        assert scheduler.releases[token].reason == scheduler_pb2.RELEASE_REASON_CANCELLED
        assert scheduler.releases[token].written == written


async def test_progress_is_sent_with_heartbeats_and_a_new_phase_at_once(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    release = asyncio.Event()

    async def step(run: Run) -> Outcome:
        run.progress(1, 10, "read")
        await asyncio.to_thread(run.progress, 2, 10, "publish", "half")
        await release.wait()
        run.progress(3, 10, "publish")
        await asyncio.Event().wait()
        return Succeeded()

    def reported(done: int) -> bool:
        return any(b.progress.done == done for h in scheduler.beats for b in h.beats)

    await scheduler.give()
    worker = start_worker(step, beat_seconds=30.0, drain_grace_seconds=0.0)
    await scheduler.until(lambda: reported(2))
    assert scheduler.beats[-1].beats[0].progress.message == "half"
    release.set()
    await scheduler.until(lambda: reported(3))
    await worker.drained()


async def test_a_handler_that_blocks_the_event_loop_is_logged(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(_run: Run) -> Outcome:
        time.sleep(0.5)  # noqa: ASYNC251  the fault that is to be noticed
        return Succeeded()

    token = await scheduler.give()
    worker = start_worker(step, loop_blocked_seconds=0.1)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert "test_lease_keeper.py" in worker.log.one("event_loop_blocked")["stack"]


async def test_a_handler_that_does_not_stop_is_logged(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    let_go = asyncio.Event()

    async def step(_run: Run) -> Outcome:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return Succeeded()

    token = await scheduler.give(lease_seconds=1.0)
    scheduler.directives[token] = scheduler_pb2.CLAIM_DIRECTIVE_CANCEL
    worker = start_worker(step, beat_seconds=0.1)
    await scheduler.until(lambda: "handler_does_not_stop" in worker.log.names())
    assert "step" in worker.log.one("handler_does_not_stop")["stack"]
    let_go.set()
    await scheduler.until(lambda: token in scheduler.finishes)


async def test_progress_is_heard_of_at_once_when_the_scheduler_answers_again(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.beats_unanswered = True
    goes_on = asyncio.Event()

    async def step(run: Run) -> Outcome:
        run.progress(1, 2, f"phase of {run.job.job_id}")
        await goes_on.wait()
        return Succeeded()

    unheard = await scheduler.give(lease_seconds=300.0)
    start_worker(step, beat_seconds=100.0, lease_seconds=300.0)
    await scheduler.until(lambda: len(scheduler.beats) >= 2)
    goes_on.set()
    await scheduler.until(lambda: unheard in scheduler.finishes)
    scheduler.beats_unanswered = False
    goes_on.clear()
    heard = await scheduler.give(lease_seconds=300.0)
    await scheduler.until(lambda: heard in tokens_in(scheduler.beats))
    goes_on.set()
    await scheduler.until(lambda: heard in scheduler.finishes)


async def test_a_short_job_is_told_of_by_its_end_alone(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        run.progress(0, 0, "read")
        run.progress(1, 1, "publish")
        return Succeeded()

    token = await scheduler.give()
    beat = BeatTiming(30.0, progress_seconds=30.0, phase_seconds=10.0)
    worker = start_worker(step, beat=beat)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert token not in tokens_in(scheduler.beats)
    await worker.drained()


async def test_a_job_with_a_new_phase_does_not_put_off_the_progress_of_another(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    never_seconds, goes_on, ends = 3600.0, asyncio.Event(), asyncio.Event()

    async def step(run: Run) -> Outcome:
        if run.job.job_id == long:
            run.progress(0, 2, "read")
        await goes_on.wait()
        run.progress(1, 2, "read")
        await ends.wait()
        return Succeeded()

    def has_told() -> bool:
        beats = [beat for request in scheduler.beats for beat in request.beats]
        return any(beat.claim_token == long and beat.progress.done == 1 for beat in beats)

    long = await scheduler.give(lease_seconds=never_seconds, heartbeat_interval_seconds=0.1)
    beat = BeatTiming(never_seconds, progress_seconds=0.1, phase_seconds=never_seconds)
    start_worker(step, beat=beat, lease_seconds=never_seconds, concurrency=2)
    await scheduler.until(lambda: long in tokens_in(scheduler.beats))
    other = await scheduler.give(
        lease_seconds=never_seconds, heartbeat_interval_seconds=never_seconds
    )
    await scheduler.until(lambda: other in tokens_in(scheduler.beats))
    goes_on.set()
    await scheduler.until(has_told)
    ends.set()
    await scheduler.until(lambda: {long, other} <= scheduler.finishes.keys())
