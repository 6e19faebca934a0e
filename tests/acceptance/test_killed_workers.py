"""A worker killed in the middle of its work costs time, and nothing else."""

import time

from carbonline.v1 import types_pb2
from tests.acceptance.conftest import LEASE_SECONDS
from tests.acceptance.recovery import must_go_on
from tests.acceptance.trip import Trip, computing, reading


async def test_kill_9_in_the_middle_of_ingest_and_again_in_the_middle_of_recalculation(
    trip: Trip,
) -> None:
    pipeline = await trip.submit()
    for moment in (reading, computing):
        job = await trip.until(pipeline, moment)
        fault_at = time.time()
        trip.stack.kill(trip.holder(job))
        await must_go_on(trip, pipeline, job, fault_at, lease_seconds=LEASE_SECONDS)
    view = await trip.ended(pipeline)
    await trip.must_have_arrived(view)
    attempts = {job.job_type: (job.attempts, job.lapses) for job in view.in_order()}
    assert attempts["csv_ingest"] == (2, 1)
    assert attempts["emission_recalc"] == (2, 1)


async def test_kill_9_of_all_workers_at_once(trip: Trip) -> None:
    pipeline = await trip.submit()
    job = await trip.until(pipeline, reading)
    fault_at = time.time()
    for name in ("worker-1", "worker-2"):
        trip.stack.kill(name)
    await must_go_on(trip, pipeline, job, fault_at, lease_seconds=LEASE_SECONDS)
    await trip.must_have_arrived(await trip.ended(pipeline))


async def test_sigterm_in_mid_step_gives_the_job_back_and_spends_no_attempt(trip: Trip) -> None:
    pipeline = await trip.submit()
    job = await trip.until(pipeline, reading)
    await trip.stack.stop(trip.holder(job))
    view = await trip.ended(pipeline)
    await trip.must_have_arrived(view)
    ingest = view.in_order()[0]
    assert (ingest.job_type, ingest.attempts, ingest.lapses) == ("csv_ingest", 1, 0)
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
