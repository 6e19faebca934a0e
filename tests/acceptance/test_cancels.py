"""Cancelled at any moment: data none or whole, the drain ends, the key is free."""

import os
import signal
from pathlib import Path

import pytest

from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import (
    AcceptanceRun,
    Moment,
    computing,
    reading,
    recomputed,
    write_some_flights,
)
from tests.acceptance.conftest import OpenRun
from tests.acceptance.faults import until_stopped, with_a_faulty_worker

REASON = "the operator's word"


@pytest.mark.parametrize("moment", [reading, computing])
async def test_a_run_cancelled_in_the_middle(run: AcceptanceRun, moment: Moment) -> None:
    pipeline = await run.submit()
    job = await run.until(pipeline, moment)
    await must_be_cancelled(run, pipeline, data_landed=job.job_type != "csv_ingest")


@pytest.mark.parametrize("job_type", ["csv_ingest", "emission_recalc", "aggregation"])
@pytest.mark.parametrize("place", ["before_publication", "inside_publication"])
async def test_a_run_cancelled_where_it_makes_its_data_count(
    open_run: OpenRun, tmp_path: Path, place: str, job_type: str
) -> None:
    faulty = with_a_faulty_worker(place, "stop", tmp_path / "stopped", job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_run(programs=faulty, supervise=False, prepared=False, file=some) as run:
        await run.prepare_by("worker-2")
        pipeline = await run.submit()
        stopped = run.stack.pid("worker-1")
        await until_stopped(stopped)
        cancelled = await run.client.cancel_pipeline(pipeline, REASON)
        assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
        os.kill(stopped, signal.SIGCONT)
        await must_be_free_again(run)


async def test_a_job_cancelled_before_anybody_claimed_it(open_run: OpenRun) -> None:
    async with open_run(supervise=False) as run:
        for name in ("worker-1", "worker-2"):
            await run.stack.stop(name)
        pipeline = await run.submit()
        cancelled = await run.client.cancel_pipeline(pipeline, REASON)
        assert len(cancelled.cancelled_job_ids) == 1
        await run.stack.start("worker-1")
        await run.must_have_arrived(await run.ended(await run.submit()))


async def must_be_cancelled(run: AcceptanceRun, pipeline: int, *, data_landed: bool) -> None:
    """Cancels, looks at the data, and sends the same file again over the same key."""
    cancelled = await run.client.cancel_pipeline(pipeline, REASON)
    assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
    entries = await run.fetch_row(PUBLISHED_ROWS)
    assert entries["rows"] in {0, recomputed(run.file).accepted}
    assert bool(entries["rows"]) is data_landed
    await must_be_free_again(run)


async def must_be_free_again(run: AcceptanceRun) -> None:
    """The same file takes its way; it waits for the drain, since the key is exclusive."""
    await run.must_have_arrived(await run.ended(await run.submit()))
    held = await run.fetch_row("SELECT count(*) AS claims FROM scheduler.claims")
    assert held["claims"] == 0


PUBLISHED_ROWS = """
    SELECT count(*) AS rows
    FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
    WHERE s.state = 'PUBLISHED'"""
