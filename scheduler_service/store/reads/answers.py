"""What reads answer that is more than a row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scheduler_service.store.reads.rows import ChangedJobRow, EventRow, PipelineRow, SeenJobRow


@dataclass(slots=True)
class View:
    """A pipeline at one version, and what of it is new to somebody."""

    pipeline: PipelineRow
    jobs: list[ChangedJobRow] = field(default_factory=list)
    joined: set[int] = field(default_factory=set)
    left_job_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """A pipeline, its first jobs by number, and what happened to it and to them, in order."""

    pipeline: PipelineRow
    jobs: Sequence[SeenJobRow]
    timeline: Sequence[EventRow]


class PipelinePage(NamedTuple):
    """`before_id` is where the next page begins; None on the last page."""

    pipelines: Sequence[PipelineRow]
    before_id: int | None


class JobPage(NamedTuple):
    """`before` is where the next page begins; None on the last page."""

    jobs: Sequence[SeenJobRow]
    before: tuple[int, int] | None


class QueueDepth(NamedTuple):
    """Claimable jobs of one type; both numbers are 0 where there is none."""

    job_type: str
    jobs: int
    oldest_seconds: float
