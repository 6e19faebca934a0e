"""Nothing that is sent makes an error too long to be received, or keeps the scheduler busy."""

from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import values_of
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from tests.scheduler_service.rpc.conftest import Client

UUID = str(uuid4())
# gRPC's soft limit of metadata: beyond it an answer may be dropped.
TRAILERS_BYTES_MAX = 8 * 1024
LIMITED_SECONDS = 5.0
UNKNOWN = types_pb2.JobState.ValueType(99)
BEAT = pb.ClaimBeat(progress=types_pb2.Progress(done=-1, phase="\0" * 99, message="é" * 999))
# Each is as large as its RPC takes a request.
MANY: dict[str, tuple[str, Any]] = {
    "a long name": ("Claim", pb.ClaimRequest(job_types=["é" * 100_000])),
    "many names": ("Claim", pb.ClaimRequest(job_types=["csv_ingst"] * 20_000)),
    "many beats": ("Heartbeat", pb.HeartbeatRequest(beats=[BEAT] * 1_000)),
    "many children": ("Chain", pb.ChainRequest(children=[pb.ChildSpec(job_type="é")] * 1_000)),
    "many states": ("ListJobs", ops.ListJobsRequest(states=[UNKNOWN] * 250_000)),
    "many known states": (
        "ListJobs",
        ops.ListJobsRequest(states=[types_pb2.JOB_STATE_QUEUED] * 250_000),
    ),
    "many known statuses": (
        "ListPipelines",
        ops.ListPipelinesRequest(statuses=[types_pb2.PIPELINE_STATUS_FAILED] * 250_000),
    ),
    "many known types": ("ListJobs", ops.ListJobsRequest(job_types=["noop"] * 40_000)),
}


async def test_an_error_is_never_too_long_to_be_received(client: Client) -> None:
    for case, (method, request) in MANY.items():
        assert await size_of_error(client, method, request) < TRAILERS_BYTES_MAX, case


async def size_of_error(client: Client, method: str, request: Any) -> int:
    """Bytes of a wrong field's answer, at most."""
    stub = client.operations if hasattr(client.operations, method) else client.scheduler
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await getattr(stub, method)(request, timeout=LIMITED_SECONDS)
    error = server_error(raised.value)
    assert error.reason == "FIELD_INVALID"
    assert error.fields
    trailers = dict(raised.value.trailing_metadata() or ())
    # The sentence goes along, with each byte that is not plain as three.
    return 3 * len(error.message.encode()) + sum(len(value) for value in trailers.values())


async def test_errors_of_a_batch_are_short_enough_together(client: Client) -> None:
    bad = pb.SubmitRequest(job_type="é" * 5_000, request_id="x" * 5_000)
    answer = await client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=[bad] * 1_000))
    assert {one.error.reason for one in answer.results} == {"FIELD_INVALID"}


async def test_an_object_that_is_far_too_large_is_not_read(client: Client) -> None:
    request = pb.SubmitRequest(request_id=UUID, job_type="noop")
    request.payload.update({"x": [None] * 200_000})
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(request)
    error = server_error(raised.value)
    assert (error.reason, error.metadata["size"]) == ("TOO_LARGE", str(request.payload.ByteSize()))


LOOK_LIKE_NUL = ("\\u0000", "\\\\u0000", 'a"\\u0000', "\\n\\u0000\\")
HOLD_NUL = ("\0", "\\\0", "\\\\\0", "\\u0000\0", 'a"\0')


async def test_what_only_looks_like_nul_is_kept_as_it_is(client: Client) -> None:
    given: dict[str, object] = {"x": list(LOOK_LIKE_NUL)} | dict.fromkeys(LOOK_LIKE_NUL, "y")
    submitted = await client.submit("noop", types_pb2.Scope(), given)
    answer = await client.operations.GetJob(ops.GetJobRequest(job_id=submitted.job_id))
    assert values_of(answer.payload) == given


async def test_nul_is_found_behind_any_backslashes(client: Client) -> None:
    for payload in [{text: 1} for text in HOLD_NUL] + [{"x": [text]} for text in HOLD_NUL]:
        request = pb.SubmitRequest(request_id=UUID, job_type="noop")
        request.payload.update(payload)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await client.scheduler.Submit(request)
        assert server_error(raised.value).fields == {"payload": "must not contain NUL"}
