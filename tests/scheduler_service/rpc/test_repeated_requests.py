"""A request is repeated if it means the same, whatever its bytes."""

from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import interventions_pb2, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.rpc.check_submit import digest
from tests.scheduler_service.rpc.conftest import BLOB, Client

TRAVEL, PLANE = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.DATA_ENTRY_TYPE_PLANE
REPLAYED = types_pb2.DISPOSITION_REPLAYED
# Field 99, a number, of a newer client.
UNKNOWN_FIELD = bytes([0x98, 0x06, 0x07])


def submit(job_type: str, tenant: str = "", **payload: Any) -> pb.SubmitRequest:
    return pb.SubmitRequest(
        job_type=job_type,
        scope=types_pb2.Scope(tenant=tenant, module=TRAVEL, data_entry_type=PLANE, year=2024),
        payload=struct_of({"blob": BLOB, **payload}),
    )


def with_priority(priority: int) -> pb.SubmitRequest:
    request = submit("csv_ingest")
    request.priority = priority
    return request


def recalculation() -> pb.SubmitRequest:
    request = submit("emission_recalc")
    request.ClearField("payload")
    return request


def newer(request: pb.SubmitRequest) -> pb.SubmitRequest:
    return pb.SubmitRequest.FromString(request.SerializeToString() + UNKNOWN_FIELD)


UPLOAD, FACTORS = submit("csv_ingest"), submit("factor_ingest")
SAME = [
    (UPLOAD, submit("csv_ingest", tenant="local")),
    (UPLOAD, with_priority(5)),
    (UPLOAD, submit("csv_ingest", source="default", file_name="", take_away="")),
    (UPLOAD, newer(UPLOAD)),
    (FACTORS, submit("factor_ingest", mode="add")),
]
OTHER = [
    (UPLOAD, with_priority(4)),
    (UPLOAD, submit("csv_ingest", source="agency")),
    (UPLOAD, submit("csv_ingest", take_away="yes")),
    (FACTORS, submit("factor_ingest", mode="replace")),
    (FACTORS, UPLOAD),
]


async def twice(
    client: Client, first: pb.SubmitRequest, second: pb.SubmitRequest
) -> tuple[pb.SubmitResponse, Any]:
    """The answers to both under one request_id."""
    request_id = str(uuid4())
    for request in (first, second):
        request.request_id = request_id
    return await client.scheduler.Submit(first), client.scheduler.Submit(second)


def test_a_field_that_is_new_changes_the_digest_of_no_request_without_it() -> None:
    before = digest(job_type="noop", year=2024)
    assert digest(job_type="noop", year=2024, place=None, number=0, text="", on=False) == before
    assert digest(job_type="noop", year=2024, place="Geneva") != before
    # The same value in another field is something else.
    assert digest(job_type="noop", module=2024) != before


async def test_what_means_the_same_is_a_repeat(client: Client) -> None:
    await client.provision()
    for first, second in SAME:
        made, again = await twice(client, first, second)
        answer = await again
        assert (answer.pipeline_id, answer.disposition) == (made.pipeline_id, REPLAYED), second
        assert answer.first_disposition == made.disposition == made.first_disposition, second


async def test_each_repeat_of_a_batch_says_what_its_request_was(client: Client) -> None:
    await client.provision()
    requests = [with_priority(5), with_priority(5), recalculation(), recalculation()]
    for request in requests:
        request.request_id = str(uuid4())
    batch = pb.BatchSubmitRequest(requests=requests)
    first, again = [
        [result.response for result in (await client.scheduler.BatchSubmit(batch)).results]
        for _ in range(2)
    ]
    said = [
        types_pb2.DISPOSITION_CREATED,
        types_pb2.DISPOSITION_QUEUED_BEHIND,
        types_pb2.DISPOSITION_CREATED,
        types_pb2.DISPOSITION_JOINED,
    ]
    assert [answer.disposition for answer in first] == said
    assert [answer.disposition for answer in again] == [REPLAYED] * 4
    assert [answer.first_disposition for answer in [*first, *again]] == [*said, *said]


async def test_what_means_something_else_is_refused(client: Client) -> None:
    await client.provision()
    for first, second in OTHER:
        _, again = await twice(client, first, second)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await again
        error = server_error(raised.value)
        assert (error.reason, list(error.fields)) == ("FIELD_INVALID", ["request_id"]), second


async def test_a_retry_is_repeated_with_its_tenant_written_out(client: Client) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    request = interventions_pb2.RetryPipelineRequest(
        pipeline_id=submitted.pipeline_id, request_id=str(uuid4())
    )
    made = await client.operations.RetryPipeline(request)
    request.tenant = "local"
    assert (await client.operations.RetryPipeline(request)).pipeline_id == made.pipeline_id
