"""Which of a pipeline's failed jobs a retry runs again, and which follow from those anyway."""

from collections.abc import Iterator, Sequence

from scheduler_service.jobs.job_types import follow_ups
from scheduler_service.jobs.scope import Scope


def places_to_retry(jobs: Sequence[tuple[str, Scope]]) -> list[int]:
    """The places of the jobs, in order, without those that follow from another one of them."""
    years = tuple(sorted({scope.year for _, scope in jobs if scope.year is not None}))
    following = {found for job in jobs for found in _all_that_follows(job, years)}
    return [place for place, job in enumerate(jobs) if job not in following]


def _all_that_follows(
    job: tuple[str, Scope], years: tuple[int, ...]
) -> Iterator[tuple[str, Scope]]:
    # The graph of follow-ups has no cycle.
    for job_type, scope in follow_ups(*job, years):
        yield job_type, scope
        yield from _all_that_follows((job_type, scope), years)
