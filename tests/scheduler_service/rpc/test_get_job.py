"""GetJob, and `carbonline job`, which shows everything about one job."""

import json
from dataclasses import replace

import pytest
from google.protobuf.duration_pb2 import Duration
from rich.cells import cell_len

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.rpc.operations import pipelines
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_recover_job import typed

PLANES = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Leases that last for as long as the commands of a test take on a busy machine."""
    return replace(settings, lease_seconds=300.0)


async def released(client: Client, job: scheduler_pb2.ClaimedJob) -> None:
    """The worker releases the job after a fault that may pass."""
    release = scheduler_pb2.ReleaseRequest(
        worker_id=client.worker_id,
        releases=[
            scheduler_pb2.ClaimRelease(
                job_id=job.job.job_id,
                claim_token=job.claim_token,
                reason=scheduler_pb2.RELEASE_REASON_RETRY_LATER,
                written=types_pb2.WRITTEN_NOTHING,
                delay=Duration(nanos=1_000_000),
                message="a lost connection\x1b[2J",
            )
        ],
    )
    await client.scheduler.Release(release)


async def test_a_job_names_who_has_joined_it(client: Client) -> None:
    await client.provision()
    first = await client.submit("emission_recalc", PLANES)
    joined = [await client.submit("emission_recalc", PLANES) for _ in range(2)]
    request = operations_pb2.GetJobRequest(job_id=first.job_id)
    shown = await client.operations.GetJob(request)
    assert list(shown.joined_by_pipeline_ids) == [one.pipeline_id for one in joined]


async def test_a_job_is_shown_with_its_claims_what_it_waits_for_and_what_follows(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.provision()
    upload = await client.submit("csv_ingest", PLANES, {"blob": BLOB, "file_name": "a.csv"})
    behind = await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    (first,) = await client.claim("csv_ingest")
    await released(client, first)
    (second,) = await client.claim("csv_ingest", wait_seconds=5)
    chained = scheduler_pb2.ChildSpec(
        child_key="next", job_type="emission_recalc", data_entry_type=PLANES.data_entry_type
    )
    await client.scheduler.Chain(
        scheduler_pb2.ChainRequest(
            worker_id=client.worker_id,
            job_id=second.job.job_id,
            claim_token=second.claim_token,
            children=[chained],
        )
    )
    for columns in (80, 40):
        code, printed = await typed(settings, "job", str(behind.job_id), columns=columns)
        assert code == 0
        assert f"It is the turn of job {upload.job_id}" in " ".join(printed.split())
        code, printed = await typed(settings, "job", str(upload.job_id), columns=columns)
        assert code == 0
        said = " ".join(printed.split())
        for token, event in ((first.claim_token, "retry_later"), (second.claim_token, "RUNNING")):
            assert event in said
            assert f"claim {token} of worker {client.worker_id}" in said.replace("claim:", "claim")
        assert "a lost connection\\x1b[2J" in said
        assert f"pipeline: {upload.pipeline_id} (RUNNING) of local" in said
        # A blob's name is never broken.
        lines = [line for line in printed.splitlines() if BLOB not in line]
        assert max(map(cell_len, lines)) <= columns

    await client.finish(second)
    # Follow-ups are found wherever they stand among the jobs of their pipeline.
    monkeypatch.setattr(pipelines, "JOBS_SHOWN_MAX", 1)
    code, printed = await typed(settings, "job", str(upload.job_id), "--json")
    shown = json.loads(printed)
    assert [(row["event"], row["claim"], row["worker"]) for row in shown["rows"]] == [
        ("created", None, None),
        ("started", first.claim_token, client.worker_id),
        ("retry_later", first.claim_token, client.worker_id),
        ("started", second.claim_token, client.worker_id),
        ("finished", second.claim_token, client.worker_id),
    ]
    assert (shown["state"], shown["result"], shown["attempts"]) == ("finished", "success", 2)
    assert shown["payload"]["file_name"] == "a.csv"
    (follow_up,) = shown["follow_ups"]
    assert shown["follow_ups_may_be_more"] is False
    assert (follow_up["job_type"], follow_up["state"]) == ("emission_recalc", "queued")


async def test_a_cancelled_job_says_by_whom_and_why(client: Client, settings: Settings) -> None:
    await client.provision()
    upload = await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    await client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=upload.pipeline_id, reason="wrong file")
    )
    code, printed = await typed(settings, "job", str(upload.job_id))
    assert code == 0
    assert f"Job {upload.job_id} (csv_ingest) has ended: CANCELLED." in printed
    assert "by local: wrong file" in printed
