"""What one scheduler did is known to another at once; one that is alone tells nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2_grpc, scheduler_pb2_grpc, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from scheduler_service.store.notify.listener import APPLICATION_NAME
from scheduler_service.store.notify.notifier import CHANNEL
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

NEVER_SECONDS = 3600.0
SECONDS = 20.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Whatever is seen is not seen by a poll."""
    return replace(settings, poll_seconds=NEVER_SECONDS, keepalive_seconds=NEVER_SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what another task does."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def is_alone(client: Client) -> None:
    """Waits until the scheduler knows that no other one listens."""
    await until(lambda: not client.server.store.notifier.others_listen)


@asynccontextmanager
async def another(settings: Settings, folder: Path) -> AsyncIterator[Client]:
    """A client of a second scheduler on the same database."""
    own = replace(settings, address=f"unix:{folder}/another")
    async with (
        running_server(own, open_log("error"), ByTenantToken()) as server,
        grpc.aio.insecure_channel(own.address) as channel,
    ):
        yield Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            server,
            str(uuid4()),
        )


async def test_a_scheduler_that_is_alone_notifies_nobody(client: Client, database_url: str) -> None:
    await is_alone(client)
    heard: asyncio.Queue[object] = asyncio.Queue()
    conn = await asyncpg.connect(database_url)
    await conn.add_listener(CHANNEL, lambda *call: heard.put_nowait(call[-1]))
    await client.submit("noop", types_pb2.Scope())
    await client.server.store.notifier.close()
    await conn.execute("SELECT pg_notify($1, 'over')", CHANNEL)
    async with asyncio.timeout(SECONDS):
        assert await heard.get() == "over"
    await conn.close()


async def test_a_scheduler_that_begins_is_told_from_then_on(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    await is_alone(client)
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    async with another(settings, tmp_path) as other, asyncio.timeout(SECONDS):
        request = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
        watch: Any = aiter(other.scheduler.WatchPipeline(request))
        assert (await anext(watch)).HasField("snapshot")
        await until(lambda: client.server.store.notifier.others_listen)
        (job,) = await client.claim("noop")
        await client.finish(job)
        async for message in watch:
            if message.HasField("change"):
                break
        assert message.change.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS


async def test_whoever_begins_is_told_of_what_was_committed_before_it_was_heard(
    client: Client, database_url: str
) -> None:
    await is_alone(client)
    heard: asyncio.Queue[str] = asyncio.Queue()
    conn = await asyncpg.connect(database_url)
    await conn.add_listener(CHANNEL, lambda *call: heard.put_nowait(str(call[-1])))
    greeting = json.dumps({"from": "another", "all": True})
    await conn.execute("SELECT pg_notify($1, $2)", CHANNEL, greeting)
    async with asyncio.timeout(SECONDS):
        assert await heard.get() == greeting
        answer = json.loads(await heard.get())
    assert answer == {"from": client.server.store.notifier.sender_name, "all": True}
    await conn.close()


async def test_a_scheduler_that_hears_nobody_takes_none_for_alone(
    client: Client, database_url: str
) -> None:
    await is_alone(client)
    conn = await asyncpg.connect(database_url)
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = $1",
        APPLICATION_NAME,
    )
    await conn.close()
    await until(lambda: client.server.store.notifier.others_listen)
