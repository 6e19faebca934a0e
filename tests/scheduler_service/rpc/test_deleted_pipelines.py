"""Who asks for a pipeline that retention has deleted is told so."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2, monitoring_pb2, operations_pb2, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from tests.scheduler_service.rpc.conftest import Client

SECONDS = 10.0
SENTENCE = "a pipeline is deleted, with its jobs, 90 days after its end"
A_HUNDRED_DAYS_LATER = (
    "CREATE OR REPLACE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE "
    "AS 'SELECT statement_timestamp() + interval ''100 days'''"
)


async def delete_old(client: Client, database_url: str) -> None:
    conn = await asyncpg.connect(database_url)
    await conn.execute(A_HUNDRED_DAYS_LATER)
    await conn.close()
    assert (await client.server.store.remove_pipelines()).pipelines == 1


def refusal(error: "pytest.ExceptionInfo[grpc.aio.AioRpcError]") -> tuple[str, bool]:
    refused = server_error(error.value)
    return refused.reason, SENTENCE in str(refused)


async def test_a_deleted_pipeline_and_its_job_are_not_found_and_the_message_says_why(
    client: Client, database_url: str
) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    await client.finish(job)
    await delete_old(client, database_url)
    retry = {"pipeline_id": submitted.pipeline_id, "request_id": str(uuid4())}
    for call, request, reason in (
        ("GetPipeline", {"pipeline_id": submitted.pipeline_id}, "PIPELINE_NOT_FOUND"),
        ("GetJob", {"job_id": submitted.job_id}, "JOB_NOT_FOUND"),
        ("ExplainJob", {"job_id": submitted.job_id}, "JOB_NOT_FOUND"),
        ("RecoverJob", {"job_id": submitted.job_id}, "JOB_NOT_FOUND"),
        ("CancelPipeline", {"pipeline_id": submitted.pipeline_id}, "PIPELINE_NOT_FOUND"),
        ("RetryPipeline", retry, "PIPELINE_NOT_FOUND"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await getattr(client.operations, call)(request_of(call, request))
        assert refusal(refused) == (reason, True)
    asked = pb.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(asked))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(watch)
    assert refusal(refused) == ("PIPELINE_NOT_FOUND", True)


def request_of(call: str, fields: dict[str, Any]) -> Any:
    name = f"{call}Request"
    modules = (operations_pb2, monitoring_pb2, interventions_pb2)
    return next(getattr(one, name)(**fields) for one in modules if hasattr(one, name))


async def the_rest(watch: Any) -> None:
    async for message in watch:
        assert message.HasField("keepalive") or message.HasField("activity")


async def test_a_watch_of_a_pipeline_that_is_deleted_ends(
    client: Client, database_url: str
) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    request = pb.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(request))
    assert (await anext(watch)).HasField("snapshot")
    # As if this scheduler had been stopped since before the pipeline's end.
    conn = await asyncpg.connect(database_url)
    for table in ("jobs", "pipelines"):
        await conn.execute(
            f"DELETE FROM scheduler.{table} WHERE pipeline_id = $1",
            submitted.pipeline_id,
        )
    await conn.close()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await asyncio.wait_for(the_rest(watch), SECONDS)
    assert refusal(ended) == ("PIPELINE_NOT_FOUND", True)
