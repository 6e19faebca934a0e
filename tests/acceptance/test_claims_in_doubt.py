"""Data committed and the end never told: what followed from it is done all the same."""

from pathlib import Path

import pytest

from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import AcceptanceRun, write_some_flights
from tests.acceptance.conftest import OpenRun
from tests.acceptance.faults import until, with_a_faulty_worker


@pytest.mark.parametrize("job_type", ["csv_ingest", "emission_recalc", "aggregation"])
async def test_kill_9_between_commit_and_finish(
    open_run: OpenRun, tmp_path: Path, job_type: str
) -> None:
    marker = tmp_path / "killed"
    faulty = with_a_faulty_worker("after_commit", "kill", marker, job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_run(programs=faulty, supervise=False, prepared=False, file=some) as run:
        await run.prepare_by("worker-2")
        pipeline = await run.submit()
        await gone(run, marker)
        await run.stack.start("worker-2")
        await run.must_have_arrived(await run.ended(pipeline))


async def test_kill_9_between_commit_and_finish_of_a_job_that_is_cancelled_then(
    open_run: OpenRun, tmp_path: Path
) -> None:
    marker = tmp_path / "killed"
    faulty = with_a_faulty_worker("after_commit", "kill", marker, "csv_ingest")
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_run(programs=faulty, supervise=False, prepared=False, file=some) as run:
        await run.prepare_by("worker-2")
        pipeline = await run.submit()
        await gone(run, marker)
        cancelled = await run.client.cancel_pipeline(pipeline, "the operator's word")
        assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
        await run.stack.start("worker-2")
        repair = await run.repair_of(pipeline)
        view = await run.ended(repair)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        await run.must_have_totals()
        await run.no_row_may_count_twice()
        await run.everything_must_be_fresh()


async def gone(run: AcceptanceRun, marker: Path) -> None:
    """Waits for the faulty worker's end at its place."""
    worker = run.stack.child("worker-1")
    await until(lambda: marker.exists() and not worker.running, "the worker was never killed")
