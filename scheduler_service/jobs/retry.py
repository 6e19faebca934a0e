"""When a job that was released or has expired runs again, and when it has had its chances."""

from dataclasses import dataclass

BACKOFF_FIRST_SECONDS = 1.0
BACKOFF_MAX_SECONDS = 300.0
DELAY_SECONDS_MAX = 3600.0
EXPIRY_SECONDS = 1.0
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


def expiry_pause_seconds(spread: float, late_seconds: float) -> float:
    """An expired job waits a moment, since its lease was a wait already. `spread`, from 0 to 1,
    tells those apart that expired with one worker, so that they do not come back together.

    The moment begins when the lease is over. Of ten thousand that expire at once the last are taken
    back `late_seconds` after that: they have waited, and are apart.
    """
    return max(0.0, EXPIRY_SECONDS * (0.5 + spread) - late_seconds)


def after_expiry(attempts: int, attempts_max: int, pause_seconds: float) -> Again | Spent:
    """A job that ran alone in its worker has one attempt less, and waits for the pause."""
    return Spent() if attempts >= attempts_max else Again(pause_seconds)


def after_drain(attempts: int, attempts_max: int) -> Again | Spent:
    """A drain that costs an attempt releases the job at once."""
    return Spent() if attempts >= attempts_max else Again(0.0)


def after_fault(attempts: int, attempts_max: int, delay_seconds: float | None) -> Again | Spent:
    """A retryable fault waits: as long as the worker asked, up to an hour, or 1, 2, 4 ... 300 s."""
    if attempts >= attempts_max:
        return Spent()
    if delay_seconds is not None:
        return Again(min(delay_seconds, DELAY_SECONDS_MAX))
    doubled: float = BACKOFF_FIRST_SECONDS * 2.0 ** min(attempts - 1, 10)
    return Again(min(doubled, BACKOFF_MAX_SECONDS))


def after_not_ready() -> Again:
    """What the worker needs cannot be used: no fault of the job, however often it happens."""
    return Again(NOT_READY_SECONDS)


def drain_costs_an_attempt(releases: int) -> bool:
    """A drain is free, up to a bound: a job that only ever gets drained must end some day."""
    return releases >= RELEASES_MAX
