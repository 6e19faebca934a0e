"""What reads answer that is more than a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scheduler_service.store.reads.rows import (
    ActiveJobRow,
    ChangedJobRow,
    EventRow,
    FinalRow,
    JobSummaryRow,
    PipelineRow,
    SeenJobRow,
)

# Jobs of a pipeline that are read at once for those who watch it.
VIEW_JOBS_MAX = 1_000
# Of one worker.
CLAIMS_SHOWN_MAX = 100
# Of one timeline.
EVENTS_SHOWN_MAX = 5_000


@dataclass(slots=True)
class View:
    """A pipeline as it is, and what of it is new to somebody, up to `version`.

    `has_more`: there is more than was read. If `version` is the one that was asked for, not even
    the changes of the next version were few enough. `active`, where it was asked for, is what is
    claimable or running, a bounded number; or `final` how the pipeline ended.
    """

    pipeline: PipelineRow
    version: int
    jobs: list[ChangedJobRow] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)
    left_job_ids: list[int] = field(default_factory=list)
    has_more: bool = False
    active: list[ActiveJobRow] = field(default_factory=list)
    final: FinalRow | None = None

    def fill(self, rows: Sequence[ChangedJobRow], after_version: int, rows_max: int) -> None:
        """Take rows that were asked for, at most one more than `rows_max`, by number."""
        if len(rows) > rows_max:
            self.has_more = True
            rows = rows[:rows_max] if after_version == 0 else self._whole_versions(rows)
        for row in rows:
            if row.has_left:
                self.left_job_ids.append(row.job_id)
                continue
            self.jobs.append(row)
            if row.is_joined:
                self.joined.add(row.job_id)
        if self.has_more and after_version:
            self.version = max((row.seen_version for row in rows), default=after_version)

    def _whole_versions(self, rows: Sequence[ChangedJobRow]) -> list[ChangedJobRow]:
        """Without those of the last version, which may be incomplete."""
        last = max(row.seen_version for row in rows)
        return [row for row in rows if row.seen_version < last]


@dataclass(frozen=True, slots=True)
class Shown:
    """A pipeline, its first jobs by number, and what happened first to it and to them, in order."""

    pipeline: PipelineRow
    jobs: Sequence[SeenJobRow]
    timeline: Sequence[EventRow]
    has_more_jobs: bool


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job, what happened to it, in order, and the pipelines that have joined it, by number."""

    job: JobSummaryRow
    timeline: Sequence[EventRow]
    joined_by: Sequence[int]


class PipelinePage(NamedTuple):
    """`before_id` is where the next page begins; None on the last page."""

    pipelines: Sequence[PipelineRow]
    before_id: int | None


class PipelineCounts(NamedTuple):
    """Pipelines by status, as on the wire; `has_older`: there are older ones, not counted."""

    by_status: Mapping[str, int]
    has_older: bool


class JobPage(NamedTuple):
    """`before` is where the next page begins; None on the last page."""

    jobs: Sequence[SeenJobRow]
    before: tuple[int, int] | None


class QueueDepth(NamedTuple):
    """Claimable jobs of one type; both numbers are 0 where there is none."""

    job_type: str
    jobs: int
    oldest_seconds: float
