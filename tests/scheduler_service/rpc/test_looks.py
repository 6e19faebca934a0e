"""A watcher hears of a change at once; one that never stands still is read now and then."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import looks
from scheduler_service.rpc.feed import Feed
from scheduler_service.rpc.looks import (
    ACTIVITY_SECONDS,
    LOOK_AGAIN_SECONDS,
    LOOKS_AT_ONCE,
    Looks,
)
from scheduler_service.rpc.wakes import Wakes
from scheduler_service.settings import Settings
from scheduler_service.store.reads.answers import View
from tests.scheduler_service.rpc.conftest import Client

ONE, OTHER = 7, 8
SECONDS = 20.0
NEVER_SECONDS = 3600.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Whatever is seen is not seen by a poll."""
    return replace(settings, poll_seconds=NEVER_SECONDS, keepalive_seconds=NEVER_SECONDS)


def looks_of(*pipelines: int) -> Looks:
    return Looks({one: Feed(one, version=1) for one in pipelines}, Wakes())


def due(of: Looks, now: float) -> list[int]:
    return [feed.pipeline_id for feed in of.take_due(now)]


def test_a_change_is_read_at_once_and_only_once() -> None:
    of = looks_of(ONE, OTHER)
    of.note({ONE})
    assert due(of, 100.0) == [ONE]
    assert due(of, 100.0) == []
    assert of.next_due_at() == math.inf


def test_a_pipeline_that_changes_all_the_time_is_read_at_its_pace() -> None:
    of, reads, seconds = looks_of(ONE), 0, 5
    for millisecond in range(seconds * 1_000):
        of.note({ONE})
        reads += len(due(of, 100.0 + millisecond / 1_000))
    at_pace = seconds / LOOK_AGAIN_SECONDS
    assert at_pace <= reads <= at_pace + LOOKS_AT_ONCE


def test_what_was_put_off_is_read_when_it_may_be() -> None:
    of = looks_of(ONE)
    for _ in range(LOOKS_AT_ONCE):
        of.note({ONE})
        assert due(of, 100.0) == [ONE]
    of.note({ONE})
    assert due(of, 100.0) == []
    again_at = of.next_due_at()
    assert 100.0 < again_at <= 100.0 + LOOK_AGAIN_SECONDS
    assert due(of, again_at) == [ONE]


def test_all_are_read_if_any_may_have_changed_and_none_that_nobody_watches() -> None:
    of = looks_of(ONE, OTHER)
    of.note({1, 2, 3})
    assert due(of, 100.0) == []
    of.note(None)
    assert due(of, 100.0) == [ONE, OTHER]


def watched(client: Client, pipeline_id: int) -> Any:
    request = pb.WatchPipelineRequest(pipeline_id=pipeline_id)
    return aiter(client.scheduler.WatchPipeline(request))


async def next_of(watch: Any, kind: str) -> Any:
    """What the next message of this kind holds."""
    while True:
        message = await anext(watch)
        if message.HasField(kind):
            return getattr(message, kind)


async def test_changes_that_follow_each_other_are_heard_without_a_pause(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "LOOK_AGAIN_SECONDS", NEVER_SECONDS)
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    watch = watched(client, pipeline_id)
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).HasField("snapshot")
        (job,) = await client.claim("noop")
        assert (await next_of(watch, "activity")).jobs[0].state == types_pb2.JOB_STATE_RUNNING
        await client.finish(job)
        assert (await next_of(watch, "change")).jobs[0].state == types_pb2.JOB_STATE_FINISHED


@pytest.mark.parametrize("is_activity", [False, True])
async def test_what_changes_while_a_watch_begins_is_heard(
    client: Client, database_url: str, monkeypatch: pytest.MonkeyPatch, *, is_activity: bool
) -> None:
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    store = client.server.store
    read_views = store.read_views
    on_hint: Any = store.notifier.on_hint
    wakes: Wakes = on_hint.__self__
    told = asyncio.Event()

    async def read_and_change(
        after_versions: Mapping[int, int], *, with_active: bool = False
    ) -> dict[int, View]:
        """It changes, and its watches are told, when the first read has not seen it."""
        views = await read_views(after_versions, with_active=with_active)
        if not told.is_set():
            told.set()
            conn = await asyncpg.connect(database_url)
            await conn.execute(
                "UPDATE scheduler.pipelines SET version = version + 1 WHERE pipeline_id = $1",
                pipeline_id,
            )
            await conn.close()
            if is_activity:
                store.notifier.notify_activity({pipeline_id})
            else:
                store.notifier.wake((), {pipeline_id})
            async with asyncio.timeout(SECONDS):
                # The loop that reads has taken what it was told.
                while wakes.pipelines_changed.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(0)
        return views

    monkeypatch.setattr(store, "read_views", read_and_change)
    watch = watched(client, pipeline_id)
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).snapshot.pipeline.version == 1
        assert (await next_of(watch, "change")).to_version == 2


def test_activity_is_read_with_the_next_change_or_a_little_later() -> None:
    of = looks_of(ONE)
    of.note_activity({ONE, OTHER}, 100.0)
    assert due(of, 100.0) == []
    assert of.next_due_at() == 100.0 + ACTIVITY_SECONDS
    assert due(of, 100.0 + ACTIVITY_SECONDS) == [ONE]
    of.note_activity({ONE}, 200.0)
    of.note({ONE})
    assert due(of, 200.0) == [ONE]
    assert of.next_due_at() == math.inf


async def test_a_claim_and_the_end_are_read_with_the_change_that_follows(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "ACTIVITY_SECONDS", NEVER_SECONDS)
    pipeline_id = (await client.submit("noop", types_pb2.Scope())).pipeline_id
    reads = list[str]()
    store: Any = client.server.store
    for name in ("read_views", "read_final"):
        monkeypatch.setattr(store, name, _noting(reads, name, getattr(store, name)))
    watch = watched(client, pipeline_id)
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).HasField("snapshot")
        (job,) = await client.claim("noop")
        await client.finish(job)
        final = await next_of(watch, "final")
        assert final.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
        assert reads == ["read_views", "read_views"]
        # Whoever comes later is told the same.
        assert (await next_of(watched(client, pipeline_id), "final")) == final


def _noting(names: list[str], name: str, read: Any) -> Any:
    async def noting(*args: Any, **kwargs: Any) -> Any:
        names.append(name)
        return await read(*args, **kwargs)

    return noting
