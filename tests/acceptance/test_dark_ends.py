"""Data committed and the end never told: what followed from it is done all the same."""

from pathlib import Path

import pytest

from carbonline.v1 import types_pb2
from tests.acceptance.conftest import OpenTrip
from tests.acceptance.faults import until, with_a_faulty_worker
from tests.acceptance.trip import Trip, write_some_flights


@pytest.mark.parametrize("job_type", ["csv_ingest", "emission_recalc", "aggregation"])
async def test_kill_9_between_commit_and_finish(
    open_trip: OpenTrip, tmp_path: Path, job_type: str
) -> None:
    marker = tmp_path / "killed"
    faulty = with_a_faulty_worker("after_commit", "kill", marker, job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_trip(programs=faulty, supervise=False, prepared=False, file=some) as trip:
        await trip.prepare_by("worker-2")
        pipeline = await trip.submit()
        await gone(trip, marker)
        await trip.stack.start("worker-2")
        await trip.must_have_arrived(await trip.ended(pipeline))


async def test_kill_9_between_commit_and_finish_of_a_job_that_is_cancelled_then(
    open_trip: OpenTrip, tmp_path: Path
) -> None:
    marker = tmp_path / "killed"
    faulty = with_a_faulty_worker("after_commit", "kill", marker, "csv_ingest")
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_trip(programs=faulty, supervise=False, prepared=False, file=some) as trip:
        await trip.prepare_by("worker-2")
        pipeline = await trip.submit()
        await gone(trip, marker)
        cancelled = await trip.client.cancel_pipeline(pipeline, "the operator's word")
        assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
        await trip.stack.start("worker-2")
        repair = await trip.repair_of(pipeline)
        view = await trip.ended(repair)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        await trip.must_have_totals()
        await trip.no_row_may_count_twice()
        await trip.everything_must_be_fresh()


async def gone(trip: Trip, marker: Path) -> None:
    """Waits for the faulty worker's end at its place."""
    worker = trip.stack.child("worker-1")
    await until(lambda: marker.exists() and not worker.running, "the worker was never killed")
