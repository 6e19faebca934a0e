"""Any other process killed in the middle of the work: it comes back, and the work goes on."""

import time

import pytest

from tests.acceptance.conftest import LEASE_SECONDS, OpenTrip
from tests.acceptance.recovery import Sign, must_answer, must_go_on, taken_up, worked_on
from tests.acceptance.trip import Trip, computing, reading


# The scheduler's end breaks off no step, that of PostgreSQL does.
@pytest.mark.parametrize(("name", "sign"), [("scheduler", worked_on), ("postgres", taken_up)])
async def test_kill_9_in_the_middle_of_ingest(trip: Trip, name: str, sign: Sign) -> None:
    pipeline = await trip.submit()
    job = await trip.until(pipeline, reading)
    fault_at = time.time()
    trip.stack.kill(name)
    await must_go_on(trip, pipeline, job, fault_at, sign=sign, lease_seconds=LEASE_SECONDS)
    await trip.must_have_arrived(await trip.ended(pipeline))


async def test_kill_9_of_the_ledger_process_harms_no_job(trip: Trip) -> None:
    pipeline = await trip.submit()
    job = await trip.until(pipeline, reading)
    fault_at = time.time()
    trip.stack.kill("ledger")
    await must_go_on(trip, pipeline, job, fault_at, sign=worked_on, lease_seconds=LEASE_SECONDS)
    await must_answer(trip, fault_at, lease_seconds=LEASE_SECONDS)
    await trip.must_have_arrived(await trip.ended(pipeline))


async def test_a_restart_of_everything_goes_on_where_it_was(open_trip: OpenTrip) -> None:
    async with open_trip(drain_seconds=0.0) as first:
        pipeline = await first.submit()
        job = await first.until(pipeline, computing)
    started_at = time.time()
    async with open_trip(prepared=False) as second:
        await must_go_on(second, pipeline, job, started_at, lease_seconds=LEASE_SECONDS)
        await second.must_have_arrived(await second.ended(pipeline))
