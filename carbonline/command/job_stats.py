"""Reads the stats of a job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from carbonline.client.check_report import BOOKED
from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2

# A job that has nothing written, by the one whose outcome it tells.
CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "csv_ingest": "csv_check",
        "routed_ingest": "routed_check",
        "factor_ingest": "factor_check",
        "routed_factor_ingest": "routed_factor_check",
        "reference_ingest": "reference_check",
        "unit_sync": "unit_check",
    }
)
CHECK_JOBS = frozenset(CHECKS.values())
BLOB = "blob:sha256:"


@dataclass(frozen=True, slots=True)
class NotedRows:
    """Number of rejected or doubtful rows of a file, and the blob that has them ("" for none).

    The blob has the first `listed` of them.
    """

    count: int
    blob: str
    listed: int


def rejected_of(job: types_pb2.Job) -> NotedRows:
    """The rows that a job rejected. Zero rows for a job that reads no file."""
    return _noted(job, "rejected")


def warned_of(job: types_pb2.Job) -> NotedRows:
    """The accepted rows that look doubtful. Zero rows for a job that reads no file."""
    return _noted(job, "warned")


def shared_of(job: types_pb2.Job) -> NotedRows:
    """The accepted rows that another upload has, too."""
    return _noted(job, "counted_twice")


def _noted(job: types_pb2.Job, noun: str) -> NotedRows:
    stats = values_of(job.stats)
    blob = stats.get(f"{noun}_blob", "")
    count = count_of(job, f"rows_{noun}")
    return NotedRows(
        count,
        blob if isinstance(blob, str) and blob.startswith(BLOB) else "",
        count_of(job, listed) if (listed := f"rows_{noun}_listed") in stats else count,
    )


def count_of(job: types_pb2.Job, name: str) -> int:
    """A number in the stats of a job; 0 if it is missing."""
    value = values_of(job.stats).get(name, 0)
    return value if isinstance(value, int) else 0


def defaults_of(job: types_pb2.Job) -> Mapping[str, str]:
    """Default values by column, for columns that the file does not have."""
    found = values_of(job.stats).get("defaults_used", {})
    if not isinstance(found, dict):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def outcomes_of(jobs: Iterable[types_pb2.Job]) -> Mapping[str, int]:
    """Number of entries by outcome (computed, no_factor ...), summed over the recalculations."""
    counts: dict[str, int] = {}
    for job in jobs:
        outcomes: Any = values_of(job.stats).get("outcomes", {})
        if isinstance(outcomes, dict):
            for outcome, count in outcomes.items():
                counts[outcome] = counts.get(outcome, 0) + int(count)
    return counts


def without_kilograms(job: types_pb2.Job) -> int:
    """How many entries a recalculation left without kilograms; 0 for other jobs."""
    return sum(count for outcome, count in outcomes_of([job]).items() if outcome not in BOOKED)
