"""Any other process killed in the middle of the work: it comes back, and the work goes on."""

import time

import pytest

from tests.acceptance.acceptance_run import AcceptanceRun, computing, reading
from tests.acceptance.conftest import LEASE_SECONDS, OpenRun
from tests.acceptance.recovery import Sign, must_answer, must_go_on, taken_up, worked_on


# The scheduler's end breaks off no step, that of PostgreSQL does.
@pytest.mark.parametrize(("name", "sign"), [("scheduler-1", worked_on), ("postgres", taken_up)])
async def test_kill_9_in_the_middle_of_ingest(run: AcceptanceRun, name: str, sign: Sign) -> None:
    pipeline = await run.submit()
    job = await run.until(pipeline, reading)
    fault_at = time.time()
    run.stack.kill(name)
    await must_go_on(run, pipeline, job, fault_at, sign=sign, lease_seconds=LEASE_SECONDS)
    await run.must_have_arrived(await run.ended(pipeline))


async def test_kill_9_of_the_only_scheduler(open_run: OpenRun) -> None:
    async with open_run(schedulers=1) as run:
        pipeline = await run.submit()
        job = await run.until(pipeline, reading)
        fault_at = time.time()
        run.stack.kill("scheduler")
        await must_go_on(run, pipeline, job, fault_at, sign=worked_on, lease_seconds=LEASE_SECONDS)
        await run.must_have_arrived(await run.ended(pipeline))


async def test_kill_9_of_the_ledger_process_harms_no_job(run: AcceptanceRun) -> None:
    pipeline = await run.submit()
    job = await run.until(pipeline, reading)
    fault_at = time.time()
    run.stack.kill("ledger")
    await must_go_on(run, pipeline, job, fault_at, sign=worked_on, lease_seconds=LEASE_SECONDS)
    await must_answer(run, fault_at, lease_seconds=LEASE_SECONDS)
    await run.must_have_arrived(await run.ended(pipeline))


async def test_a_restart_of_everything_goes_on_where_it_was(open_run: OpenRun) -> None:
    async with open_run(drain_seconds=0.0) as first:
        pipeline = await first.submit()
        job = await first.until(pipeline, computing)
    started_at = time.time()
    async with open_run(prepared=False) as second:
        await must_go_on(second, pipeline, job, started_at, lease_seconds=LEASE_SECONDS)
        await second.must_have_arrived(await second.ended(pipeline))
