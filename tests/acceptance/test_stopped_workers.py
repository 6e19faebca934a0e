"""A worker stopped past its lease, which wakes up and goes on, changes nothing any more."""

import os
import signal
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.acceptance_run import AcceptanceRun, write_some_flights
from tests.acceptance.conftest import LEASE_SECONDS, OpenRun
from tests.acceptance.faults import until, until_stopped, with_a_faulty_worker

# What the stale run says of its own end, by the place where it was stopped.
ENDS = {
    "before_publication": ("handler_stopped", "claim_refused_by_fence", "claim_forgotten"),
    "inside_publication": ("handler_stopped", "claim_refused_by_fence", "handler_raised"),
    "after_commit": ("finish_came_too_late", "handler_stopped"),
}


# What a successor's own work takes, of some flights, before and behind its wait for the fence.
WORK_SECONDS_MAX = 1.0

# The token that what counts was written by, per job type.
WRITERS = {
    "csv_ingest": "SELECT entry_set AS token FROM carbon.entry_sets WHERE state = 'PUBLISHED'",
    "emission_recalc": """
        SELECT emission_set AS token FROM carbon.emission_sets WHERE state = 'PUBLISHED'""",
    "aggregation": "SELECT DISTINCT claim_token AS token FROM carbon.totals",
}


@pytest.mark.parametrize("job_type", list(WRITERS))
async def test_a_stale_run_that_believes_in_its_lease_is_refused_by_the_fence_alone(
    open_run: OpenRun, tmp_path: Path, job_type: str
) -> None:
    faulty = with_a_faulty_worker("before_publication", "stop_deaf", tmp_path / "stopped", job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_run(programs=faulty, supervise=False, prepared=False, file=some) as run:
        await run.prepare_by("worker-2")
        pipeline = await run.submit()
        stopped = run.stack.pid("worker-1")
        await until_stopped(stopped)
        await run.stack.start("worker-2")
        view = await run.ended(pipeline)
        await run.must_have_arrived(view)
        [job] = [job for job in view.in_order() if job.job_type == job_type]
        assert await writer(run, job_type) == job.claim_token
        nobody_waited_long(run, job.job_id)
        os.kill(stopped, signal.SIGCONT)
        await until(
            lambda: bool(run.log_lines("worker-1", "claim_refused_by_fence")),
            "the data never refused the stale run",
        )
        assert await writer(run, job_type) == job.claim_token
        await run.must_have_totals()
        await run.no_row_may_count_twice()


async def writer(run: AcceptanceRun, job_type: str) -> int:
    """The claim whose data count."""
    return int((await run.fetch_row(WRITERS[job_type]))["token"])


@pytest.mark.parametrize("job_type", ["csv_ingest", "emission_recalc"])
@pytest.mark.parametrize("place", list(ENDS))
async def test_sigstop_past_the_lease_then_sigcont(
    open_run: OpenRun, tmp_path: Path, place: str, job_type: str
) -> None:
    faulty = with_a_faulty_worker(place, "stop", tmp_path / "stopped", job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_run(programs=faulty, supervise=False, prepared=False, file=some) as run:
        await run.prepare_by("worker-2")
        pipeline = await run.submit()
        stopped = run.stack.pid("worker-1")
        await until_stopped(stopped)
        await run.stack.start("worker-2")
        # The successor is done while the first one is still stopped.
        view = await run.ended(pipeline)
        await run.must_have_arrived(view)
        [stale] = [job for job in view.in_order() if job.job_type == job_type]
        nobody_waited_long(run, stale.job_id)
        assert (stale.attempts, stale.expiries) == (2, 1)
        os.kill(stopped, signal.SIGCONT)
        await until(lambda: logged_its_end(run, place), f"{place}: the stale run never ended")
        await run.must_have_totals()
        await run.no_row_may_count_twice()
        # It lives and works on.
        await run.stack.stop("worker-2")
        again = await run.ended(await run.submit())
        assert again.pipeline is not None
        await run.must_have_arrived(again)


def nobody_waited_long(run: AcceptanceRun, job_id: int) -> None:
    """From the successor's claim to its answered Finish, its publication in between: the fence
    takes no more than the lease of that, however often it was tried.
    """
    began, ended = (
        [line["timestamp"] for line in run.log_lines("worker-2", event) if line["job_id"] == job_id]
        for event in ("job_started", "job_finished")
    )
    waited = datetime.fromisoformat(ended[-1]) - datetime.fromisoformat(began[0])
    assert waited.total_seconds() <= LEASE_SECONDS + WORK_SECONDS_MAX


def logged_its_end(run: AcceptanceRun, place: str) -> bool:
    """Whether the log of the faulty worker tells of a run that was refused."""
    return any(run.log_lines("worker-1", event) for event in ENDS[place])
