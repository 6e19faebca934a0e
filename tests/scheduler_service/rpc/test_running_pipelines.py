"""Every watcher hears that a pipeline runs, at whatever scheduler, though no version tells."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio

from carbonline.client.view import PipelineView
from carbonline.client.watch import Activity, Snapshot
from carbonline.serving.logs import open_log
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import scheduler_pb2_grpc, types_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

SECONDS = 20.0
RECALC = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


class Watcher:
    """What a client has seen of a pipeline."""

    def __init__(self, scheduler: Any, pipeline_id: int) -> None:
        request = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
        self._watch: Any = aiter(scheduler.WatchPipeline(request))
        self.view = PipelineView()

    async def begin(self) -> types_pb2.PipelineStatus.ValueType:
        """The status that it begins with."""
        begun = (await anext(self._watch)).snapshot
        self.view.apply(Snapshot(begun.pipeline, begun.jobs))
        status: types_pb2.PipelineStatus.ValueType = begun.pipeline.status
        return status

    async def until_it_runs(self) -> None:
        """Until the pipeline is seen to run."""
        while self.view.pipeline is None or (
            self.view.pipeline.status != types_pb2.PIPELINE_STATUS_RUNNING
        ):
            message = await anext(self._watch)
            assert not message.HasField("change")
            self.view.apply(Activity(message.activity.jobs, message.activity.status))


async def test_whoever_watches_it_or_one_that_has_joined_it_sees_that_it_runs(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    await client.provision()
    own, joined = [await client.submit("emission_recalc", RECALC) for _ in range(2)]
    assert joined.disposition == types_pb2.DISPOSITION_JOINED
    another = replace(settings, address=f"unix:{tmp_path}/b")
    async with (
        asyncio.timeout(SECONDS),
        running_server(another, open_log("error"), ByTenantToken()),
        grpc.aio.insecure_channel(another.address) as channel,
    ):
        elsewhere = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        watchers = [
            Watcher(scheduler, one.pipeline_id)
            for one in (own, joined)
            for scheduler in (client.scheduler, elsewhere)
        ]
        for watcher in watchers:
            assert await watcher.begin() == types_pb2.PIPELINE_STATUS_NOT_STARTED
        await client.claim("emission_recalc")
        for watcher in watchers:
            await watcher.until_it_runs()
            assert [job.state for job in watcher.view.in_order()] == [types_pb2.JOB_STATE_RUNNING]
