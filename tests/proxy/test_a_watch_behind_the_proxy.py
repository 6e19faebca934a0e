"""A watch over connections that break: it comes back, and nothing is missing in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from carbonline.client.no_answer import Server
from carbonline.client.view import PipelineView
from carbonline.client.watch import Interrupted, watch_events
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.proxy.faulty_proxy import FaultyProxy
from tests.scheduler_service.rpc.conftest import Client

GENERATIONS = 6


@dataclass
class Watcher:
    """What a watch of the client says, and the versions that came over the wire for it."""

    client: Client
    pipeline_id: int
    view: PipelineView = field(default_factory=PipelineView)
    spans: list[tuple[int, int]] = field(default_factory=list)
    interruptions: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async for event in watch_events(self._open, Server("scheduler", "here"), 0, 30):
            self.view.apply(event)
            self.interruptions += isinstance(event, Interrupted)
            self.news.set()

    async def _open(
        self, version: int, broken_off: scheduler_pb2.SnapshotPosition | None
    ) -> AsyncIterator[scheduler_pb2.WatchPipelineResponse]:
        request = scheduler_pb2.WatchPipelineRequest(
            pipeline_id=self.pipeline_id, after_version=version, broken_off=broken_off
        )
        async for message in self.client.scheduler.WatchPipeline(request):
            match message.WhichOneof("message"):
                case "snapshot":
                    self.spans.append((0, message.snapshot.pipeline.version))
                case "change":
                    self.spans.append((message.change.from_version, message.change.to_version))
                case _:
                    pass
            yield message

    async def seen(self, version: int) -> None:
        """Until the view is as new as that."""
        async with asyncio.timeout(20):
            while self.view.pipeline is None or self.view.pipeline.version < version:
                self.news.clear()
                await self.news.wait()


async def run_one(client: Client, *, last: bool) -> int:
    """Claim a job, chain another unless it is the last, finish it; the pipeline's new version."""
    (job,) = await client.claim("noop", wait_seconds=5)
    if not last:
        child = scheduler_pb2.ChildSpec(child_key="next", job_type="noop")
        await client.scheduler.Chain(
            scheduler_pb2.ChainRequest(
                worker_id=client.worker_id,
                job_id=job.job.job_id,
                claim_token=job.claim_token,
                children=[child],
            )
        )
    assert (await client.finish(job)).finished
    got = await client.operations.GetPipeline(
        operations_pb2.GetPipelineRequest(pipeline_id=job.job.pipeline_id)
    )
    return int(got.pipeline.version)


async def the_same_as_the_tables(watcher: Watcher, client: Client) -> None:
    got = await client.operations.GetPipeline(
        operations_pb2.GetPipelineRequest(pipeline_id=watcher.pipeline_id)
    )
    assert watcher.view.ended
    assert watcher.view.pipeline == got.pipeline
    seen = [(job.job_id, job.state, job.result) for job in watcher.view.in_order()]
    assert seen == [(job.job_id, job.state, job.result) for job in got.jobs]
    assert len(seen) == GENERATIONS


def without_a_gap(spans: list[tuple[int, int]]) -> bool:
    return all(before[1] == after[0] for before, after in pairwise(spans))


async def test_a_client_does_not_answer_what_it_is_told_with_pings(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    # A server closes an old connection as soon as its last call has ended. A ping that came later
    # would break it for the client, together with the end of the call that it has not read yet.
    submitted = await beside.submit("noop", types_pb2.Scope(tenant="local"))
    watcher = Watcher(behind, submitted.pipeline_id)
    watching = asyncio.create_task(watcher.run())
    for number in range(GENERATIONS):
        await watcher.seen(await run_one(beside, last=number == GENERATIONS - 1))
    await asyncio.wait_for(watching, 20)
    assert (proxy.connections, proxy.pings) == (1, 0)


@pytest.mark.parametrize("break_it", [FaultyProxy.cut, FaultyProxy.half_close])
async def test_a_watch_that_is_cut_after_each_change_misses_none(
    behind: Client, beside: Client, proxy: FaultyProxy, break_it: object
) -> None:
    assert callable(break_it)
    submitted = await beside.submit("noop", types_pb2.Scope(tenant="local"))
    watcher = Watcher(behind, submitted.pipeline_id)
    watching = asyncio.create_task(watcher.run())
    await watcher.seen(1)
    for number in range(GENERATIONS):
        version = await run_one(beside, last=number == GENERATIONS - 1)
        await watcher.seen(version)
        break_it(proxy)
    await asyncio.wait_for(watching, 20)
    assert watcher.interruptions >= GENERATIONS - 1
    assert without_a_gap(watcher.spans)
    await the_same_as_the_tables(watcher, beside)


async def test_changes_that_were_lost_on_their_way_are_told_again(
    behind: Client, beside: Client, proxy: FaultyProxy
) -> None:
    submitted = await beside.submit("noop", types_pb2.Scope(tenant="local"))
    watcher = Watcher(behind, submitted.pipeline_id)
    watching = asyncio.create_task(watcher.run())
    await watcher.seen(1)
    for number in range(GENERATIONS):
        proxy.hold()
        version = await run_one(beside, last=number == GENERATIONS - 1)
        assert watcher.view.pipeline is not None
        assert watcher.view.pipeline.version < version
        proxy.cut()
        proxy.let_through()
        await watcher.seen(version)
    await asyncio.wait_for(watching, 20)
    assert watcher.interruptions >= GENERATIONS
    assert without_a_gap(watcher.spans)
    await the_same_as_the_tables(watcher, beside)
