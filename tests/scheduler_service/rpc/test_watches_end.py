"""The loop behind all watches ends when it is told to, and a watch ends with what it has told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import cast

import pytest

from carbonline.serving.logs import open_log
from carbonline.v1 import types_pb2
from scheduler_service.rpc.snapshots import Message
from scheduler_service.rpc.stream_ends import StreamEnds
from scheduler_service.rpc.wakes import Wakes
from scheduler_service.rpc.watch import Watches
from scheduler_service.settings import Settings
from scheduler_service.store.store import Store
from tests.scheduler_service.rpc.conftest import Client


def opened(store: Store, wakes: Wakes, *, poll_seconds: float = 60.0) -> Watches:
    """Watches that nobody else uses."""
    ends = StreamEnds(keepalive_seconds=60, seconds_max=60, watches_max=2)
    return Watches(store, wakes, ends, open_log("error"), poll_seconds=poll_seconds)


@pytest.mark.parametrize("turns_between", range(6))
async def test_a_wake_just_before_it_does_not_swallow_the_order_to_end(turns_between: int) -> None:
    wakes = Wakes()
    nobody_watches = cast("Store", None)
    reading = asyncio.create_task(opened(nobody_watches, wakes).run())
    for _ in range(5):
        await asyncio.sleep(0)
    wakes.hint(None, None)
    for _ in range(turns_between):
        await asyncio.sleep(0)
    reading.cancel()
    ended, _ = await asyncio.wait({reading}, timeout=2)
    reading.cancel()
    assert ended


@pytest.fixture
async def watches(settings: Settings) -> AsyncIterator[Watches]:
    """Watches of a scheduler that hears of nothing, and looks often."""
    store = await Store.open(settings.database_url, lease_seconds=8.0, sweep_seconds=5.0)
    found = opened(store, Wakes(), poll_seconds=0.05)
    reading = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        reading.cancel()
        await asyncio.wait({reading})
        await store.close()


async def test_a_reader_who_is_slow_with_activity_is_told_the_last_change_before_the_end(
    client: Client, watches: Watches
) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    pipeline_id = submitted.pipeline_id
    slow, other = [watches.watch(pipeline_id, "local", 0, caller="ann") for _ in range(2)]
    async with asyncio.timeout(20), aclosing(slow), aclosing(other):
        for watch in (slow, other):
            assert (await anext(watch)).HasField("snapshot")
        [job] = await client.claim("noop")
        while not _runs(await anext(slow)):
            pass
        await client.finish(job)
        # The other one has seen the end, while this one still writes what runs.
        assert [kind async for kind in _kinds(other)][-2:] == ["change", "final"]
        assert [kind async for kind in _kinds(slow)] == ["change", "final"]


def _runs(message: Message) -> bool:
    return any(job.state == types_pb2.JOB_STATE_RUNNING for job in message.activity.jobs)


async def _kinds(watch: AsyncIterator[Message]) -> AsyncIterator[str | None]:
    async for message in watch:
        yield message.WhichOneof("message")
