"""What a handler says and no message takes harms neither its worker nor the jobs beside it."""

import asyncio
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import scheduler_pb2, types_pb2
from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics.live_run import LiveRun
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater, Succeeded
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import Progress
from worker_service.scheduler_client import messages

# As Python names a file whose name is not UTF-8.
HALF = "file \udcff.csv"
MENDED = "file \ufffd.csv"


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ((0.5, 1.0), TypeError),
        ((1, 1.0), TypeError),
        ((None,), TypeError),
        (("1",), TypeError),
        ((1, 2, None), TypeError),
        ((1, 2, "read", b"x"), TypeError),
        ((-1,), ValueError),
        ((1, -1), ValueError),
        ((2**63,), ValueError),
        ((1, 2**63), ValueError),
    ],
)
async def test_the_handler_is_told_of_progress_that_no_message_takes(
    scheduler: ScriptedScheduler,
    start_worker: StartWorker,
    told: tuple[Any, ...],
    error: type[Exception],
) -> None:
    heard: list[Exception] = []

    async def step(run: Run) -> Outcome:
        try:
            run.progress(*told)
        except (TypeError, ValueError) as raised:
            heard.append(raised)
        run.progress(2**63 - 1, 0, "read", HALF)
        return Succeeded()

    token = await scheduler.give()
    start_worker(step)
    await scheduler.until(lambda: token in scheduler.finishes)
    assert scheduler.finishes[token].result == types_pb2.JOB_RESULT_SUCCESS
    assert [type(one) for one in heard] == [error]
    assert " must be " in str(heard[0])


async def test_progress_that_cannot_be_sent_is_dropped_and_every_lease_renewed(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    ends = asyncio.Event()

    async def step(run: Run) -> Outcome:
        assert isinstance(run, LiveRun)
        if run.job.job_id == bad:
            # Past the check of `progress`.
            run._held.note_progress(Progress(None, 0, "", ""))  # type: ignore[arg-type]
        else:
            run.progress(1, 2, "read")
        await ends.wait()
        return Succeeded()

    def reported() -> bool:
        beats = [beat for request in scheduler.beats for beat in request.beats]
        progress = {beat.claim_token: beat.progress.done for beat in beats if beat.progress.done}
        return {bad, good} <= {beat.claim_token for beat in beats} and progress == {good: 1}

    bad, good = await scheduler.give(), await scheduler.give()
    worker = start_worker(step, concurrency=2)
    await scheduler.until(reported)
    assert worker.log.one("progress_dropped")["job_id"] == bad
    ends.set()
    await scheduler.until(lambda: {bad, good} <= scheduler.finishes.keys())


async def test_half_of_a_surrogate_pair_is_told_as_what_replaces_it(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        match run.job.job_id:
            case 1:
                return Succeeded({HALF: [HALF, {"a": HALF}]}, HALF)
            case 2:
                return Failed(HALF, HALF)
            case 3:
                raise ValueError(HALF)
            case _:
                return RetryLater(HALF)

    for _ in range(4):
        await scheduler.give()
    start_worker(step, concurrency=4)
    await scheduler.until(lambda: len(scheduler.finishes) == 3 and scheduler.releases)
    good, failed, raised = (scheduler.finishes[number] for number in (1, 2, 3))
    assert (good.result, good.message) == (types_pb2.JOB_RESULT_SUCCESS, MENDED)
    assert values_of(good.stats) == {MENDED: [MENDED, {"a": MENDED}]}
    assert (failed.error_cause, failed.message) == (MENDED, MENDED)
    assert raised.message == f"ValueError: {MENDED}"
    assert scheduler.releases[4].message == MENDED


class Untold:
    """A value of stats that has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


async def test_work_whose_stats_cannot_be_sent_ends_without_them(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def step(run: Run) -> Outcome:
        return Succeeded({"a": Untold()} if run.job.job_id == 2 else {"a": 1}, "3 rows")

    for _ in range(3):
        await scheduler.give()
    worker = start_worker(step, concurrency=3)
    await scheduler.until(lambda: len(scheduler.finishes) == 3)
    told = [scheduler.finishes[number] for number in (1, 2, 3)]
    assert [one.result for one in told] == [types_pb2.JOB_RESULT_SUCCESS] * 3
    assert [one.HasField("stats") for one in told] == [True, False, True]
    assert worker.log.one("finish_details_failed")["job_id"] == 2


async def test_an_end_that_cannot_be_told_is_logged_and_its_claim_released(
    scheduler: ScriptedScheduler, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = messages.finish_request

    def fails(finish: Any, worker_id: str) -> scheduler_pb2.FinishRequest:
        if finish.job_id == 2:
            raise ZeroDivisionError
        return made(finish, worker_id)

    monkeypatch.setattr(messages, "finish_request", fails)

    async def step(_run: Run) -> Outcome:
        return Succeeded()

    for _ in range(3):
        await scheduler.give()
    worker = start_worker(step, concurrency=3)
    await scheduler.until(lambda: len(scheduler.finishes) == 2 and scheduler.releases)
    release = scheduler.releases[2]
    assert release.reason == scheduler_pb2.RELEASE_REASON_RETRY_LATER
    assert release.written == types_pb2.WRITTEN_UNKNOWN
    assert worker.log.one("finish_failed")["job_id"] == 2
