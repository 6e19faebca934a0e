"""The rows of a tenant's pipelines, read once for all who watch them.

A row is a state, so nothing is queued: each row is kept with the number of the change that it came
with, and a watcher takes what is newer than the last number that it was told.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from carbonline.v1 import types_pb2
from scheduler_service.rpc import messages
from scheduler_service.store.reads.rows import ActiveJobRow, PipelineRow

# Those that changed last are kept: live ones, ended ones, and the newest by number in any case.
LIVE_MAX, ENDED_MAX, NEWEST_MAX = 1_000, 500, 500
NOT_STARTED = types_pb2.PIPELINE_STATUS_NOT_STARTED
_LIVE = frozenset({NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING})

# A pipeline, and a job that it waits for.
ActiveJob: TypeAlias = tuple[int, types_pb2.Job]


def is_live(pipeline: types_pb2.Pipeline) -> bool:
    """Whether it has not ended."""
    return pipeline.status in _LIVE


@dataclass(slots=True)
class TenantFeed:
    """What was last read of a tenant, and the event that wakes its watchers."""

    tenant: str
    watchers: int = 0
    # Of the watchers, those who want to know what runs.
    job_watchers: int = 0
    is_loaded: bool = False
    # With lower numbers, others may be live that are not followed; None once all that are live are.
    unread_before: int | None = None
    number: int = 0
    # The newest change of a row that is kept no longer: who has not seen it starts over.
    forgotten: int = 0
    # How often the database has fallen behind what was read of it.
    times_back: int = 0
    rows: dict[int, types_pb2.Pipeline] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    jobs: Sequence[ActiveJob] = ()
    jobs_number: int = 0
    # One reads it for the first time, the others wait.
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def live_ids(self) -> list[int]:
        """Those that have not ended, as far as is known; newest last."""
        return sorted(number for number, row in self.rows.items() if is_live(row))

    @property
    def has_more_live(self) -> bool:
        """Whether more pipelines may be live than are followed."""
        return self.unread_before is not None

    def room(self) -> int:
        """How many more live ones it can follow."""
        return max(0, LIVE_MAX - len(self.live_ids()))

    def load(self, rows: Iterable[PipelineRow], *, unread_before: int | None) -> None:
        """Take what was read first. What is known already is newer."""
        self._keep(
            one
            for one in map(messages.pipeline, rows)
            if one.pipeline_id not in self.rows or self.rows[one.pipeline_id].version < one.version
        )
        self._leave_unread(unread_before)
        self.is_loaded = True

    def take(self, rows: Iterable[PipelineRow]) -> None:
        """Keep what differs from before and notify the watchers."""
        news = [
            one for one in map(messages.pipeline, rows) if one != self.rows.get(one.pipeline_id)
        ]
        if any(self._is_behind(one) for one in news):
            self.times_back += 1
        if news:
            self._keep(news)
            self.notify()

    def take_older(self, rows: Iterable[PipelineRow], *, unread_before: int | None) -> None:
        """Keep what was live before `unread_before`. If that was all, watchers start over, since
        only the first rows say whether they are all that is live.
        """
        self.unread_before = unread_before
        self.take(rows)
        if not self.has_more_live:
            self.times_back += 1
            self.notify()

    def forget(self, pipeline_ids: Collection[int]) -> None:
        """These do not exist: whoever was told of them starts over."""
        if not pipeline_ids:
            return
        for pipeline_id in pipeline_ids:
            del self.rows[pipeline_id], self.changed[pipeline_id]
        self.times_back += 1
        self.notify()

    def take_jobs(self, rows: Iterable[ActiveJobRow]) -> None:
        """Keep what runs now and notify the watchers, if it differs from before."""
        jobs = [(row.seen_by, messages.job_summary(row, joined=row.is_joined)) for row in rows]
        if jobs != self.jobs:
            self.jobs = jobs
            self.jobs_number += 1
            self.notify()

    def notify(self) -> None:
        """Wake the watchers that wait now. A watcher that comes later looks before it waits."""
        self.news.set()
        self.news = asyncio.Event()

    def newer_than(self, number: int) -> list[types_pb2.Pipeline]:
        """The rows that changed after a number, by the pipelines' numbers."""
        newer = []
        for pipeline_id in reversed(self.rows):
            if self.changed[pipeline_id] <= number:
                break
            newer.append(pipeline_id)
        return [self.rows[pipeline_id] for pipeline_id in sorted(newer)]

    def _leave_unread(self, before: int | None) -> None:
        if before is not None:
            self.unread_before = max(before, self.unread_before or 0)

    def _is_behind(self, row: types_pb2.Pipeline) -> bool:
        known = self.rows.get(row.pipeline_id)
        return known is not None and row.version < known.version

    def _keep(self, news: Iterable[types_pb2.Pipeline]) -> None:
        self.number += 1
        for row in news:
            # The newest change stands last.
            self.rows.pop(row.pipeline_id, None)
            self.changed.pop(row.pipeline_id, None)
            self.rows[row.pipeline_id] = row
            self.changed[row.pipeline_id] = self.number
        self._trim()

    def _trim(self) -> None:
        if len(self.rows) <= min(LIVE_MAX, ENDED_MAX):
            return
        newest = set(sorted(self.rows)[-NEWEST_MAX:])
        live = [number for number, row in self.rows.items() if is_live(row)]
        ended = [number for number, row in self.rows.items() if not is_live(row)]
        beyond = [*live[: max(0, len(live) - LIVE_MAX)], *ended[: max(0, len(ended) - ENDED_MAX)]]
        for pipeline_id in beyond:
            if pipeline_id not in newest:
                if is_live(self.rows[pipeline_id]):
                    self._leave_unread(pipeline_id + 1)
                del self.rows[pipeline_id]
                self.forgotten = max(self.forgotten, self.changed.pop(pipeline_id))
