"""Serves any number of watches of tenants' pipelines with one read at a time."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from carbonline.serving.errors import RpcError
from carbonline.serving.throttled_log import ThrottledLog
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc.stream_ends import StreamEnds
from scheduler_service.rpc.tenant_feed import (
    ENDED_MAX,
    LIVE_MAX,
    NEWEST_MAX,
    NOT_STARTED,
    TenantFeed,
    is_live,
)
from scheduler_service.rpc.wakes import ChangedPipelines
from scheduler_service.store.reads.filters import PipelineFilter
from scheduler_service.store.reads.rows import PipelineRow
from scheduler_service.store.store import Store

# Between two reads: people see no difference, and what changes meanwhile comes together.
PAUSE_SECONDS = 0.2
# Between two looks at what runs, and of how many pipelines, the newest.
JOBS_SECONDS, JOB_PIPELINES_MAX = 0.5, 20
# With the longest messages of failed jobs, that is 2 MB.
ROWS_PER_MESSAGE_MAX = 100
LIVE = ("NOT_STARTED", "RUNNING")

Message: TypeAlias = pb.WatchPipelinesResponse


@dataclass(frozen=True, slots=True)
class WantedPipelines:
    """What a watcher wants to see. `shown` is a row as the caller may see it, or None; `details` of
    jobs are taken away from who may not see them.
    """

    tenant: str
    shown: Callable[[types_pb2.Pipeline], types_pb2.Pipeline | None]
    without_details: Callable[[Sequence[types_pb2.Job]], None]
    module: int | None = None
    year: int | None = None
    ended_max: int = 50
    with_jobs: bool = False

    def row(self, pipeline: types_pb2.Pipeline) -> types_pb2.Pipeline | None:
        """The row as it is told, or None."""
        scope = pipeline.scope
        if self.module not in (None, scope.module) or self.year not in (None, scope.year):
            return None
        return self.shown(pipeline)


class TenantWatches:
    """The watches of this process. One loop reads, in one look for all tenants."""

    def __init__(
        self,
        store: Store,
        changed: ChangedPipelines,
        ends: StreamEnds,
        log: FilteringBoundLogger,
        *,
        poll_seconds: float,
    ) -> None:
        """`run` must run for as long as the server does. `ends` are those of all watches.

        Without a hint, the loop compares versions every `poll_seconds`.
        """
        self._store = store
        self._changed = changed
        self._ends = ends
        self._poll_seconds = poll_seconds
        self._feeds: dict[str, TenantFeed] = {}
        # A look at what runs that came too soon after the one before is made when it is due.
        self._jobs_due_at = 0.0
        self._are_jobs_due = False
        self._failures: ThrottledLog[str] = ThrottledLog(
            lambda latest, reads: log.warning("watch_read_failed", reads=reads, error=latest)
        )
        # How often the database was asked.
        self.reads = 0

    def drain(self) -> None:
        """Wake all watchers, who find that `ends` drains."""
        for feed in self._feeds.values():
            feed.notify()

    async def run(self) -> None:
        """Read what changed at each hint, compare versions at each poll, until cancelled."""
        loop = asyncio.get_running_loop()
        poll_at = loop.time() + self._poll_pause()
        while True:
            with suppress(TimeoutError):
                # Not wait_for: it forgets a cancellation that comes together with the event.
                jobs_at = self._jobs_due_at if self._are_jobs_due else poll_at
                async with asyncio.timeout_at(min(poll_at, jobs_at)):
                    await self._changed.event.wait()
            changed = self._changed.take()
            is_due = loop.time() >= poll_at
            if is_due:
                poll_at = loop.time() + self._poll_pause()
            try:
                await self._read(changed or (), is_poll=is_due or changed is None)
            except ANY_DATABASE_ERROR as error:
                # What was hinted at is found by the next poll.
                self._failures.add(repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    def _poll_pause(self) -> float:
        return self._poll_seconds * random.uniform(0.75, 1.25)  # noqa: S311

    async def _read(self, changed: Collection[int], *, is_poll: bool) -> None:
        self._are_jobs_due = bool(self._feeds)
        if not self._feeds:
            return
        if changed:
            self._take(await self._pipelines(changed))
        # One that comes meanwhile reads for itself.
        loaded = [feed for feed in self._feeds.values() if feed.is_loaded]
        if is_poll:
            for feed in loaded:
                await self._compare(feed)
        now = asyncio.get_running_loop().time()
        if now >= self._jobs_due_at:
            self._jobs_due_at, self._are_jobs_due = now + JOBS_SECONDS, False
            for feed in loaded:
                await self._read_jobs(feed)

    async def _pipelines(self, pipeline_ids: Collection[int]) -> Sequence[PipelineRow]:
        self.reads += 1
        return await self._store.pipelines_now(sorted(pipeline_ids))

    def _take(self, rows: Sequence[PipelineRow]) -> None:
        of_tenant: dict[str, list[PipelineRow]] = defaultdict(list)
        for row in rows:
            of_tenant[row.tenant].append(row)
        for tenant, its in of_tenant.items():
            if feed := self._feeds.get(tenant):
                feed.take(its)

    async def _compare(self, feed: TenantFeed) -> None:
        """Hints may be lost, and of a claim elsewhere there is none: it changes no version."""
        known_ids = sorted(feed.rows)
        self.reads += 1
        versions = await self._store.pipeline_versions(
            feed.tenant, known_ids, newest_max=NEWEST_MAX
        )
        gone = (number for number in known_ids if number not in versions)
        feed.forget([number for number in gone if number in feed.rows])
        differ = [
            number
            for number, version in versions.items()
            if (known := feed.rows.get(number)) is None
            or known.version != version
            or known.status == NOT_STARTED
        ]
        if differ:
            feed.take(await self._pipelines(differ))
        if feed.has_more_live and (room := feed.room()):
            await self._read_older(feed, room)

    async def _read_older(self, feed: TenantFeed, room: int) -> None:
        """Each row is read once, and a look at a bounded number of pipelines goes on where the one
        before has ended.
        """
        self.reads += 1
        older = PipelineFilter(feed.tenant, LIVE, before_id=feed.unread_before, page_size=room)
        live = await self._store.list_pipelines(older, is_own=True)
        feed.take_older(live.pipelines, unread_before=live.before_id)

    async def _read_jobs(self, feed: TenantFeed) -> None:
        if not feed.job_watchers:
            return
        live = feed.live_ids()[-JOB_PIPELINES_MAX:]
        if live:
            self.reads += 1
        feed.take_jobs(await self._store.active_jobs(live) if live else ())

    async def watch(self, wanted: WantedPipelines, caller: str) -> AsyncGenerator[Message, None]:
        """The messages of one watch of a caller, by name, as WatchPipelines promises them.

        Raises RpcError TOO_MANY_STREAMS, STREAM_MAXIMUM_AGE or DRAINING, and as a list does.
        """
        with self._ends.place(caller, wanted.tenant), self._feed(wanted) as feed:
            await self._load(feed)
            async for message in self._follow(feed, wanted):
                yield message

    @contextmanager
    def _feed(self, wanted: WantedPipelines) -> Iterator[TenantFeed]:
        feed = self._feeds.setdefault(wanted.tenant, TenantFeed(wanted.tenant))
        feed.watchers += 1
        feed.job_watchers += wanted.with_jobs
        try:
            yield feed
        finally:
            feed.watchers -= 1
            feed.job_watchers -= wanted.with_jobs
            if not feed.watchers:
                del self._feeds[wanted.tenant]

    async def _load(self, feed: TenantFeed) -> None:
        async with feed.loading:
            if feed.is_loaded:
                return
            self.reads += 2
            live = await self._store.list_pipelines(
                PipelineFilter(feed.tenant, LIVE, page_size=LIVE_MAX)
            )
            newest = await self._store.list_pipelines(
                PipelineFilter(feed.tenant, page_size=ENDED_MAX)
            )
            # Oldest first, as if they had changed so.
            rows = {row.pipeline_id: row for row in (*live.pipelines, *newest.pipelines)}
            feed.load((rows[number] for number in sorted(rows)), unread_before=live.before_id)

    async def _follow(
        self, feed: TenantFeed, wanted: WantedPipelines
    ) -> AsyncGenerator[Message, None]:
        ends_at = self._ends.ends_at()
        number = jobs_number = times_back = -1
        while True:
            # Taken before the look: what comes after the look sets this very event.
            news = feed.news
            is_first = feed.times_back != times_back or number < feed.forgotten
            if is_first or feed.number > number:
                rows = feed.newer_than(-1 if is_first else number)
                number, times_back = feed.number, feed.times_back
                for message in _row_messages(rows, wanted, feed, is_first=is_first):
                    yield message
            if wanted.with_jobs and feed.jobs_number > jobs_number:
                jobs_number = feed.jobs_number
                if jobs := _jobs(feed, wanted):
                    yield Message(activity=pb.PipelineActivity(jobs=jobs))
            if asyncio.get_running_loop().time() > ends_at:
                raise RpcError(
                    "STREAM_MAXIMUM_AGE", "this watch has reached its maximum age; watch again"
                )
            if not await self._ends.has_news(news):
                yield Message(keepalive=pb.Keepalive())


def _row_messages(
    rows: Sequence[types_pb2.Pipeline],
    wanted: WantedPipelines,
    feed: TenantFeed,
    *,
    is_first: bool,
) -> Iterator[Message]:
    seen = [row for one in rows if (row := wanted.row(one)) is not None]
    if is_first:
        ended = [one.pipeline_id for one in seen if not is_live(one)]
        passed = set(ended[: max(0, len(ended) - wanted.ended_max)])
        seen = [one for one in seen if one.pipeline_id not in passed]
    starts = range(0, max(len(seen), 1 if is_first else 0), ROWS_PER_MESSAGE_MAX)
    for start in starts:
        yield Message(
            rows=pb.PipelineRows(
                pipelines=seen[start : start + ROWS_PER_MESSAGE_MAX],
                first=is_first and start == 0,
                more=start + ROWS_PER_MESSAGE_MAX < len(seen),
                has_more_live=is_first and feed.has_more_live,
            )
        )


def _jobs(feed: TenantFeed, wanted: WantedPipelines) -> list[types_pb2.Job]:
    own: dict[int, types_pb2.Job] = {}
    for pipeline_id, job in feed.jobs:
        pipeline = feed.rows.get(pipeline_id)
        if pipeline is not None and wanted.row(pipeline) is not None:
            own[job.job_id] = types_pb2.Job()
            own[job.job_id].CopyFrom(job)
    jobs = list(own.values())
    wanted.without_details(jobs)
    return jobs
