"""Who does not read a watch is cut off, and can take it up again."""

import asyncio
from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import feed, scheduler_servicer
from tests.scheduler_service.rpc.conftest import Client

# More than all the buffers between the server and a caller that does not read.
JOBS, STATS_BYTES = 250, 60_000


async def children_of_a_pipeline(client: Client, count: int) -> tuple[int, list[Any]]:
    """A pipeline whose root has ended, and how its children will end: with STATS_BYTES each."""
    submitted = await client.submit("noop", types_pb2.Scope())
    (parent,) = await client.claim("noop")
    chain = pb.ChainRequest(
        worker_id=client.worker_id,
        job_id=parent.job.job_id,
        claim_token=parent.claim_token,
        children=[pb.ChildSpec(child_key=str(n), job_type="noop") for n in range(count)],
    )
    await client.scheduler.Chain(chain)
    await client.finish(parent)
    endings = [client.ending(job) for job in await client.claim("noop", max_jobs=count)]
    for ending in endings:
        ending.stats.CopyFrom(struct_of({"x": "y" * STATS_BYTES}))
    return submitted.pipeline_id, endings


async def large_pipeline(client: Client) -> int:
    """A pipeline whose snapshot weighs JOBS times STATS_BYTES."""
    pipeline_id, endings = await children_of_a_pipeline(client, JOBS)
    # One stays, so that the pipeline does not end.
    await asyncio.gather(*(client.scheduler.Finish(ending) for ending in endings[1:]))
    return pipeline_id


async def read_to_the_end(watch: Any) -> None:
    while await watch.read() is not grpc.aio.EOF:
        pass


async def test_a_watch_that_nobody_reads_is_ended_and_can_be_taken_up_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_servicer, "WRITE_SECONDS_MAX", 0.2)
    request = pb.WatchPipelineRequest(pipeline_id=await large_pipeline(client))
    watch = client.scheduler.WatchPipeline(request)
    async with asyncio.timeout(20):
        await watch.read()
        # A server that gives a stream up tells nobody but its reader, who does not read.
        while client.server.watches.streams:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await read_to_the_end(watch)
    error = server_error(raised.value)
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "READER_TOO_SLOW")
    assert "watch again from the last version" in error.message

    jobs = 0
    async with asyncio.timeout(20):
        async for message in client.scheduler.WatchPipeline(request):
            jobs += len(message.snapshot.jobs)
            if not message.snapshot.more:
                break
    assert jobs == JOBS + 1


async def test_of_large_changes_few_are_kept_and_each_reaches_the_watch(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room for two.
    monkeypatch.setattr(feed, "CHANGES_BYTES_MAX", 5 * STATS_BYTES // 2)
    pipeline_id, endings = await children_of_a_pipeline(client, 6)
    watch: Any = aiter(
        client.scheduler.WatchPipeline(pb.WatchPipelineRequest(pipeline_id=pipeline_id))
    )
    kept: list[int] = []
    async with asyncio.timeout(20):
        await anext(watch)
        # With the last one the pipeline ends, and nothing is kept of it.
        for ending in endings[:-1]:
            await client.scheduler.Finish(ending)
            while ending.job_id not in {job.job_id for job in (await anext(watch)).change.jobs}:
                pass
            found = client.server.watches._feeds[pipeline_id]
            assert sum(c.ByteSize() for c in found.changes.values()) <= feed.CHANGES_BYTES_MAX
            kept.append(len(found.changes))
    assert max(kept) == 2


async def test_a_change_that_is_too_large_to_be_kept_is_read_for_the_watch(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CHANGES_BYTES_MAX", STATS_BYTES // 2)
    pipeline_id, endings = await children_of_a_pipeline(client, 2)
    watch: Any = aiter(
        client.scheduler.WatchPipeline(pb.WatchPipelineRequest(pipeline_id=pipeline_id))
    )
    async with asyncio.timeout(20):
        await anext(watch)
        await client.scheduler.Finish(endings[0])
        while not (message := await anext(watch)).HasField("change"):
            pass
    assert endings[0].job_id in {job.job_id for job in message.change.jobs}
    assert not client.server.watches._feeds[pipeline_id].changes
