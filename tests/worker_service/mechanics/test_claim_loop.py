"""A worker claims what it has room for, and leaves no claim behind when it ends."""

import asyncio

import pytest

from carbonline.v1 import scheduler_pb2, types_pb2
from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics import claim_loop
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.registry import RegistryWrong, check_registry
from worker_service.mechanics.run import JobCancelled, Run


async def succeed(_run: Run) -> Outcome:
    return Succeeded()


async def wait_for_ever(_run: Run) -> Outcome:
    await asyncio.Event().wait()
    return Succeeded()


async def test_a_worker_claims_only_as_many_jobs_as_its_concurrency_allows(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    go_on = asyncio.Event()

    async def step(_run: Run) -> Outcome:
        await go_on.wait()
        return Succeeded()

    for _ in range(5):
        await scheduler.give()
    worker = start_worker(step, concurrency=3)
    await scheduler.until(lambda: worker.log.names().count("job_started") == 3)
    assert [claim.max_jobs for claim in scheduler.claims] == [3]
    assert len(scheduler.jobs) == 2
    go_on.set()
    await scheduler.until(lambda: len(scheduler.finishes) == 5)


async def test_two_claims_are_in_flight_while_there_are_more_jobs_than_one_brings(
    scheduler: ScriptedScheduler, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_loop, "CLAIM_MAX", 2)
    scheduler.lease_seconds = 2.0
    go_on = asyncio.Event()

    async def step(_run: Run) -> Outcome:
        await go_on.wait()
        return Succeeded()

    for _ in range(2):
        await scheduler.give()
    start_worker(step, concurrency=5)
    await scheduler.until(lambda: scheduler.claims_open == 2)
    # Room for one job is left to the second, and nothing for a third.
    assert [claim.max_jobs for claim in scheduler.claims] == [2, 2, 1]
    go_on.set()
    await scheduler.until(lambda: len(scheduler.finishes) == 2)
    # Both come back empty after a while; then one waits for work, as before.
    asked = len(scheduler.claims)
    await scheduler.until(lambda: len(scheduler.claims) == asked + 2)
    assert scheduler.claims_open <= 1
    assert not scheduler.releases


async def test_both_claims_in_flight_are_released_when_the_worker_ends(
    scheduler: ScriptedScheduler, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_loop, "CLAIM_MAX", 1)
    await scheduler.give()
    worker = start_worker(succeed, concurrency=3)
    await scheduler.until(lambda: scheduler.claims_open == 2 and scheduler.finishes)
    # Granted under the request_ids of the parked polls; the answers never arrive.
    tokens = set()
    for parked in scheduler.claims[-2:]:
        tokens.add(await scheduler.give())
        scheduler.answered_claims[parked.request_id] = [scheduler.jobs.pop()]
    await worker.drained()
    assert set(scheduler.releases) == tokens
    assert len(scheduler.finishes) == 1


async def test_a_claim_without_an_answer_is_repeated_under_its_request_id(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.claim_answers_to_lose = 1
    token = await scheduler.give()
    start_worker(succeed)
    await scheduler.until(lambda: token in scheduler.finishes)
    first, again = scheduler.claims[:2]
    assert first.request_id == again.request_id
    assert scheduler.claims[-1].request_id != first.request_id or len(scheduler.claims) == 2
    assert first.worker_id == "w-1"


async def test_a_drain_lets_running_jobs_end_and_claims_no_more(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def step(_run: Run) -> Outcome:
        started.set()
        await go_on.wait()
        return Succeeded()

    token = await scheduler.give()
    worker = start_worker(step, concurrency=1)
    await started.wait()
    worker.drain.request()
    await scheduler.until(lambda: any(beat.draining for beat in scheduler.beats))
    await scheduler.give()
    go_on.set()
    served = await worker.drained()
    assert (served.failure, served.left) == (None, 0)
    assert list(scheduler.finishes) == [token]
    assert len(scheduler.jobs) == 1


async def test_a_drain_stops_and_releases_what_outlasts_the_grace(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    token = await scheduler.give()
    worker = start_worker(wait_for_ever, drain_grace_seconds=0.05)
    await scheduler.until(lambda: "job_started" in worker.log.names())
    served = await worker.drained()
    assert served.left == 0
    assert scheduler.releases[token].reason == scheduler_pb2.RELEASE_REASON_DRAIN
    assert scheduler.releases[token].written == types_pb2.WRITTEN_NOTHING


async def test_a_claim_granted_while_the_worker_ends_is_released(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    worker = start_worker(succeed)
    await scheduler.until(lambda: scheduler.claims)
    # Granted under the request_id of the parked poll; the answer never arrives.
    parked = scheduler.claims[0].request_id
    token = await scheduler.give()
    scheduler.answered_claims[parked] = [scheduler.jobs.pop()]
    await worker.drained()
    assert scheduler.releases[token].reason == scheduler_pb2.RELEASE_REASON_DRAIN
    assert not scheduler.finishes


async def test_a_second_sigterm_waits_for_nobody(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def stubborn(_run: Run) -> Outcome:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0.2)
                raise

    await scheduler.give()
    worker = start_worker(stubborn, drain_grace_seconds=60.0, stop_grace_seconds=60.0)
    await scheduler.until(lambda: "job_started" in worker.log.names())
    worker.drain.request()
    worker.drain.request()
    served = await worker.drained()
    assert served.left == 1
    assert not scheduler.last_beats


async def test_the_scheduler_may_request_the_drain(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.worker_directive = scheduler_pb2.WORKER_DIRECTIVE_DRAIN
    await scheduler.give()
    worker = start_worker(wait_for_ever, beat_seconds=0.1, drain_grace_seconds=0.05)
    async with asyncio.timeout(5):
        served = await worker.serving
    assert served.failure is None
    assert len(scheduler.releases) == 1


async def test_late_jobs_are_released_in_one_call_and_hold_up_nobody(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.lease_seconds, scheduler.claim_seconds = 1.0, 0.8
    scheduler.release_gate.clear()
    late = {await scheduler.give() for _ in range(3)}
    worker = start_worker(succeed, concurrency=9)
    await scheduler.until(lambda: scheduler.release_tries == 1)
    assert worker.log.one("claims_came_too_late")["claims"] == 3
    scheduler.claim_seconds = 0.0
    in_time = await scheduler.give()
    # What comes while they are released starts at once, if it has its own lease to run.
    await scheduler.until(lambda: len(scheduler.claims) == 2)
    scheduler.release_gate.set()
    await scheduler.until(lambda: in_time in scheduler.finishes)
    assert set(scheduler.releases) == late
    assert scheduler.release_tries == 1


async def test_a_drain_while_late_jobs_are_released_loses_none(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.lease_seconds, scheduler.claim_seconds = 1.0, 0.8
    scheduler.release_gate.clear()
    late = {await scheduler.give() for _ in range(3)}
    worker = start_worker(succeed, concurrency=9)
    await scheduler.until(lambda: scheduler.release_tries == 1)
    worker.drain.request()
    await scheduler.until(lambda: scheduler.release_tries == 2)
    scheduler.release_gate.set()
    await worker.drained()
    assert set(scheduler.releases) == late


async def test_a_claim_granted_while_another_is_refused_is_released(
    scheduler: ScriptedScheduler, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim_loop, "CLAIM_MAX", 1)
    await scheduler.give()
    worker = start_worker(succeed, concurrency=3)
    await scheduler.until(lambda: scheduler.claims_open == 2 and scheduler.finishes)
    # The one parked poll was granted a job without an answer; the other's successor is refused.
    token = await scheduler.give()
    parked = [claim.request_id for claim in scheduler.claims[-2:]]
    granted = scheduler.jobs.pop()
    scheduler.new_claims_refused = True
    await scheduler.give()
    await scheduler.until(lambda: scheduler.claims_open == 1)
    (untold,) = [one for one in parked if one not in scheduler.answered_claims]
    scheduler.answered_claims[untold] = [granted]
    async with asyncio.timeout(5):
        served = await worker.serving
    assert "no worker of ours" in str(served.failure)
    assert set(scheduler.releases) == {token}


async def test_a_refused_claim_ends_the_worker_with_the_reason(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.claims_refused = True
    worker = start_worker(succeed)
    async with asyncio.timeout(5):
        served = await worker.serving
    assert "no worker of ours" in str(served.failure)
    assert not scheduler.last_beats


async def test_a_job_that_cancels_itself_is_released_as_cancelled(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        raise JobCancelled("checked")

    token = await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].reason == scheduler_pb2.RELEASE_REASON_CANCELLED


@pytest.mark.parametrize(
    ("names", "wanted", "fault"),
    [
        (["a", "a"], ["a"], "a is listed twice"),
        (["a", "b"], ["a"], "b is not a wanted job type"),
        (["a"], ["a", "b"], "b has no step"),
        ([], [], "no job type is listed"),
    ],
)
def test_a_registry_is_checked_when_the_process_starts(
    names: list[str], wanted: list[str], fault: str
) -> None:
    with pytest.raises(RegistryWrong, match=fault):
        check_registry([(name, succeed) for name in names], wanted)


async def test_a_finish_without_an_answer_holds_up_one_job_less_and_no_more(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    scheduler.finish_gate.clear()
    for _ in range(4):
        await scheduler.give()
    start_worker(succeed, concurrency=1)
    # The second job ran although nobody has answered for the first.
    await scheduler.until(lambda: scheduler.beats and len(scheduler.beats[-1].beats) == 2)
    assert len(scheduler.claims) == 2
    assert not scheduler.finishes
    scheduler.finish_gate.set()
    await scheduler.until(lambda: len(scheduler.finishes) == 4)
