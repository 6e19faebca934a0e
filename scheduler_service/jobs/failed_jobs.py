"""Which of a pipeline's failed jobs a retry runs again, and which follow from those anyway."""

from collections.abc import Iterator, Sequence

from scheduler_service.jobs.job_types import JOB_TYPES, divided_into, follow_ups
from scheduler_service.jobs.scope import Scope


def places_to_retry(jobs: Sequence[tuple[str, Scope]]) -> list[int]:
    """The places of the jobs, in order, without those that follow from another one of them."""
    years = tuple(sorted({scope.year for _, scope in jobs if scope.year is not None}))
    following = {found for job in jobs for found in _all_that_follows(job, years)}
    return [place for place, job in enumerate(jobs) if job not in following]


def is_upload(job_type: str) -> bool:
    """Whether its newest success counts: an older file must not come back and replace it, nor one
    that is divided first.
    """
    row = JOB_TYPES[job_type]
    return bool(divided_into(job_type)) or (row.has_slot and row.dedup is None)


def _all_that_follows(
    job: tuple[str, Scope], years: tuple[int, ...]
) -> Iterator[tuple[str, Scope]]:
    # The graph of follow-ups has no cycle.
    for job_type, scope in follow_ups(*job, years):
        yield job_type, scope
        yield from _all_that_follows((job_type, scope), years)
