"""What the command reads out of a job's stats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2

BLOB = "blob:sha256:"


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rows that a file's ingest refused, and the blob that lists them all ("" for none)."""

    count: int
    blob: str


def rejected_of(job: types_pb2.Job) -> Rejected:
    """The rejected rows of a job; none for a job that reads no file."""
    stats = values_of(job.stats)
    count = stats.get("rows_rejected", 0)
    blob = stats.get("rejected_blob", "")
    return Rejected(
        count if isinstance(count, int) else 0,
        blob if isinstance(blob, str) and blob.startswith(BLOB) else "",
    )


def count_of(job: types_pb2.Job, name: str) -> int:
    """A number of a job's stats; 0 when it is not there."""
    value = values_of(job.stats).get(name, 0)
    return value if isinstance(value, int) else 0


def outcomes_of(jobs: Iterable[types_pb2.Job]) -> Mapping[str, int]:
    """Entries by outcome (computed, no_factor ...) over the recalculations among the jobs."""
    counts: dict[str, int] = {}
    for job in jobs:
        outcomes: Any = values_of(job.stats).get("outcomes", {})
        if isinstance(outcomes, dict):
            for outcome, count in outcomes.items():
                counts[outcome] = counts.get(outcome, 0) + int(count)
    return counts
