"""All jobs of a pipeline are read, though an answer has room for the first of them only."""

import pytest

from carbonline.client import contract_client
from scheduler_service.rpc.operations import pipelines
from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights


@pytest.mark.parametrize("jobs_per_page", [1, 2, 500])
async def test_jobs_beyond_the_first_are_read_page_by_page(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch, jobs_per_page: int
) -> None:
    monkeypatch.setattr(contract_client, "JOBS_PER_PAGE", jobs_per_page)
    view = await harness.load_flights(flights(CDG))
    assert view.pipeline is not None
    pipeline_id = view.pipeline.pipeline_id
    at_once = await harness.client.jobs_of_pipeline(pipeline_id)
    monkeypatch.setattr(pipelines, "JOBS_SHOWN_MAX", 1)
    cut = await harness.client.get_pipeline(pipeline_id)
    assert (len(cut.jobs), cut.has_more_jobs) == (1, True)
    in_pages = await harness.client.jobs_of_pipeline(pipeline_id)
    assert [job.job_type for job in in_pages] == ["csv_ingest", "emission_recalc", "aggregation"]
    assert [job.job_id for job in in_pages] == [job.job_id for job in at_once]
