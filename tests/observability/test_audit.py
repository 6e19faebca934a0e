"""The audit trail: which RPCs stand on it, and what a line says."""

from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.serving.auth.audit import is_audited
from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2, types_pb2
from tests.observability.conftest import Observed

SCOPE = types_pb2.Scope(tenant="local")
READS = ("Get", "List", "Watch", "Explain", "Verify", "Stat", "Download")
OF_WORKERS = {"Claim", "Heartbeat", "Chain", "Finish", "BatchFinish", "Release"}
METHODS = [
    method
    for file in (blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.name)
def test_what_changes_something_stands_on_the_trail(method: Any) -> None:
    """Its name says whether it does; its roles decide."""
    changes = not method.name.startswith(READS) and method.name not in OF_WORKERS
    assert is_audited(f"/{method.containing_service.full_name}/{method.name}") == changes


@pytest.mark.parametrize("log_level", [10], indirect=True)
async def test_a_line_says_who_what_and_how_it_ended(observed: Observed) -> None:
    request_id = str(uuid4())
    submitted = await observed.client.scheduler.Submit(
        scheduler_pb2.SubmitRequest(request_id=request_id, job_type="noop", scope=SCOPE)
    )
    cancel = operations_pb2.CancelPipelineRequest(
        pipeline_id=submitted.pipeline_id, reason="a mistake"
    )
    await observed.client.operations.CancelPipeline(cancel, metadata=(("x-request-id", "r-7"),))
    submit, cancelled = observed.log.of("call_audited")
    assert submit["method"] == "/carbonline.v1.SchedulerService/Submit"
    assert (submit["principal"], submit["request_id"]) == ("local", request_id)
    assert (submit["tenant"], submit["job_type"], submit["result"]) == ("local", "noop", "ok")
    assert submit["pipeline_id"] == submitted.pipeline_id
    assert (cancelled["reason"], cancelled["request_id"]) == ("a mistake", "r-7")
    assert cancelled["pipeline_id"] == submitted.pipeline_id


async def test_what_was_refused_is_told_with_its_reason(observed: Observed) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await observed.client.operations.CancelPipeline(
            operations_pb2.CancelPipelineRequest(pipeline_id=999, reason="no such")
        )
    (line,) = observed.log.of("call_audited")
    assert (line["result"], line["pipeline_id"]) == ("PIPELINE_NOT_FOUND", 999)


async def test_an_upload_to_a_scope_is_told_at_info(observed: Observed) -> None:
    await observed.client.provision()
    (line,) = observed.log.of("call_audited")
    assert (line["level"], line["job_type"]) == ("info", "unit_sync")


@pytest.mark.parametrize("log_level", [10], indirect=True)
async def test_reads_workers_and_checks_leave_no_line(observed: Observed) -> None:
    await observed.client.scheduler.Submit(
        scheduler_pb2.SubmitRequest(
            request_id=str(uuid4()), job_type="noop", scope=SCOPE, validate_only=True
        )
    )
    await observed.client.claim("noop")
    await observed.client.operations.ListWorkers(operations_pb2.ListWorkersRequest())
    assert observed.log.of("call_audited") == []
