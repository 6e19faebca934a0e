"""What workers and people get wrong is named field by field; what is merely odd is answered."""

from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from carbonline.client.errors import server_error
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

UUID = str(uuid4())
LARGEST = 2**63 - 1
TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


def struct(**values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


# Method, request, the fields that are named: all of them and no others.
BAD_REQUESTS: dict[str, tuple[str, Any, set[str]]] = {
    "claim of nothing by nobody": (
        "Claim",
        pb.ClaimRequest(worker_id="w", request_id="r", wait=duration_pb2.Duration(seconds=26)),
        {"worker_id", "request_id", "job_types", "max_jobs", "wait", "build_id"},
    ),
    "claim of unknown types": (
        "Claim",
        pb.ClaimRequest(
            worker_id=UUID,
            request_id=UUID,
            job_types=["csv_ingest", "csv_ingst", "\0"],
            max_jobs=1001,
            wait=duration_pb2.Duration(nanos=2_000_000_000),
            build_id="b" * 129,
            host="a\0b",
        ),
        {"job_types[1]", "job_types[2]", "max_jobs", "wait", "build_id", "host"},
    ),
    "claim of a build that nobody can read": (
        "Claim",
        pb.ClaimRequest(
            worker_id=UUID, request_id=UUID, job_types=["noop"], max_jobs=1, build_id=" \u200b"
        ),
        {"build_id"},
    ),
    "beats of no claims": (
        "Heartbeat",
        pb.HeartbeatRequest(
            worker_id=UUID,
            beats=[
                pb.ClaimBeat(job_id=1, claim_token=-1),
                pb.ClaimBeat(
                    job_id=0,
                    claim_token=1,
                    progress=types_pb2.Progress(done=-1, total=-1, phase="a\0b", message="m" * 513),
                ),
            ],
        ),
        {
            "beats[0].claim_token",
            "beats[1].job_id",
            "beats[1].progress.done",
            "beats[1].progress.total",
            "beats[1].progress.phase",
            "beats[1].progress.message",
        },
    ),
    "more beats than jobs can be held": (
        "Heartbeat",
        pb.HeartbeatRequest(
            worker_id=UUID, beats=[pb.ClaimBeat(job_id=1, claim_token=1) for _ in range(1001)]
        ),
        {"beats"},
    ),
    "children that cannot be": (
        "Chain",
        pb.ChainRequest(
            worker_id=UUID,
            job_id=1,
            claim_token=1,
            children=[
                pb.ChildSpec(job_type="emission_recalc", year=24),
                pb.ChildSpec(child_key="k", job_type="x"),
            ],
        ),
        {
            "children[0].child_key",
            "children[0].year",
            "children[0].data_entry_type",
            "children[1].job_type",
        },
    ),
    "an end without a cause": (
        "Finish",
        pb.FinishRequest(worker_id="w", result=types_pb2.JOB_RESULT_ERROR, message="a\0b"),
        {"worker_id", "job_id", "claim_token", "error_cause", "message"},
    ),
    "an end that only the scheduler gives": (
        "Finish",
        pb.FinishRequest(
            worker_id=UUID,
            job_id=1,
            claim_token=1,
            result=types_pb2.JOB_RESULT_SUPERSEDED,
            error_cause="why",
            stats=struct(x=float("inf")),
        ),
        {"result", "error_cause", "stats"},
    ),
    "releases of nothing": ("Release", pb.ReleaseRequest(worker_id=UUID), {"releases"}),
    "a release without a reason": (
        "Release",
        pb.ReleaseRequest(
            worker_id=UUID,
            releases=[
                pb.ClaimRelease(
                    job_id=1,
                    claim_token=0,
                    message="m" * 4097,
                    delay=duration_pb2.Duration(seconds=3601),
                )
            ],
        ),
        {
            "releases[0].claim_token",
            "releases[0].reason",
            "releases[0].message",
            "releases[0].delay",
        },
    ),
    "a watch from before the beginning": (
        "WatchPipeline",
        pb.WatchPipelineRequest(pipeline_id=-1, after_version=-1),
        {"pipeline_id", "after_version"},
    ),
    "a list of what cannot be": (
        "ListPipelines",
        ops.ListPipelinesRequest(
            kind="a\0b",
            year=24,
            page_size=501,
            page_token="next",
            created_from=timestamp_pb2.Timestamp(seconds=-(2**62)),
            created_before=timestamp_pb2.Timestamp(nanos=-5),
        ),
        {"kind", "year", "page_size", "page_token", "created_from", "created_before"},
    ),
    "a list of unknown jobs": (
        "ListJobs",
        ops.ListJobsRequest(pipeline_id=-1, job_types=["\0"], year=2101, page_size=-1),
        {"pipeline_id", "job_types[0]", "year", "page_size"},
    ),
    "a year that is none": ("GetYear", ops.GetYearRequest(year=-(2**31)), {"year"}),
    "a cancel with a bad reason": (
        "CancelPipeline",
        ops.CancelPipelineRequest(pipeline_id=0, reason="a\0b"),
        {"pipeline_id", "reason"},
    ),
    "a withdrawal of nothing": (
        "WithdrawUpload",
        ops.WithdrawUploadRequest(),
        {"upload_id", "module", "data_entry_type", "year", "request_id"},
    ),
    "a withdrawal from another module": (
        "WithdrawUpload",
        ops.WithdrawUploadRequest(
            upload_id=2**53 + 1,
            module=types_pb2.MODULE_PURCHASE,
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            year=2024,
            request_id=UUID,
        ),
        {"upload_id", "data_entry_type"},
    ),
}


async def call(client: Client, method: str, request: Any) -> Any:
    """The answer; of a stream, its first one."""
    stub = client.operations if hasattr(client.operations, method) else client.scheduler
    answer = getattr(stub, method)(request)
    return await (anext(aiter(answer)) if method == "WatchPipeline" else answer)


@pytest.mark.parametrize("case", BAD_REQUESTS)
async def test_all_fields_that_are_wrong_are_named_at_once(client: Client, case: str) -> None:
    method, request, expected = BAD_REQUESTS[case]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(client, method, request)
    error = server_error(raised.value)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert set(error.fields) == expected


@pytest.mark.parametrize(
    ("method", "request_type", "field"),
    [
        ("Finish", pb.FinishRequest, "result"),
        ("Finish", pb.FinishRequest, "written"),
        ("ListPipelines", ops.ListPipelinesRequest, "module"),
        ("ListPipelines", ops.ListPipelinesRequest, "statuses"),
        ("ListJobs", ops.ListJobsRequest, "module"),
        ("ListJobs", ops.ListJobsRequest, "states"),
    ],
)
@pytest.mark.parametrize("number", [-1, 99, 2**31 - 1])
async def test_an_enums_unknown_number_is_a_wrong_field(
    client: Client, method: str, request_type: Any, field: str, number: int
) -> None:
    repeated = field in {"statuses", "states"}
    request = request_type(**{field: [number] if repeated else number})
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(client, method, request)
    error = server_error(raised.value)
    assert error.code == "INVALID_ARGUMENT"
    assert (f"{field}[0]" if repeated else field) in error.fields


FOREIGN: dict[str, Any] = {"worker_id": UUID, "job_id": LARGEST, "claim_token": LARGEST}
# Nothing is wrong with these: the answer is that there is nothing of the kind.
ODD_REQUESTS: dict[str, tuple[str, Any, str]] = {
    "the same beat twice": (
        "Heartbeat",
        pb.HeartbeatRequest(worker_id=UUID, beats=[pb.ClaimBeat(job_id=5, claim_token=5)] * 2),
        "OK",
    ),
    "an end of an unknown job": (
        "Finish",
        pb.FinishRequest(**FOREIGN, result=types_pb2.JOB_RESULT_SUCCESS),
        "JOB_NOT_FOUND",
    ),
    "the same release twice": (
        "Release",
        pb.ReleaseRequest(
            worker_id=UUID,
            releases=[
                pb.ClaimRelease(job_id=LARGEST, claim_token=LARGEST, reason=pb.RELEASE_REASON_DRAIN)
            ]
            * 2,
        ),
        "OK",
    ),
    "children of an unknown job": (
        "Chain",
        pb.ChainRequest(**FOREIGN, children=[pb.ChildSpec(child_key="k", job_type="aggregation")]),
        "STALE_CLAIM",
    ),
    "an unknown pipeline's watch": (
        "WatchPipeline",
        pb.WatchPipelineRequest(pipeline_id=LARGEST, after_version=LARGEST),
        "PIPELINE_NOT_FOUND",
    ),
    "a tenant that cannot be": (
        "GetPipeline",
        ops.GetPipelineRequest(tenant="a\0b", pipeline_id=LARGEST),
        "OTHER_TENANT",
    ),
    "an unknown job": ("GetJob", ops.GetJobRequest(job_id=LARGEST), "JOB_NOT_FOUND"),
    "an unknown pipeline's cancel": (
        "CancelPipeline",
        ops.CancelPipelineRequest(pipeline_id=LARGEST),
        "PIPELINE_NOT_FOUND",
    ),
    "jobs of an unknown pipeline": (
        "ListJobs",
        ops.ListJobsRequest(pipeline_id=LARGEST),
        "PIPELINE_NOT_FOUND",
    ),
    "all of time": (
        "ListPipelines",
        ops.ListPipelinesRequest(
            created_from=timestamp_pb2.Timestamp(seconds=-62_135_596_800),
            created_before=timestamp_pb2.Timestamp(seconds=253_402_300_799, nanos=999_999_999),
        ),
        "OK",
    ),
}


@pytest.mark.parametrize("case", ODD_REQUESTS)
async def test_what_is_merely_odd_is_answered(client: Client, case: str) -> None:
    method, request, expected = ODD_REQUESTS[case]
    try:
        await call(client, method, request)
        answered = "OK"
    except grpc.aio.AioRpcError as error:
        answered = server_error(error).reason
    assert answered == expected


async def test_a_claims_beats_ends_and_children_may_come_twice_in_one_call(client: Client) -> None:
    await client.provision()
    await client.submit("csv_ingest", TRAVEL, {"blob": BLOB})
    (job,) = await client.claim("csv_ingest")
    held: dict[str, Any] = {
        "worker_id": client.worker_id,
        "job_id": job.job.job_id,
        "claim_token": job.claim_token,
    }
    child = pb.ChildSpec(
        child_key="k", job_type="emission_recalc", data_entry_type=TRAVEL.data_entry_type
    )
    chained = await client.scheduler.Chain(pb.ChainRequest(**held, children=[child, child]))
    assert chained.staged_children == 1
    beat = pb.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)
    beats = await client.scheduler.Heartbeat(
        pb.HeartbeatRequest(worker_id=client.worker_id, beats=[beat, beat])
    )
    assert [one.directive for one in beats.answers] == [pb.CLAIM_DIRECTIVE_CONTINUE] * 2
    ended = await client.scheduler.BatchFinish(
        pb.BatchFinishRequest(requests=[client.ending(job), client.ending(job)])
    )
    outcomes = [one.response.outcome for one in ended.results]
    assert outcomes == [pb.FINISH_OUTCOME_APPLIED, pb.FINISH_OUTCOME_ALREADY_APPLIED]


async def test_a_message_over_the_limit_harms_nobody(client: Client) -> None:
    request = pb.SubmitRequest(request_id=UUID, payload=struct(x="y" * (17 << 20)))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(request)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await client.provision()
