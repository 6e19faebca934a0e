"""A retry that finds the work of an earlier attempt done reports what that one did."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from carbonline.client.view import PipelineView
from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run

BAD = "0828,GVA,CDG,1,economy,0,"
Load = Callable[[WorkerHarness], Awaitable[PipelineView]]
# In an order in which each finds what it needs.
LOADS: dict[str, Load] = {
    "unit_sync": lambda harness: harness.load_units(),
    "reference_ingest": lambda harness: harness.load_places(),
    "factor_ingest": lambda harness: harness.load_factors(),
    "csv_ingest": lambda harness: harness.load_flights(flights(CDG, BAD)),
}
COUNTS = {
    "factor_ingest": {"factors_changed": 2},
    "reference_ingest": {"places_new": 3},
    "unit_sync": {"units_new": 2},
    "csv_ingest": {"rows_accepted": 1, "rows_rejected": 1},
}


def dies_after_its_commit(harness: WorkerHarness, job_type: str) -> None:
    """The first attempt of this type loses its connection after its data is committed."""
    step = harness.steps[job_type]

    async def dying(run: Run) -> Outcome:
        outcome = await step(run)
        if run.job.attempt == 1:
            raise ConnectionResetError("after the commit")
        return outcome

    harness.steps[job_type] = dying


@pytest.mark.parametrize("job_type", LOADS)
async def test_a_retry_reports_the_counts_of_the_attempt_that_made_them(
    idle_harness: WorkerHarness, job_type: str
) -> None:
    dies_after_its_commit(idle_harness, job_type)
    async with idle_harness.working():
        views = {}
        for name, load in LOADS.items():
            views[name] = await load(idle_harness)
            if name == job_type:
                break
    view = views[job_type]
    job = next(one for one in view.in_order() if one.job_type == job_type)
    stats: dict[str, Any] = MessageToDict(job.stats)
    assert job.attempts == 2, job.message
    assert stats | COUNTS[job_type] == stats, stats
    assert "nothing was changed" not in job.message
    if job_type == "csv_ingest":
        assert [row["row"] for row in stats["rejected_rows"]] == [2]
        assert stats["rejected_blob"]
