"""Whatever comes, of whatever field: a documented answer, and the neighbours get theirs."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.serving.errors import CODES
from carbonline.v1 import interventions_pb2 as interventions
from carbonline.v1 import monitoring_pb2 as monitoring
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import retention_pb2 as retention
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import schedules_pb2 as schedules
from carbonline.v1 import types_pb2
from tests.carbonline.serving.odd_requests import bytes_like
from tests.scheduler_service.rpc.conftest import BLOB, Client

UUID = str(uuid4())
SERVICES = {"scheduler": pb, "operations": ops}
TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)
CHILD = pb.ChildSpec(child_key="k", job_type="noop", payload=struct_of({"a": 1}))
NOOP = pb.SubmitRequest(
    request_id=UUID, job_type="noop", scope=types_pb2.Scope(tenant="local"), payload=struct_of({})
)
FILE = pb.SubmitRequest(
    request_id=UUID, job_type="csv_ingest", scope=TRAVEL, payload=struct_of({"blob": BLOB})
)
# Job and claim numbers below what the tests' database gives away.
HELD: dict[str, Any] = {"worker_id": UUID, "job_id": 1, "claim_token": 1}
ENDING = pb.FinishRequest(
    **HELD,
    result=types_pb2.JOB_RESULT_ERROR,
    error_cause="broken",
    message="m",
    stats=struct_of({"rows": 1}),
)
BEAT = pb.ClaimBeat(job_id=1, claim_token=1, progress=types_pb2.Progress(done=1, phase="p"))
RELEASE = pb.ClaimRelease(job_id=1, claim_token=1, reason=pb.RELEASE_REASON_RETRY_LATER)
# By method: nothing is wrong with these.
GOOD: dict[str, list[Message]] = {
    "Submit": [NOOP, FILE],
    "BatchSubmit": [pb.BatchSubmitRequest(requests=[NOOP, FILE])],
    "Claim": [
        pb.ClaimRequest(
            worker_id=UUID, request_id=UUID, job_types=["csv_ingest"], max_jobs=1, build_id="t"
        )
    ],
    "Heartbeat": [pb.HeartbeatRequest(worker_id=UUID, beats=[BEAT])],
    "Chain": [pb.ChainRequest(**HELD, children=[CHILD])],
    "Finish": [ENDING],
    "BatchFinish": [pb.BatchFinishRequest(requests=[ENDING, ENDING])],
    "Release": [pb.ReleaseRequest(worker_id=UUID, releases=[RELEASE])],
    "WatchPipeline": [pb.WatchPipelineRequest(pipeline_id=1)],
    "WatchPipelines": [pb.WatchPipelinesRequest(year=2024, ended_max=1, with_activity=True)],
    "GetPipeline": [ops.GetPipelineRequest(pipeline_id=1)],
    "ListPipelines": [
        ops.ListPipelinesRequest(kind="noop", year=2024),
        ops.ListPipelinesRequest(unit="u", submitted_by="n", text="t", with_status_counts=True),
    ],
    "GetJob": [ops.GetJobRequest(job_id=1)],
    "ListJobs": [ops.ListJobsRequest(pipeline_id=1, job_types=["noop"])],
    "CancelPipeline": [ops.CancelPipelineRequest(pipeline_id=2, reason="why")],
    "WithdrawUpload": [
        ops.WithdrawUploadRequest(
            upload_id=1,
            module=TRAVEL.module,
            data_entry_type=TRAVEL.data_entry_type,
            year=2024,
            request_id=UUID,
        )
    ],
    "GetYear": [ops.GetYearRequest(year=2024)],
    "ListYears": [ops.ListYearsRequest(page_size=1)],
    "ListWorkers": [ops.ListWorkersRequest(page_size=1)],
    "ExplainJob": [monitoring.ExplainJobRequest(job_id=1)],
    "GetCaller": [ops.GetCallerRequest()],
    "ListJobTypes": [monitoring.ListJobTypesRequest()],
    "ListNamedBlobs": [monitoring.ListNamedBlobsRequest(blobs=[BLOB])],
    "ListKeptPipelines": [retention.ListKeptPipelinesRequest(pipeline_ids=[1])],
    "GetQueueStats": [monitoring.GetQueueStatsRequest(page_size=1)],
    "VerifyHistory": [monitoring.VerifyHistoryRequest(after_pipeline_id=1)],
    "ListActivePipelines": [monitoring.ListActivePipelinesRequest(year=2024)],
    "ListSlots": [monitoring.ListSlotsRequest(year=2024)],
    "ListStaleStats": [monitoring.ListStaleStatsRequest(year=2024)],
    "LockPeriod": [interventions.LockPeriodRequest(year=2031, reason="why")],
    "UnlockPeriod": [interventions.UnlockPeriodRequest(year=2031)],
    "DrainWorker": [interventions.DrainWorkerRequest(worker_id=UUID, reason="why")],
    "PauseJobType": [interventions.PauseJobTypeRequest(job_type="unit_sync", reason="why")],
    "ResumeJobType": [interventions.ResumeJobTypeRequest(job_type="unit_sync")],
    "ListJobTypePauses": [interventions.ListJobTypePausesRequest(include_resumed=True)],
    "CreateSchedule": [
        schedules.CreateScheduleRequest(
            name="nightly",
            cron="15 2 * * *",
            job_type="unit_sync",
            payload=struct_of({"provider": "unit-directory"}),
        )
    ],
    "GetSchedule": [schedules.GetScheduleRequest(name="nightly")],
    "ListSchedules": [schedules.ListSchedulesRequest()],
    "PauseSchedule": [schedules.PauseScheduleRequest(name="nightly", reason="why")],
    "ResumeSchedule": [schedules.ResumeScheduleRequest(name="nightly")],
    "DeleteSchedule": [schedules.DeleteScheduleRequest(name="nightly")],
    "RecoverJob": [interventions.RecoverJobRequest(job_id=1, claim_token=1, reason="why")],
    "RetryPipeline": [interventions.RetryPipelineRequest(pipeline_id=2, request_id=UUID)],
}
METHODS = {
    method.name: f"/{service.full_name}/{method.name}"
    for file in (pb, ops)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
ODD_CALLS = st.lists(
    st.sampled_from(sorted(METHODS)).flatmap(
        lambda name: st.tuples(
            st.just(METHODS[name]), st.sampled_from(GOOD[name]).flatmap(bytes_like)
        )
    ),
    min_size=1,
    max_size=8,
)
FUZZ: dict[str, Any] = {
    "deadline": None,
    "database": None,
    # One server for all examples: that the odd ones before did it no harm is the point.
    "suppress_health_check": list(HealthCheck),
}


def test_every_method_is_among_those_that_are_tried() -> None:
    assert GOOD.keys() == METHODS.keys()


@settings(**FUZZ, derandomize=True, max_examples=60)
@given(ODD_CALLS)
async def test_whatever_comes_has_a_documented_answer(
    client: Client, calls: list[tuple[str, bytes]]
) -> None:
    await answered_beside_neighbours(client, calls)


@pytest.mark.slow
@settings(**FUZZ, max_examples=2_000)
@given(ODD_CALLS)
async def test_whatever_comes_at_length_has_a_documented_answer(
    client: Client, calls: list[tuple[str, bytes]]
) -> None:
    await answered_beside_neighbours(client, calls)


async def answered_beside_neighbours(client: Client, calls: list[tuple[str, bytes]]) -> None:
    """The odd calls and good ones, all at once."""
    worker_id = str(uuid4())
    claimed = await held_job(client, worker_id)
    held: dict[str, Any] = {
        "worker_id": worker_id,
        "job_id": claimed.job.job_id,
        "claim_token": claimed.claim_token,
    }
    ending = pb.FinishRequest(**held, result=types_pb2.JOB_RESULT_SUCCESS)
    beat = pb.ClaimBeat(job_id=held["job_id"], claim_token=held["claim_token"])
    odd = [answered_as_documented(client, method, data) for method, data in calls]
    beaten, batch, *_ = await asyncio.gather(
        client.scheduler.Heartbeat(pb.HeartbeatRequest(worker_id=worker_id, beats=[beat])),
        client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=[noop(), FILE, noop()])),
        client.scheduler.Submit(noop()),
        *odd,
    )
    assert [one.directive for one in beaten.answers] == [pb.CLAIM_DIRECTIVE_CONTINUE]
    assert [one.WhichOneof("result") for one in batch.results][::2] == ["response"] * 2
    ended, *_ = await asyncio.gather(
        client.scheduler.Finish(ending),
        *(answered_as_documented(client, method, data) for method, data in calls),
    )
    assert ended.outcome == pb.FINISH_OUTCOME_APPLIED


async def held_job(client: Client, worker_id: str) -> pb.ClaimedJob:
    """A job of its own in a worker's hands."""
    await client.scheduler.Submit(noop(priority=0))
    claim = pb.ClaimRequest(
        worker_id=worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    job: pb.ClaimedJob
    (job,) = (await client.scheduler.Claim(claim)).jobs
    return job


def noop(priority: int = 9) -> pb.SubmitRequest:
    return pb.SubmitRequest(
        request_id=str(uuid4()), job_type="noop", priority=priority, scope=NOOP.scope
    )


async def answered_as_documented(client: Client, method: str, data: bytes) -> None:
    """OK, or an error of the table, which the code that it came with agrees to."""
    try:
        await client.send_bytes(method, data)
    except grpc.aio.AioRpcError as error:
        said = server_error(error)
        assert said.reason in CODES, f"{method} {said.code}: {said.message}"
        assert said.code == CODES[said.reason].name
        assert said.code not in {"INTERNAL", "UNKNOWN", "UNAVAILABLE"}
