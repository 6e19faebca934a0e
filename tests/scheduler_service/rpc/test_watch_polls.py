"""What another scheduler did is seen by the next poll, however busy everybody else is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import feed
from scheduler_service.settings import Settings
from scheduler_service.store.reads.answers import View
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


async def next_of(watch: Any, *kinds: str) -> Any:
    """What the next message of these kinds holds."""
    while True:
        message = await anext(watch)
        kind = message.WhichOneof("message")
        if kind in kinds:
            return getattr(message, kind)


async def set_version(database_url: str, pipeline_id: int, version: int) -> None:
    """As if it had changed so often."""
    conn = await asyncpg.connect(database_url)
    await conn.execute(
        "UPDATE scheduler.pipelines SET version = $2 WHERE pipeline_id = $1", pipeline_id, version
    )
    await conn.close()


async def test_a_watch_goes_on_with_a_snapshot_when_the_database_has_fallen_behind(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each watcher asks the database what changed.
    monkeypatch.setattr(feed, "CHANGES_KEPT_MAX", 0)
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    store = client.server.store
    read_views = store.read_views

    async def read_and_lose(
        after_versions: Mapping[int, int], *, with_active: bool = False
    ) -> dict[int, View]:
        """The server that answers is replaced by one that has not heard of the second version."""
        views = await read_views(after_versions, with_active=with_active)
        if views[pipeline_id].pipeline.version == 2:
            await set_version(database_url, pipeline_id, 1)
        return views

    monkeypatch.setattr(store, "read_views", read_and_lose)
    request = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(request))
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).snapshot.pipeline.version == 1
        await set_version(database_url, pipeline_id, 2)
        assert (await next_of(watch, "snapshot")).pipeline.version == 1
        # One snapshot, and then what is new.
        await set_version(database_url, pipeline_id, 3)
        change = await next_of(watch, "change", "snapshot")
        assert (change.from_version, change.to_version) == (1, 3)


async def test_who_has_seen_what_the_database_has_lost_starts_over(
    client: Client, database_url: str
) -> None:
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    request = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(request))
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).snapshot.pipeline.version == 1
        await set_version(database_url, pipeline_id, 3)
        assert (await next_of(watch, "change")).to_version == 3
        await set_version(database_url, pipeline_id, 2)
        assert (await next_of(watch, "snapshot")).pipeline.version == 2
        await set_version(database_url, pipeline_id, 3)
        change = await next_of(watch, "change", "snapshot")
        assert (change.from_version, change.to_version) == (2, 3)


def test_a_pipeline_whose_end_the_database_has_lost_is_watched_on() -> None:
    read = feed.Feed(7, version=10, ended=True)
    read.fall_back(8)
    assert not read.ended
