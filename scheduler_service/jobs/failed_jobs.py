"""Which kinds of failed jobs a retry runs again, and which follow from those anyway."""

from collections.abc import Collection, Iterator

from scheduler_service.jobs.job_types import follow_ups
from scheduler_service.jobs.scope import Scope


def kinds_to_retry(kinds: Collection[tuple[str, Scope]]) -> frozenset[tuple[str, Scope]]:
    """Of these job types and scopes those that do not follow from another one of them."""
    years = tuple(sorted({scope.year for _, scope in kinds if scope.year is not None}))
    following = {found for kind in kinds for found in _all_that_follows(kind, years)}
    return frozenset(kinds) - following


def _all_that_follows(
    job: tuple[str, Scope], years: tuple[int, ...]
) -> Iterator[tuple[str, Scope]]:
    # The graph of follow-ups has no cycle.
    for job_type, scope in follow_ups(*job, years):
        yield job_type, scope
        yield from _all_that_follows((job_type, scope), years)
