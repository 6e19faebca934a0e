"""What Prometheus reads of a scheduler moves with what the scheduler does."""

from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.settings import SettingsWrong
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.settings import read_settings
from tests.observability.conftest import Observed
from tests.scheduler_service.rpc.conftest import BLOB

SCHEDULER = "carbonline.v1.SchedulerService"
LOCAL = types_pb2.Scope(tenant="local")
INGEST = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def test_a_job_s_way_is_counted(observed: Observed) -> None:
    client, value = observed.client, observed.scrapes.value
    await client.submit("noop", LOCAL)
    (job,) = await client.claim("noop")
    await client.finish(job)
    await client.finish(job)
    prefix = "carbonline_scheduler_"
    assert await value(f"{prefix}submits_total", disposition="CREATED") == 1
    assert await value(f"{prefix}claims_total", job_type="noop") == 1
    assert await value(f"{prefix}finishes_total", outcome="APPLIED", result="SUCCESS") == 1
    assert await value(f"{prefix}finishes_total", outcome="ALREADY_APPLIED", result="SUCCESS") == 1
    assert await value(f"{prefix}operation_seconds_count", operation="finish") == 2
    assert await value(f"{prefix}gathered_items_sum", operation="finish") == 2
    calls = f"{prefix}rpc_calls_total"
    assert await value(calls, method=f"{SCHEDULER}/Finish", code="OK") == 2


async def test_jobs_that_come_together_show_as_one_batch(observed: Observed) -> None:
    batch = scheduler_pb2.BatchSubmitRequest(
        requests=[
            scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop", scope=LOCAL)
            for _ in range(30)
        ]
    )
    await observed.client.scheduler.BatchSubmit(batch)
    bucket = "carbonline_scheduler_gathered_items_bucket"
    assert await observed.scrapes.value(bucket, operation="submit", le="20.0") == 0
    assert await observed.scrapes.value(bucket, operation="submit", le="50.0") == 1


async def test_refused_calls_are_counted_by_their_code(observed: Observed) -> None:
    client = observed.client
    with pytest.raises(grpc.aio.AioRpcError):
        await client.submit("nothing", LOCAL)
    with pytest.raises(grpc.aio.AioRpcError):
        await client.send_bytes(f"/{SCHEDULER}/Submit", b"\xff\xff")
    with pytest.raises(grpc.aio.AioRpcError):
        await client.send_bytes(f"/{SCHEDULER}/Claim", b"", caller="nobody")
    calls = "carbonline_scheduler_rpc_calls_total"
    value = observed.scrapes.value
    assert await value(calls, method=f"{SCHEDULER}/Submit", code="INVALID_ARGUMENT") == 2
    assert await value(calls, method=f"{SCHEDULER}/Claim", code="UNAUTHENTICATED") == 1


async def test_a_watch_that_its_watcher_leaves_is_counted_as_cancelled(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    request = scheduler_pb2.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    stream = observed.client.scheduler.WatchPipeline(request)
    await anext(aiter(stream))
    stream.cancel()
    await observed.scrapes.becomes(
        lambda value: value == 1,
        "carbonline_scheduler_rpc_calls_total",
        method=f"{SCHEDULER}/WatchPipeline",
        code="CANCELLED",
    )


async def test_a_claim_that_its_worker_leaves_is_counted_as_cancelled_and_not_as_a_fault(
    observed: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    request = scheduler_pb2.ClaimRequest(
        worker_id=str(uuid4()),
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    request.wait.FromSeconds(10)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await observed.client.scheduler.Claim(request, timeout=1)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    await observed.scrapes.becomes(
        lambda value: value == 1,
        "carbonline_scheduler_rpc_calls_total",
        method=f"{SCHEDULER}/Claim",
        code="CANCELLED",
    )
    assert [line for line in caplog.messages if "Unexpected" in line] == []


async def test_a_queue_has_a_depth_and_an_age(observed: Observed) -> None:
    for _ in range(3):
        await observed.client.submit("noop", LOCAL)
    depth, age = "carbonline_scheduler_queued_jobs", "carbonline_scheduler_oldest_queued_seconds"
    becomes = observed.scrapes.becomes
    await becomes(lambda jobs: jobs == 3, depth, job_type="noop")
    await becomes(lambda seconds: seconds > 0, age, job_type="noop")
    for job in await observed.client.claim("noop", max_jobs=10):
        await observed.client.finish(job)
    await becomes(lambda jobs: jobs == 0, depth, job_type="noop")
    assert await observed.scrapes.value(age, job_type="noop") == 0


async def test_expiries_and_ends_in_doubt_are_counted(observed: Observed) -> None:
    await observed.client.provision()
    await observed.client.submit("csv_ingest", INGEST, {"blob": BLOB})
    await observed.client.claim("csv_ingest")
    events = "carbonline_scheduler_events_total"
    await observed.scrapes.becomes(lambda expiries: expiries == 1, events, event="expired")
    assert await observed.scrapes.value(events, event="in_doubt") == 1


async def test_a_cancel_is_counted(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    await observed.client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    value = observed.scrapes.value
    assert await value("carbonline_scheduler_events_total", event="cancelled") == 1


def test_no_port_means_no_metrics() -> None:
    environment = {
        "CARBONLINE_DATABASE_URL": "postgresql://x",
        "CARBONLINE_SCHEDULER_ADDRESS": "unix:s",
    }
    assert read_settings(environment).metrics == MetricsAddress(0, "127.0.0.1")
    with pytest.raises(SettingsWrong, match="CARBONLINE_METRICS_PORT must be a port"):
        read_settings({**environment, "CARBONLINE_METRICS_PORT": "70000"})
