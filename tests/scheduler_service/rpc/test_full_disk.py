"""A database whose disk is full: callers are told so, readers go on, and nothing is kept of it."""

from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client

FULL = """
CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/5/1": No space left on device'
        USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_room BEFORE INSERT ON scheduler.pipelines EXECUTE FUNCTION public.no_room();
"""


async def test_a_submit_is_told_what_is_full_and_readers_go_on(client: Client) -> None:
    first = await client.submit("noop", types_pb2.Scope())
    await client.server.store.pool.execute(FULL)
    request = scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(request)
    error = server_error(raised.value)
    assert (error.code, error.reason) == ("UNAVAILABLE", "DATABASE_FULL")
    assert error.message == (
        "the disk of the database is full, and nothing was stored; make room there, then retry"
        " this call"
    )
    listed = await client.operations.ListPipelines(operations_pb2.ListPipelinesRequest())
    assert [one.pipeline_id for one in listed.pipelines] == [first.pipeline_id]
    await client.server.store.pool.execute("DROP TRIGGER no_room ON scheduler.pipelines")
    assert (await client.scheduler.Submit(request)).pipeline_id > first.pipeline_id
