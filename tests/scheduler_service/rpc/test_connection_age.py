"""A connection is closed at its age; its watch ends with the version to go on from. One too many is
closed at once.
"""

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pytest

from carbonline.client.errors import ServerError, server_error
from carbonline.serving.logs import open_log
from carbonline.v1 import (
    operations_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
    scheduler_pb2_grpc,
    types_pb2,
)
from scheduler_service.server import running_server
from scheduler_service.settings import Settings

AGE_SECONDS = 0.5
SECONDS = 20.0


async def end_of(watch: Any) -> ServerError:
    """How a watch ends, whatever comes before."""
    try:
        async for _ in watch:
            pass
    except grpc.aio.AioRpcError as error:
        return server_error(error)
    pytest.fail("it ended without an error")


async def test_a_watch_and_its_connection_end_at_the_same_age(settings: Settings) -> None:
    aging = replace(settings, connection_seconds_max=AGE_SECONDS)
    async with (
        running_server(aging, open_log("error")),
        grpc.aio.insecure_channel(settings.address) as channel,
        asyncio.timeout(SECONDS),
    ):
        stub = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        submitted = await stub.Submit(
            scheduler_pb2.SubmitRequest(
                request_id="6a5b3f2e-8f2d-4a43-9d1c-111111111111",
                job_type="noop",
                scope=types_pb2.Scope(tenant="local"),
            )
        )
        watch = stub.WatchPipeline(
            scheduler_pb2.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
        )
        first = await anext(aiter(watch))
        version = first.snapshot.pipeline.version
        error = await end_of(watch)
        assert (error.reason, error.metadata) == ("STREAM_MAXIMUM_AGE", {"version": str(version)})
        # Nobody calls any more: what had to be closed has been closed.
        while (state := channel.get_state()) is not grpc.ChannelConnectivity.IDLE:
            await channel.wait_for_state_change(state)


async def test_as_many_connections_are_taken_as_the_setting_says(settings: Settings) -> None:
    # Else both channels would share one.
    own = (("grpc.use_local_subchannel_pool", 1),)
    asked = operations_pb2.ListWorkersRequest()
    async with (
        running_server(replace(settings, client_connections_max=1), open_log("error")),
        grpc.aio.insecure_channel(settings.address, own) as first,
        grpc.aio.insecure_channel(settings.address, own) as second,
        asyncio.timeout(SECONDS),
    ):
        await operations_pb2_grpc.OperationsServiceStub(first).ListWorkers(asked)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await operations_pb2_grpc.OperationsServiceStub(second).ListWorkers(asked)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
