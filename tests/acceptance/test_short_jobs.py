"""With the settings as they come, a short job does not wait for a long one."""

import asyncio
from pathlib import Path

import asyncpg

from carbonline.command.demo import YEAR, find_files
from carbonline.command.jobs_of_files import submit_file, units_job
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import write_some_flights
from tests.acceptance.conftest import OpenRun

# Whoever publishes the rows of the year waits behind this one.
HOLD_THE_YEAR = """
INSERT INTO carbon.write_fences (tenant, scope, newest_token) VALUES ('local', $1, 0)
"""
# Less than the long one waits before it gives up its place.
PASSES_SECONDS_MAX = 15


async def test_a_short_job_passes_a_long_one_in_the_same_worker(
    open_run: OpenRun, tmp_path: Path
) -> None:
    some = write_some_flights(tmp_path / "some.csv.gz")
    usual = {"lease_seconds": 45.0, "beat_seconds": 10.0, "sweep_seconds": 5.0}
    async with open_run(workers=1, schedulers=1, file=some, **usual) as run:
        conn = await asyncpg.connect(run.stack.addresses.database_url)
        holding = conn.transaction()
        await holding.start()
        await conn.execute(HOLD_THE_YEAR, f"entries/2/{YEAR}")
        long_one = await run.submit()
        await run.until(long_one, lambda _running: True)
        short = await submit_file(run.client, units_job(find_files() / "units.csv", YEAR + 1))
        async with asyncio.timeout(PASSES_SECONDS_MAX):
            ended = await run.ended(short)
        assert ended.pipeline is not None
        assert ended.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        there = await run.client.get_pipeline(long_one)
        assert there.pipeline.status == types_pb2.PIPELINE_STATUS_RUNNING
        await holding.rollback()
        await conn.close()
        await run.must_have_arrived(await run.ended(long_one))
