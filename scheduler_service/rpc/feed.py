"""The news of one pipeline, read once for all its watchers."""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from carbonline.serving.pages import ANSWER_BYTES_MAX
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import messages
from scheduler_service.rpc.gradually import gradually
from scheduler_service.rpc.pages import is_large
from scheduler_service.store.reads.answers import VIEW_JOBS_MAX, View
from scheduler_service.store.reads.rows import ChangedJobRow, FinalRow

CHANGES_KEPT_MAX = 32
# Of all changes of a feed: what one message takes. Who has missed more gets a snapshot.
CHANGES_BYTES_MAX = ANSWER_BYTES_MAX


class Change(NamedTuple):
    """A change as it is sent; `is_large`: it does not fit into one message."""

    message: pb.WatchPipelineResponse
    is_large: bool


async def change_of(view: View, from_version: int) -> pb.PipelineChange:
    """The view as a change from `from_version` to the view's version."""
    pipeline = messages.pipeline(view.pipeline)
    pipeline.version = view.version
    return pb.PipelineChange(
        from_version=from_version,
        to_version=view.version,
        pipeline=pipeline,
        jobs=await gradually(view.jobs, lambda row: job_of(view, row)),
        left_job_ids=view.left_job_ids,
    )


def job_of(view: View, row: ChangedJobRow) -> types_pb2.Job:
    """A job of a view, as the view's pipeline sees it."""
    return messages.job_summary(row, joined=row.job_id in view.joined)


def final_of(row: FinalRow) -> pb.WatchPipelineResponse:
    """The last message of a watch."""
    pipeline, digest = messages.pipeline(row), row.evidence_digest
    final = pb.PipelineFinal(pipeline=pipeline, evidence_digest=digest)
    return pb.WatchPipelineResponse(final=final)


def is_terminal(view: View) -> bool:
    """Whether the pipeline has ended, so that nothing will change."""
    return view.pipeline.status != "LIVE"


@dataclass(slots=True)
class Feed:
    """What was last read of a pipeline, and the event that wakes its watchers."""

    pipeline_id: int
    version: int
    watchers: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)
    activity: pb.PipelineActivity = field(default_factory=pb.PipelineActivity)
    activity_number: int = 0
    changes: dict[int, pb.PipelineChange] = field(default_factory=dict)
    # In bytes, of each of the changes.
    sizes: dict[int, int] = field(default_factory=dict)
    # Made once for all watchers that are at the same version; until the next view.
    made: dict[int, Change | None] = field(default_factory=dict)
    # How often the database has fallen behind what was read of it.
    times_back: int = 0
    ended: bool = False
    # How it ended, if that was read with its last change.
    final: FinalRow | None = None
    # Each look at it pays for some time: see `looks.py`.
    looks_paid_until: float = 0.0

    async def take_view(self, view: View) -> None:
        """Keep the change since the previous version, and notify the watchers. One of too many
        jobs is not kept: the watchers read the pipeline anew.
        """
        if view.pipeline.version < self.version:
            self.fall_back(view.pipeline.version)
        elif view.pipeline.version > self.version:
            before, change = self.version, None
            if view.version > before:
                change = await change_of(view, before)
            if self.version != before:
                # It has fallen back meanwhile: the next look reads from there.
                return
            if change is not None:
                self._keep(before, change)
            self.version = view.pipeline.version if change is None else view.version
            self.made.clear()
            self.ended = is_terminal(view) and self.version == view.pipeline.version
            self.final = view.final if self.ended else None
            self.notify()

    def _keep(self, before: int, change: pb.PipelineChange) -> None:
        self.changes[before] = change
        self.sizes[before] = change.ByteSize()
        while len(self.changes) > CHANGES_KEPT_MAX or sum(self.sizes.values()) > CHANGES_BYTES_MAX:
            oldest = min(self.changes)
            del self.changes[oldest], self.sizes[oldest]

    def fall_back(self, version: int) -> None:
        """The database is at an earlier version: its server was replaced by one that lagged.
        Notify the watchers, who start over.
        """
        self.version = version
        self.changes.clear()
        self.sizes.clear()
        self.made.clear()
        self.times_back += 1
        self.ended = False
        self.final = None
        self.notify()

    def take_removal(self) -> None:
        """The pipeline was deleted: notify the watchers, who will not find it."""
        if not self.ended:
            self.ended = True
            self.notify()

    def take_activity(self, view: View) -> None:
        """Keep what runs now, and that the pipeline runs, which no version tells. Notify the
        watchers, if that differs from before.
        """
        activity = pb.PipelineActivity(
            jobs=[messages.job_summary(row, joined=row.is_joined) for row in view.active],
            status=messages.status_of(view.pipeline),
        )
        if activity != self.activity:
            self.activity = activity
            self.activity_number += 1
            self.notify()

    def notify(self) -> None:
        """Wake the watchers that wait now. A watcher that comes later looks before it waits."""
        self.news.set()
        self.news = asyncio.Event()

    def change_after(self, version: int) -> Change | None:
        """The change from this version to the newest one. None if it is not kept, or has too many
        jobs to be put together here.
        """
        if version not in self.made:
            change = self._put_together(version)
            self.made[version] = change and Change(
                pb.WatchPipelineResponse(change=change), is_large(change.jobs)
            )
        return self.made[version]

    def _put_together(self, version: int) -> pb.PipelineChange | None:
        found = self.changes.get(version)
        if found is None:
            return None
        while found.to_version < self.version:
            following = self.changes.get(found.to_version)
            if following is None or len(found.jobs) + len(following.jobs) > VIEW_JOBS_MAX:
                return None
            found = _merged(found, following)
        return found


def _merged(first: pb.PipelineChange, second: pb.PipelineChange) -> pb.PipelineChange:
    jobs = {job.job_id: job for job in (*first.jobs, *second.jobs)}
    left = set(first.left_job_ids) | set(second.left_job_ids)
    left -= {job.job_id for job in second.jobs}
    return pb.PipelineChange(
        from_version=first.from_version,
        to_version=second.to_version,
        pipeline=second.pipeline,
        jobs=[jobs[job_id] for job_id in sorted(jobs) if job_id not in left],
        left_job_ids=sorted(left),
    )
