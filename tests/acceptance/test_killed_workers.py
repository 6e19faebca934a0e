"""A worker killed in the middle of its work costs time, and nothing else."""

import time

from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import AcceptanceRun, computing, reading
from tests.acceptance.conftest import LEASE_SECONDS
from tests.acceptance.faults import until
from tests.acceptance.recovery import must_go_on


async def test_kill_9_in_the_middle_of_ingest_and_again_in_the_middle_of_recalculation(
    run: AcceptanceRun,
) -> None:
    pipeline = await run.submit()
    for moment in (reading, computing):
        job = await run.until(pipeline, moment)
        fault_at = time.time()
        run.stack.kill(run.holder(job))
        await must_go_on(run, pipeline, job, fault_at, lease_seconds=LEASE_SECONDS)
    view = await run.ended(pipeline)
    await run.must_have_arrived(view)
    attempts = {job.job_type: (job.attempts, job.expiries) for job in view.in_order()}
    assert attempts["csv_ingest"] == (2, 1)
    assert attempts["emission_recalc"] == (2, 1)


async def test_kill_9_of_all_workers_at_once(run: AcceptanceRun) -> None:
    pipeline = await run.submit()
    job = await run.until(pipeline, reading)
    fault_at = time.time()
    killed = {name: run.worker_id(name) for name in ("worker-1", "worker-2")}
    for name in killed:
        run.stack.kill(name)
    # Nobody is left, so the work waits for a new process. How long its imports take is the
    # machine's affair: a busy one needs more than the lease and what is allowed beside it.
    await until(
        lambda: any(run.worker_id(name) != old for name, old in killed.items()),
        "no worker was started again",
    )
    started_seconds = time.time() - fault_at
    await must_go_on(
        run, pipeline, job, fault_at, lease_seconds=max(LEASE_SECONDS, started_seconds)
    )
    await run.must_have_arrived(await run.ended(pipeline))


async def test_sigterm_in_mid_step_releases_the_job_and_costs_no_attempt(
    run: AcceptanceRun,
) -> None:
    pipeline = await run.submit()
    job = await run.until(pipeline, reading)
    await run.stack.stop(run.holder(job))
    view = await run.ended(pipeline)
    await run.must_have_arrived(view)
    ingest = view.in_order()[0]
    assert (ingest.job_type, ingest.attempts, ingest.expiries) == ("csv_ingest", 1, 0)
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
