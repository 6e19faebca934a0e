"""A worker that ends in order says so after its last run, and hardly waits for an answer."""

import asyncio

import pytest

from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics import lease_keeper
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run


async def succeed(_run: Run) -> Outcome:
    return Succeeded()


async def wait_for_ever(_run: Run) -> Outcome:
    await asyncio.Event().wait()
    return Succeeded()


async def test_a_worker_without_a_job_says_that_it_ends(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    worker = start_worker(succeed)
    await scheduler.until(lambda: scheduler.claims_open)
    await worker.drained()
    assert len(scheduler.beats) == len(scheduler.last_beats) == 1
    assert scheduler.beats[0].worker_id == scheduler.claims[0].worker_id


async def test_the_last_beat_comes_after_the_answer_to_the_last_run(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.finish_gate.clear()
    token = await scheduler.give()
    worker = start_worker(succeed, beat_seconds=0.1)
    await scheduler.until(lambda: scheduler.finish_batches)
    worker.drain.request()
    # Beats go on; none of them looks like the last.
    await scheduler.until(lambda: len([b for b in scheduler.beats if b.draining]) >= 3)
    assert not scheduler.last_beats
    scheduler.finish_gate.set()
    await worker.drained()
    assert token in scheduler.finishes
    assert scheduler.last_beats == [scheduler.beats[-1]]


async def test_the_last_beat_comes_after_the_last_release(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    token = await scheduler.give()
    worker = start_worker(wait_for_ever, drain_grace_seconds=0.3)
    await scheduler.until(lambda: "job_started" in worker.log.names())
    worker.drain.request()
    await scheduler.until(lambda: token in scheduler.releases)
    assert not scheduler.last_beats
    await worker.drained()
    assert scheduler.last_beats == [scheduler.beats[-1]]


async def test_a_last_beat_without_an_answer_holds_up_the_end_for_a_second_at_most(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.last_beat_gate.clear()
    worker = start_worker(succeed)
    await scheduler.until(lambda: scheduler.claims_open)
    began_at = seconds_now()
    served = await worker.drained()
    assert seconds_now() - began_at < 2.0
    assert (served.failure, served.left) == (None, 0)
    assert len(scheduler.last_beats) == 1
    assert "DEADLINE_EXCEEDED" in worker.log.one("last_heartbeat_unanswered")["reason"]


async def test_an_unavailable_scheduler_holds_up_the_end_no_longer(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.beats_unanswered = True
    worker = start_worker(succeed)
    await scheduler.until(lambda: scheduler.claims_open)
    served = await worker.drained()
    assert (served.failure, served.left) == (None, 0)
    assert worker.log.one("last_heartbeat_unanswered")["level"] == "warning"
    assert len(scheduler.last_beats) == 1


async def test_a_second_sigterm_does_not_wait_for_the_last_beat(
    scheduler: ScriptedScheduler, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_keeper, "LAST_BEAT_SECONDS", 60.0)
    scheduler.last_beat_gate.clear()
    worker = start_worker(succeed)
    await scheduler.until(lambda: scheduler.claims_open)
    worker.drain.request()
    await scheduler.until(lambda: scheduler.last_beats)
    worker.drain.request()
    served = await worker.drained()
    assert (served.failure, served.left) == (None, 0)
