"""What the command reads out of a job's stats."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2

BLOB = "blob:sha256:"
# Outcomes of entries that have kilograms.
BOOKED = frozenset({"computed", "overridden"})


@dataclass(frozen=True, slots=True)
class NotedRows:
    """How many rows of a file there is something to say about, and the blob of it ("" for none)."""

    count: int
    blob: str


def rejected_of(job: types_pb2.Job) -> NotedRows:
    """The rows that a job refused; none for a job that reads no file."""
    return _noted(job, "rejected")


def warned_of(job: types_pb2.Job) -> NotedRows:
    """The rows that somebody should look at, though they count; none for such a job."""
    return _noted(job, "warned")


def _noted(job: types_pb2.Job, noun: str) -> NotedRows:
    stats = values_of(job.stats)
    count = stats.get(f"rows_{noun}", 0)
    blob = stats.get(f"{noun}_blob", "")
    return NotedRows(
        count if isinstance(count, int) else 0,
        blob if isinstance(blob, str) and blob.startswith(BLOB) else "",
    )


def count_of(job: types_pb2.Job, name: str) -> int:
    """A number of a job's stats; 0 when it is not there."""
    value = values_of(job.stats).get(name, 0)
    return value if isinstance(value, int) else 0


def defaults_of(job: types_pb2.Job) -> Mapping[str, str]:
    """Values by column that a file's rows have got because no column of it has that name."""
    found = values_of(job.stats).get("defaults_used", {})
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def outcomes_of(jobs: Iterable[types_pb2.Job]) -> Mapping[str, int]:
    """Entries by outcome (computed, no_factor ...) over the recalculations among the jobs."""
    counts: dict[str, int] = {}
    for job in jobs:
        outcomes: Any = values_of(job.stats).get("outcomes", {})
        if isinstance(outcomes, dict):
            for outcome, count in outcomes.items():
                counts[outcome] = counts.get(outcome, 0) + int(count)
    return counts


def without_kilograms(job: types_pb2.Job) -> int:
    """How many entries a recalculation left without kilograms; 0 for any other job."""
    return sum(count for outcome, count in outcomes_of([job]).items() if outcome not in BOOKED)
