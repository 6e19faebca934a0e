"""What the mechanics ask of a scheduler, as values; the wire is the scheduler client's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Stats, Written


class SchedulerUnreachable(Exception):
    """No answer, or "not now": the same call may be repeated."""


class SchedulerRefused(Exception):
    """The call as it stands is wrong or forbidden; repeating it would not help."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message


class FinishResult(StrEnum):
    """How a job ends by a worker's word."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"


class FinishAnswer(StrEnum):
    """What a Finish came to. REFUSED: the message itself was not taken."""

    APPLIED = "APPLIED"
    ALREADY_APPLIED = "ALREADY_APPLIED"
    STALE = "STALE"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"


class GiveBackReason(StrEnum):
    """Why a claim is given back."""

    DRAIN = "DRAIN"
    RETRY_LATER = "RETRY_LATER"
    CANCELLED = "CANCELLED"


class Directive(StrEnum):
    """What a claim is to do."""

    CONTINUE = "CONTINUE"
    CANCEL = "CANCEL"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class ClaimWish:
    """One Claim; every repeat of it carries the same request_id."""

    request_id: str
    job_types: tuple[str, ...]
    max_jobs: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; total 0 when unknown."""

    done: int
    total: int
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of one claim; progress None is no news."""

    job_id: int
    claim_token: int
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """What the claim is to do, and what is left of its lease."""

    job_id: int
    claim_token: int
    directive: Directive
    lease_seconds_left: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """Answers to a heartbeat, in order, and whether the process is asked to drain."""

    answers: tuple[BeatAnswer, ...]
    drain: bool


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A job to follow this one; module and year None are the parent's."""

    child_key: str
    job_type: str
    data_entry_type: int | None = None
    module: int | None = None
    year: int | None = None
    payload: Mapping[str, Any] | None = None


class Finish(NamedTuple):
    """The end of a run. A tuple, since thousands end in a second."""

    job_id: int
    claim_token: int
    result: FinishResult
    message: str
    error_cause: str
    stats: Stats
    written: Written


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A claim given back unfinished; delay None is the job type's own backoff."""

    job_id: int
    claim_token: int
    reason: GiveBackReason
    written: Written
    message: str = ""
    delay_seconds: float | None = None


class Scheduler(Protocol):
    """Every call has a deadline and raises SchedulerUnreachable or SchedulerRefused."""

    async def claim(self, wish: ClaimWish) -> Sequence[ClaimedJob]:
        """Up to max_jobs; empty when nothing came within the wait."""
        ...

    async def heartbeat(
        self, beats: Sequence[Beat], draining: bool, timeout_seconds: float
    ) -> Pulse:
        """Renews the leases; at most BEATS_MAX."""
        ...

    async def chain(self, job_id: int, claim_token: int, children: Sequence[ChildRequest]) -> int:
        """Stages children under the claim; how many are staged in all."""
        ...

    async def finish(self, endings: Sequence[Finish]) -> Sequence[FinishAnswer]:
        """One answer for each, in order; at most FINISHES_MAX, or fewer with stats."""
        ...

    async def give_back(self, releases: Sequence[GiveBack]) -> Sequence[bool]:
        """One for each: true when this claim held the job until now; at most BEATS_MAX."""
        ...


BEATS_MAX = 1000
FINISHES_MAX = 500
# Stats may take 64 KiB each, and a message of the wire 16 MiB: then 200 fit.
FINISHES_WITH_STATS_MAX = 200
