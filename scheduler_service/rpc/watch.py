"""Serves any number of watches with one database connection at a time."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from carbonline.serving.errors import RpcError
from carbonline.serving.throttled_log import ThrottledLog
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.jobs.requests import Refused, ones_own
from scheduler_service.rpc import messages, snapshots
from scheduler_service.rpc.feed import Feed, change_of, final_of, is_terminal, job_of
from scheduler_service.rpc.gradually import as_many_as_fit
from scheduler_service.rpc.looks import Looks
from scheduler_service.rpc.pages import is_large
from scheduler_service.rpc.refusals import not_found, refusal_with_days
from scheduler_service.rpc.snapshots import Message, Snapshots, snapshot_pages
from scheduler_service.rpc.stream_ends import StreamEnds
from scheduler_service.rpc.wakes import Wakes
from scheduler_service.store.core.gather import Gatherer
from scheduler_service.store.reads.answers import View
from scheduler_service.store.store import Store

# Between two reads, for whatever comes together. A read that takes longer pauses for as long.
PAUSE_SECONDS = 0.01
FEEDS_PER_READ = 500
READ_MAX = 500
# A version that no pipeline has reached: nothing changed after it.
NO_JOBS = 2**62

# A pipeline, and the version after which its changes are wanted.
Wanted: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SnapshotPosition:
    """Where the pages of a snapshot broke off: its version, and the last job of the last page."""

    version: int
    after_job_id: int


class Watches:
    """The watches of this process. One loop reads; each stream follows its own version."""

    def __init__(
        self,
        store: Store,
        wakes: Wakes,
        ends: StreamEnds,
        log: FilteringBoundLogger,
        *,
        poll_seconds: float,
    ) -> None:
        """`run` must run for as long as the server does.

        Without a hint, the loop reads every `poll_seconds`. `ends` are those of all watches.
        """
        self._store = store
        self._wakes = wakes
        self._ends = ends
        self._log = log
        self._poll_seconds = poll_seconds
        self._feeds: dict[int, Feed] = {}
        self._looks = Looks(self._feeds, wakes)
        # One connection at a time, however many watches begin, fall behind or end at once.
        self._reading = asyncio.Lock()
        self._snapshots = Snapshots(store, self._reading)
        self._starts: Gatherer[Wanted, _Start | None] = Gatherer(self._read_starts, READ_MAX)
        self._finals: Gatherer[int, Message | None] = Gatherer(self._read_finals, READ_MAX)
        self._failures = ThrottledLog(self._log_failures)

    @property
    def streams(self) -> int:
        """Watches that are open."""
        return self._ends.taken

    def drain(self) -> None:
        """End all streams with DRAINING, because this scheduler shuts down."""
        self._ends.draining.set()
        for feed in self._feeds.values():
            feed.notify()

    async def run(self) -> None:
        """Read what changed at each hint, and everything at each poll, until cancelled. Hints do
        not put a poll off: those of another scheduler may be lost.
        """
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + self._poll_pause()
        while True:
            with suppress(TimeoutError):
                # Not wait_for: it forgets a cancellation that comes together with the event.
                async with asyncio.timeout_at(min(poll_at, self._looks.next_due_at())):
                    await self._wakes.pipelines_changed.wait()
            began_at = loop.time()
            self._looks.note(self._wakes.take_pipelines())
            self._looks.note_activity(self._wakes.take_active(), began_at)
            if began_at >= poll_at:
                self._looks.note(None)
                poll_at = began_at + self._poll_pause()
            try:
                await self._read(self._looks.take_due(began_at))
            except ANY_DATABASE_ERROR as error:
                self._failures.add(repr(error))
            await asyncio.sleep(max(PAUSE_SECONDS, loop.time() - began_at))

    def _poll_pause(self) -> float:
        return self._poll_seconds * random.uniform(0.75, 1.25)  # noqa: S311

    def _log_failures(self, latest: str, reads: int) -> None:
        self._log.warning("watch_read_failed", reads=reads, error=latest)

    async def _read(self, feeds: Sequence[Feed]) -> None:
        for start in range(0, len(feeds), FEEDS_PER_READ):
            part = feeds[start : start + FEEDS_PER_READ]
            await self._read_part(part)

    async def _read_part(self, part: Sequence[Feed]) -> None:
        behind = part
        while behind:
            async with self._reading:
                versions = {f.pipeline_id: f.version for f in behind}
                views = await self._store.read_views(versions, with_active=True)
            read = [(f, views[f.pipeline_id]) for f in behind if f.pipeline_id in views]
            for feed, view in read:
                await feed.take_view(view)
                if feed.version >= view.pipeline.version and not feed.ended:
                    feed.take_activity(view)
            for feed in behind:
                if feed.pipeline_id not in views:
                    feed.take_removal()
            behind = [feed for feed, view in read if feed.version < view.pipeline.version]

    async def watch(
        self,
        pipeline_id: int,
        tenant: str,
        after_version: int,
        broken_off: SnapshotPosition | None = None,
        *,
        caller: str,
    ) -> AsyncGenerator[Message, None]:
        """The messages of one watch of a caller, by name, as WatchPipeline promises them.

        `after_version` is the last version that the watcher has seen; 0 starts with a snapshot.
        `broken_off` is where the pages of a snapshot ended, which go on from there.
        Raises RpcError PIPELINE_NOT_FOUND, OTHER_TENANT, TOO_MANY_STREAMS, STREAM_MAXIMUM_AGE or
        DRAINING.
        """
        with self._ends.place(caller, tenant):
            watch = self._watch(pipeline_id, tenant, after_version, broken_off)
            async with aclosing(watch) as messages:
                async for message in messages:
                    yield message

    async def _watch(
        self,
        pipeline_id: int,
        tenant: str,
        after_version: int,
        broken_off: SnapshotPosition | None,
    ) -> AsyncGenerator[Message, None]:
        feed: Feed | None = None
        try:
            with self._looks.beginning(pipeline_id):
                start = await self._start(pipeline_id, tenant, after_version, broken_off)
                new = Feed(pipeline_id, start.view.pipeline.version, ended=is_terminal(start.view))
                feed = self._feeds.setdefault(pipeline_id, new)
                feed.watchers += 1
            times_back = feed.times_back
            async for message in self._beginning(start):
                yield message
            if is_terminal(start.view) and start.version == start.view.pipeline.version:
                yield await self._final(pipeline_id)
                return
            version = start.version
            # A watch may last for days, and what it began with is large.
            del start
            async for message in self._follow(feed, version, times_back):
                yield message
        finally:
            if feed is not None:
                feed.watchers -= 1
                if feed.watchers == 0:
                    self._feeds.pop(pipeline_id, None)

    async def _start(
        self,
        pipeline_id: int,
        tenant: str,
        after_version: int,
        broken_off: SnapshotPosition | None = None,
    ) -> "_Start":
        wanted = after_version if broken_off is None else NO_JOBS
        found = await self._starts.ask((pipeline_id, wanted))
        start = ones_own("pipeline", pipeline_id, found, (tenant,))
        if isinstance(start, Refused):
            raise refusal_with_days(start, self._store.retention_days)
        if broken_off is not None and broken_off.version <= start.version:
            return start.behind(broken_off)
        if wanted > start.version or start.is_large:
            # The watcher names a version that never was, or has missed more than fits into one
            # message: start over with a snapshot.
            return await self._start(pipeline_id, tenant, 0)
        return start

    def _not_found(self, pipeline_id: int) -> RpcError:
        return not_found("pipeline", pipeline_id, self._store.retention_days)

    async def _beginning(self, start: "_Start") -> AsyncIterator[Message]:
        for message in start.messages:
            yield message
        if start.rest_after is None:
            return
        async for message in self._snapshots.after(start.pipeline, start.rest_after):
            self._ends.check_draining()
            yield message

    async def _follow(self, feed: Feed, version: int, times_back: int) -> AsyncIterator[Message]:
        loop, ends_at = asyncio.get_running_loop(), self._ends.ends_at()
        activity_number = -1
        while True:
            # Taken before the look: what comes after the look sets this very event.
            news = feed.news
            has_fallen_back = feed.times_back > times_back
            if has_fallen_back or feed.version > version:
                message = None if has_fallen_back else await self._change(feed, version)
                if message is None:
                    times_back = feed.times_back
                    start = await self._read_start(feed, 0)
                    async for message in self._beginning(start):
                        yield message
                    version = start.version
                    del start
                else:
                    yield message
                    version = message.change.to_version
                continue
            if feed.activity_number > activity_number:
                activity_number = feed.activity_number
                if feed.activity.jobs:
                    yield Message(activity=feed.activity)
                    # A reader takes its time, and meanwhile the last change may have come.
                    continue
            if feed.ended:
                read = feed.final
                yield final_of(read) if read else await self._final(feed.pipeline_id)
                return
            if loop.time() > ends_at:
                raise RpcError(
                    "STREAM_MAXIMUM_AGE",
                    f"this watch has reached its maximum age; watch again from version {version}",
                    {"version": str(version)},
                )
            if not await self._ends.has_news(news):
                yield Message(keepalive=pb.Keepalive(version=version))

    async def _change(self, feed: Feed, version: int) -> Message | None:
        """The change since the version; None if only a snapshot tells it: it has too many jobs, or
        the database has fallen behind the feed.
        """
        kept = feed.change_after(version)
        if kept is not None:
            return None if kept.is_large else kept.message
        start = await self._read_start(feed, version)
        if start.is_large:
            return None
        if not start.messages:
            feed.fall_back(start.version)
            return None
        return start.messages[0]

    async def _read_start(self, feed: Feed, version: int) -> "_Start":
        start = await self._starts.ask((feed.pipeline_id, version))
        if start is None:
            raise self._not_found(feed.pipeline_id)
        return start

    async def _read_starts(self, wanted: Sequence[Wanted]) -> Sequence["_Start | None"]:
        found: dict[Wanted, _Start] = {}
        left = set(wanted)
        while left:
            # One version of each pipeline at a time; mostly everybody wants the same.
            versions = dict(left)
            async with self._reading:
                views = await self._store.read_views(versions)
            for pipeline_id, view in views.items():
                after_version = versions[pipeline_id]
                start = await _start_of(view, after_version)
                found[pipeline_id, after_version] = start
            left -= versions.items()
        return [found.get(one) for one in wanted]

    async def _final(self, pipeline_id: int) -> Message:
        final = await self._finals.ask(pipeline_id)
        if final is None:
            raise self._not_found(pipeline_id)
        return final

    async def _read_finals(self, pipeline_ids: Sequence[int]) -> Sequence[Message | None]:
        finals: dict[int, Message] = {}
        for pipeline_id in pipeline_ids:
            async with self._reading:
                row = await self._store.read_final(pipeline_id)
            if row is not None:
                finals[pipeline_id] = final_of(row)
        return [finals.get(pipeline_id) for pipeline_id in pipeline_ids]


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a watch starts. Made once for all watches that start there at the same time.

    `version` is what the watcher has when it has read everything. Behind `messages` the pages of
    the snapshot go on after the job `rest_after`; None if there are no more. `is_large`: the change
    since the version is too large for one message.
    """

    view: View
    version: int
    messages: Sequence[Message]
    rest_after: int | None = None
    is_large: bool = False

    @property
    def tenant(self) -> str:
        """Whose pipeline it is."""
        return self.view.pipeline.tenant

    @property
    def pipeline(self) -> types_pb2.Pipeline:
        """The pipeline, with the version of the snapshot."""
        pipeline = messages.pipeline(self.view.pipeline)
        pipeline.version = self.version
        return pipeline

    def behind(self, broken_off: SnapshotPosition) -> "_Start":
        """The same for a watcher that has the first pages of an earlier snapshot."""
        return replace(
            self, version=broken_off.version, messages=(), rest_after=broken_off.after_job_id
        )


async def _start_of(view: View, after_version: int) -> _Start:
    version = view.pipeline.version
    # Without its jobs: only their messages are needed, and those for as long as they are sent.
    bare = View(view.pipeline, view.version)
    if after_version >= version:
        return _Start(bare, version, ())
    if after_version > 0:
        if view.version == after_version:
            return _Start(bare, version, (), is_large=True)
        change = await change_of(view, after_version)
        if is_large(change.jobs):
            return _Start(bare, version, (), is_large=True)
        return _Start(bare, view.version, (Message(change=change),))
    jobs = await as_many_as_fit(view.jobs, lambda row: job_of(view, row), snapshots.PART_BYTES_MAX)
    has_more = view.has_more or len(jobs) < len(view.jobs)
    pipeline = messages.pipeline(view.pipeline)
    found = snapshot_pages(pipeline, jobs, 0, has_more=has_more)
    return _Start(bare, version, found, jobs[-1].job_id if has_more else None)
