"""Cancelled at any moment: data none or whole, the drain ends, the key is free."""

import os
import signal
from pathlib import Path

import pytest

from carbonline.v1 import types_pb2
from tests.acceptance.conftest import OpenTrip
from tests.acceptance.faults import until_stopped, with_a_faulty_worker
from tests.acceptance.trip import (
    Moment,
    Trip,
    computing,
    reading,
    recomputed,
    write_some_flights,
)

REASON = "the operator's word"


@pytest.mark.parametrize("moment", [reading, computing])
async def test_a_run_cancelled_in_the_middle(trip: Trip, moment: Moment) -> None:
    pipeline = await trip.submit()
    job = await trip.until(pipeline, moment)
    await must_be_cancelled(trip, pipeline, data_landed=job.job_type != "csv_ingest")


@pytest.mark.parametrize("job_type", ["csv_ingest", "emission_recalc", "aggregation"])
@pytest.mark.parametrize("place", ["before_publication", "inside_publication"])
async def test_a_run_cancelled_where_it_makes_its_data_count(
    open_trip: OpenTrip, tmp_path: Path, place: str, job_type: str
) -> None:
    faulty = with_a_faulty_worker(place, "stop", tmp_path / "stopped", job_type)
    some = write_some_flights(tmp_path / "some.csv.gz")
    async with open_trip(programs=faulty, supervise=False, prepared=False, file=some) as trip:
        await trip.prepare_by("worker-2")
        pipeline = await trip.submit()
        stopped = trip.stack.pid("worker-1")
        await until_stopped(stopped)
        cancelled = await trip.client.cancel_pipeline(pipeline, REASON)
        assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
        os.kill(stopped, signal.SIGCONT)
        await must_be_free_again(trip)


async def test_a_job_cancelled_before_anybody_claimed_it(open_trip: OpenTrip) -> None:
    async with open_trip(supervise=False) as trip:
        for name in ("worker-1", "worker-2"):
            await trip.stack.stop(name)
        pipeline = await trip.submit()
        cancelled = await trip.client.cancel_pipeline(pipeline, REASON)
        assert len(cancelled.cancelled_job_ids) == 1
        await trip.stack.start("worker-1")
        await trip.must_have_arrived(await trip.ended(await trip.submit()))


async def must_be_cancelled(trip: Trip, pipeline: int, *, data_landed: bool) -> None:
    """Cancels, looks at the data, and sends the same file again over the same key."""
    cancelled = await trip.client.cancel_pipeline(pipeline, REASON)
    assert cancelled.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
    entries = await trip.fetch_row(PUBLISHED_ROWS)
    assert entries["rows"] in {0, recomputed(trip.file).accepted}
    assert bool(entries["rows"]) is data_landed
    await must_be_free_again(trip)


async def must_be_free_again(trip: Trip) -> None:
    """The same file takes its way; it waits for the drain, since the key is exclusive."""
    await trip.must_have_arrived(await trip.ended(await trip.submit()))
    held = await trip.fetch_row("SELECT count(*) AS claims FROM scheduler.claims")
    assert held["claims"] == 0


PUBLISHED_ROWS = """
    SELECT count(*) AS rows
    FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
    WHERE s.state = 'PUBLISHED'"""
