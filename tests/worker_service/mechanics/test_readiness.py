"""A worker whose jobs cannot run claims none, says so, and charges no job for it."""

import asyncio
from collections.abc import Callable

import pytest

from carbonline.v1 import scheduler_pb2
from tests.worker_service.mechanics.conftest import StartWorker
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.readiness import NotUsable
from worker_service.mechanics.run import ClaimLost, Run

NOT_READY = scheduler_pb2.RELEASE_REASON_NOT_READY
RETRY_LATER = scheduler_pb2.RELEASE_REASON_RETRY_LATER


class Ledger:
    """A ledger that a test makes unavailable."""

    def __init__(self) -> None:
        self.fault = ""
        self.looks = 0

    async def look(self) -> None:
        """As its fault says."""
        self.looks += 1
        if self.fault:
            raise NotUsable(self.fault)

    def blamed(self, error: BaseException) -> str:
        """Names the disk for one kind of error."""
        return "blobs: the disk is full" if isinstance(error, InterruptedError) else ""

    async def step(self, run: Run) -> Outcome:
        """Fails while the ledger is unavailable."""
        if self.fault:
            raise ConnectionResetError("connection lost")
        return Succeeded()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def reported(scheduler: ScriptedScheduler, reason: str) -> Callable[[], bool]:
    """Whether the last heartbeat gave this reason."""
    return lambda: bool(scheduler.beats) and scheduler.beats[-1].not_ready == reason


async def test_an_outage_costs_no_attempt_and_stops_the_claims(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    worker = start_worker(ledger.step, needs=ledger)
    await scheduler.until(lambda: scheduler.claims_open > 0)
    ledger.fault = "ledger: connection refused"
    token = await scheduler.give()
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].reason == NOT_READY
    assert scheduler.releases[token].message == "not ready: ledger: connection refused"
    assert worker.log.one("worker_not_ready")["reason"] == "ledger: connection refused"

    await scheduler.until(reported(scheduler, "ledger: connection refused"))
    await scheduler.until(lambda: scheduler.claims_open == 0)
    claims, beats = len(scheduler.claims), len(scheduler.beats)
    waiting = await scheduler.give()
    await scheduler.until(lambda: len(scheduler.beats) >= beats + 3)
    assert len(scheduler.claims) == claims, "it claims nothing while it is not ready"

    ledger.fault = ""
    await scheduler.until(lambda: waiting in scheduler.finishes)
    await scheduler.until(reported(scheduler, ""))
    assert worker.log.one("worker_ready")["after"] == "ledger: connection refused"
    assert len(scheduler.releases) == 1


async def test_a_worker_that_starts_while_it_is_not_ready_says_who_it_is(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    ledger.fault = "ledger: connection refused"
    start_worker(ledger.step, needs=ledger)
    await scheduler.until(reported(scheduler, ledger.fault))
    assert not scheduler.claims
    introduction = scheduler.beats[-1].introduction
    assert list(introduction.job_types) == ["work"]
    assert introduction.build_id
    assert introduction.host
    ledger.fault = ""
    await scheduler.until(reported(scheduler, ""))
    assert not scheduler.beats[-1].HasField("introduction")


async def test_that_it_is_ready_again_is_said_until_it_is_answered(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    """A report that was not answered may have arrived."""
    ledger.fault = "ledger: connection refused"
    scheduler.beats_unanswered = True
    worker = start_worker(ledger.step, needs=ledger)
    await scheduler.until(reported(scheduler, ledger.fault))
    ledger.fault = ""
    await scheduler.until(lambda: scheduler.claims_open > 0)
    assert "worker_ready" in worker.log.names()
    scheduler.beats_unanswered = False
    await scheduler.until(reported(scheduler, ""))


async def test_jobs_that_arrive_meanwhile_are_released_unstarted(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    begun: list[int] = []
    fails = asyncio.Event()

    async def step(run: Run) -> Outcome:
        begun.append(run.job.job_id)
        await fails.wait()
        return await ledger.step(run)

    start_worker(step, needs=ledger, concurrency=4)
    first = await scheduler.give()
    await scheduler.until(lambda: len(scheduler.claims) == 2 and scheduler.claims_open)
    ledger.fault = "ledger: connection refused"
    fails.set()
    await scheduler.until(lambda: first in scheduler.releases)
    second = await scheduler.give()
    await scheduler.until(lambda: second in scheduler.releases)
    assert scheduler.releases[second].reason == NOT_READY
    assert begun == [first]


async def test_a_job_that_alone_meets_a_fault_is_charged_for_it(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    async def step(run: Run) -> Outcome:
        raise ConnectionResetError("connection lost")

    worker = start_worker(step, needs=ledger)
    token = await scheduler.give()
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].reason == RETRY_LATER
    assert ledger.looks > 0
    assert "worker_not_ready" not in worker.log.names()


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("the outage has broken this connection"),
        ClaimLost("the outage has left no time to commit"),
    ],
    ids=["broken", "too_late"],
)
async def test_a_run_that_was_going_on_during_an_outage_is_excused_after_it(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger, error: Exception
) -> None:
    meet = asyncio.Event()

    async def step(run: Run) -> Outcome:
        if run.job.job_id == 1:
            await meet.wait()
            raise error
        return await ledger.step(run)

    worker = start_worker(step, needs=ledger, concurrency=2)
    await scheduler.until(lambda: scheduler.claims_open > 0)
    long = await scheduler.give()
    ledger.fault = "ledger: restarting"
    short = await scheduler.give()
    await scheduler.until(lambda: short in scheduler.releases)
    ledger.fault = ""
    await scheduler.until(reported(scheduler, ""))
    assert "worker_ready" in worker.log.names()
    meet.set()
    await scheduler.until(lambda: long in scheduler.releases)
    assert scheduler.releases[long].reason == NOT_READY
    assert scheduler.releases[long].message == "not ready: ledger: restarting"


async def test_an_error_can_blame_the_disk_by_itself(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    tries: list[int] = []

    async def step(run: Run) -> Outcome:
        tries.append(run.job.job_id)
        if len(tries) == 1:
            raise InterruptedError("no space left")
        return Succeeded()

    worker = start_worker(step, needs=ledger)
    token = await scheduler.give()
    await scheduler.until(lambda: token in scheduler.releases)
    assert scheduler.releases[token].message == "not ready: blobs: the disk is full"
    again = await scheduler.give()
    await scheduler.until(lambda: again in scheduler.finishes)
    assert "worker_ready" in worker.log.names(), "a look finds the disk usable again"


async def test_a_worker_that_is_not_ready_ends_in_order(
    scheduler: ScriptedScheduler, start_worker: StartWorker, ledger: Ledger
) -> None:
    ledger.fault = "ledger: connection refused"
    worker = start_worker(ledger.step, needs=ledger)
    await scheduler.give()
    await scheduler.until(reported(scheduler, "ledger: connection refused"))
    served = await worker.drained()
    assert served.failure is None
    assert len(scheduler.last_beats) == 1


async def test_a_worker_ends_when_a_task_beside_its_jobs_ends(
    scheduler: ScriptedScheduler, start_worker: StartWorker
) -> None:
    async def ends() -> None:
        await scheduler.until(lambda: scheduler.claims)

    async def step(run: Run) -> Outcome:
        return Succeeded()

    beside = asyncio.create_task(ends(), name="housekeeping")
    worker = start_worker(step, tasks=[beside])
    async with asyncio.timeout(10):
        served = await worker.serving
    assert "'housekeeping'" in str(served.failure)
