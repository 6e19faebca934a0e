"""Who does not read a watch is cut off, and can take it up again."""

import asyncio
from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import scheduler_servicer
from tests.scheduler_service.rpc.conftest import Client

# More than all the buffers between the server and a caller that does not read.
JOBS, STATS_BYTES = 250, 60_000


async def large_pipeline(client: Client) -> int:
    """A pipeline whose snapshot weighs JOBS times STATS_BYTES."""
    submitted = await client.submit("noop", types_pb2.Scope())
    (parent,) = await client.claim("noop")
    chain = pb.ChainRequest(
        worker_id=client.worker_id,
        job_id=parent.job.job_id,
        claim_token=parent.claim_token,
        children=[pb.ChildSpec(child_key=str(n), job_type="noop") for n in range(JOBS)],
    )
    await client.scheduler.Chain(chain)
    await client.finish(parent)
    endings = [client.ending(job) for job in await client.claim("noop", max_jobs=JOBS)]
    for ending in endings:
        ending.stats.CopyFrom(struct_of({"x": "y" * STATS_BYTES}))
    # One stays, so that the pipeline does not end.
    await asyncio.gather(*(client.scheduler.Finish(ending) for ending in endings[1:]))
    return submitted.pipeline_id


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
