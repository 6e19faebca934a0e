"""RetryPipeline as a gateway or an operator calls it."""

from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
PLANES = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def failed(client: Client) -> int:
    """A pipeline whose upload failed."""
    await client.provision()
    submitted = await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    (job,) = await client.claim("csv_ingest")
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    for follow_up in ("emission_recalc", "aggregation"):
        # What may have been written is repaired first.
        for repair in await client.claim(follow_up):
            await client.finish(repair)
    return submitted.pipeline_id


async def reason_of(client: Client, request: pb.RetryPipelineRequest) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.RetryPipeline(request)
    return server_error(refused.value).reason


def retry_of(pipeline_id: int, **fields: object) -> pb.RetryPipelineRequest:
    return pb.RetryPipelineRequest(
        pipeline_id=pipeline_id,
        request_id=str(uuid4()),
        **fields,  # type: ignore[arg-type]
    )


async def test_a_retry_is_a_new_pipeline_that_says_of_which(client: Client) -> None:
    number = await failed(client)
    request = retry_of(number)
    answer = await client.operations.RetryPipeline(request)
    (job,) = answer.jobs
    assert (job.job_type, job.disposition) == ("csv_ingest", types_pb2.DISPOSITION_CREATED)
    wanted = operations_pb2.GetPipelineRequest(pipeline_id=answer.pipeline_id)
    shown = await client.operations.GetPipeline(wanted)
    assert shown.pipeline.retry_of == number
    assert shown.pipeline.root_job_id == job.job_id
    again = await client.operations.RetryPipeline(request)
    assert (again.pipeline_id, again.replayed) == (answer.pipeline_id, True)
    assert again.jobs == answer.jobs
    (claimed,) = await client.claim("csv_ingest")
    assert claimed.payload["blob"] == BLOB
    await client.finish(claimed)
    # What it brought would be replaced by another retry of the first.
    assert await reason_of(client, retry_of(number)) == "SUPERSEDED"


async def test_the_same_request_for_another_pipeline_is_refused(client: Client) -> None:
    request = retry_of(await failed(client))
    await client.operations.RetryPipeline(request)
    request.validate_only = True
    assert await reason_of(client, request) == "FIELD_INVALID"


async def test_a_check_makes_no_pipeline(client: Client) -> None:
    number = await failed(client)
    answer = await client.operations.RetryPipeline(retry_of(number, validate_only=True))
    assert (answer.pipeline_id, [job.job_id for job in answer.jobs]) == (0, [0])
    assert await client.claim("csv_ingest") == []


async def test_nobody_retries_a_pipeline_of_another_tenant(client: Client) -> None:
    number = await failed(client)
    for tenant in ("", "local"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.operations.RetryPipeline(retry_of(number, tenant=tenant), metadata=OTHER)
        assert server_error(refused.value).reason == "OTHER_TENANT"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.RetryPipelineRequest(request_id=str(uuid4())), "pipeline_id"),
        (pb.RetryPipelineRequest(pipeline_id=1, request_id="x"), "request_id"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: Client, request_: pb.RetryPipelineRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.RetryPipeline(request_)
    assert list(server_error(refused.value).fields) == [field]
