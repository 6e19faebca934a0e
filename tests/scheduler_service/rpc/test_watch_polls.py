"""What another scheduler did is seen by the next poll, however busy everybody else is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import Client

POLL_SECONDS = 0.6
SECONDS = 10.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """No keepalive comes in between."""
    return replace(settings, poll_seconds=POLL_SECONDS, keepalive_seconds=300.0)


@asynccontextmanager
async def busy(client: Client, pipeline_id: int) -> AsyncIterator[None]:
    """Hints about another pipeline come faster than polls."""

    async def hint() -> None:
        while True:
            client.server.store.notifier.notify_activity({pipeline_id})
            await asyncio.sleep(POLL_SECONDS / 10)

    hinting = asyncio.create_task(hint())
    try:
        yield
    finally:
        hinting.cancel()


async def test_a_change_without_a_hint_is_seen_while_others_are_busy(
    client: Client, database_url: str
) -> None:
    watched = await client.submit("noop", types_pb2.Scope())
    other = await client.submit("noop", types_pb2.Scope())
    request = pb.WatchPipelineRequest(pipeline_id=watched.pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(request))
    async with asyncio.timeout(SECONDS), busy(client, other.pipeline_id):
        assert (await anext(watch)).HasField("snapshot")
        # As a scheduler leaves it that is killed between its COMMIT and its NOTIFY.
        conn = await asyncpg.connect(database_url)
        await conn.execute(
            "UPDATE scheduler.pipelines SET version = version + 1 WHERE pipeline_id = $1",
            watched.pipeline_id,
        )
        await conn.close()
        async for message in watch:
            if message.HasField("change"):
                break
        assert message.change.to_version == 2
