"""When a job that was released or has expired runs again, and when it has had its chances."""

from dataclasses import dataclass

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 300.0
RELEASES_MAX = 20
# What a worker needs is seldom usable again within less, and other workers take the job meanwhile.
NOT_READY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Again:
    """Waits `delay_seconds`, still first of its key."""

    delay_seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Ends with ERROR: its attempts are used up."""


def after_expiry(attempts: int, attempts_max: int) -> Again | Spent:
    """An expiry releases the job at once: the fault was the worker's, the lease was the wait."""
    return Spent() if attempts >= attempts_max else Again(0.0)


def after_fault(attempts: int, attempts_max: int, delay_seconds: float | None) -> Again | Spent:
    """A retryable fault waits: as long as the worker asked, or 1, 2, 4 ... 300 seconds."""
    if attempts >= attempts_max:
        return Spent()
    if delay_seconds is not None:
        return Again(min(delay_seconds, BACKOFF_MAX_SECONDS))
    doubled: float = BACKOFF_FIRST_SECONDS * 2.0 ** min(attempts - 1, 10)
    return Again(min(doubled, BACKOFF_MAX_SECONDS))


def after_not_ready() -> Again:
    """What the worker needs cannot be used: no fault of the job, however often it happens."""
    return Again(NOT_READY_SECONDS)


def drain_costs_an_attempt(releases: int) -> bool:
    """A drain is free, up to a bound: a job that only ever gets drained must end some day."""
    return releases >= RELEASES_MAX
