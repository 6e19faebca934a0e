"""The trip with the lease that production has."""

import time

import pytest

from tests.acceptance.conftest import OpenTrip
from tests.acceptance.recovery import must_go_on
from tests.acceptance.trip import computing, reading


@pytest.mark.slow
async def test_kill_9_twice_with_the_default_lease(open_trip: OpenTrip) -> None:
    async with open_trip(lease_seconds=45.0, beat_seconds=10.0, sweep_seconds=5.0) as trip:
        pipeline = await trip.submit()
        for moment in (reading, computing):
            job = await trip.until(pipeline, moment)
            fault_at = time.time()
            trip.stack.kill(trip.holder(job))
            await must_go_on(trip, pipeline, job, fault_at, lease_seconds=45.0)
        view = await trip.ended(pipeline)
        await trip.must_have_arrived(view)
