"""However many watch, the database sees one reader."""

import asyncio

from carbonline.v1 import scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client

WATCHERS = 300


async def kinds_until_final(
    client: Client, pipeline_id: int, ready: asyncio.Semaphore
) -> list[str]:
    stream = client.scheduler.WatchPipeline(
        scheduler_pb2.WatchPipelineRequest(pipeline_id=pipeline_id)
    )
    kinds = []
    async for message in stream:
        kinds.append(message.WhichOneof("message"))
        if kinds == ["snapshot"]:
            ready.release()
    return kinds


async def test_hundreds_of_watches_begin_and_end_on_one_connection(client: Client) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    pool = client.server.store.pool
    # One reads for the watches; the others belong to what else the scheduler does.
    connections_before = pool.get_size()
    ready = asyncio.Semaphore(0)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        watches = [
            group.create_task(kinds_until_final(client, submitted.pipeline_id, ready))
            for _ in range(WATCHERS)
        ]
        for _ in range(WATCHERS):
            await ready.acquire()
        await client.finish(job)
    assert pool.get_size() <= connections_before + 1
    for watch in watches:
        kinds = watch.result()
        assert (kinds[0], kinds[-1]) == ("snapshot", "final")
        assert "change" in kinds
