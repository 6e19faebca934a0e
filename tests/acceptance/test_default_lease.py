"""An acceptance run with the lease that production has."""

import time

import pytest

from tests.acceptance.acceptance_run import computing, reading
from tests.acceptance.conftest import OpenRun
from tests.acceptance.recovery import must_go_on


@pytest.mark.slow
async def test_kill_9_twice_with_the_default_lease(open_run: OpenRun) -> None:
    async with open_run(lease_seconds=45.0, beat_seconds=10.0, sweep_seconds=5.0) as run:
        pipeline = await run.submit()
        for moment in (reading, computing):
            job = await run.until(pipeline, moment)
            fault_at = time.time()
            run.stack.kill(run.holder(job))
            await must_go_on(run, pipeline, job, fault_at, lease_seconds=45.0)
        view = await run.ended(pipeline)
        await run.must_have_arrived(view)
