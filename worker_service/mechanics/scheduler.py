"""What a worker asks of the scheduler, as values. The scheduler client puts them on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Stats, Written


class SchedulerUnreachable(Exception):
    """The scheduler did not answer, or cannot answer now. Repeat the same call later."""


class SchedulerRefused(Exception):
    """The scheduler refused the call. Repeating it does not help: the call must change.

    `code` is the gRPC status code, `reason` the contract's error reason ("" if there is none),
    `message` a sentence for people.
    """

    def __init__(self, code: str, reason: str, message: str) -> None:
        super().__init__(f"{code} {reason}: {message}")
        self.code = code
        self.reason = reason
        self.message = message


class FinishResult(StrEnum):
    """How a worker says that a job ended."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    ERROR = "ERROR"


class FinishAnswer(StrEnum):
    """What the scheduler did with a Finish.

    APPLIED: the job has ended now. ALREADY_APPLIED: an earlier try of the same Finish ended it.
    STALE: another claim holds the job, or it was cancelled; nothing changed. CONFLICT: this claim
    ended the job before with another result, which stands. REFUSED: a field of this Finish is
    invalid; the job is still claimed.
    """

    APPLIED = "APPLIED"
    ALREADY_APPLIED = "ALREADY_APPLIED"
    STALE = "STALE"
    CONFLICT = "CONFLICT"
    REFUSED = "REFUSED"


class ReleaseReason(StrEnum):
    """Why a worker releases a claim without finishing the job.

    DRAIN: the worker ends; the job is queued again at once and costs no attempt. RETRY_LATER: a
    fault that passes; the job costs an attempt and waits for its backoff. CANCELLED: the worker has
    stopped a job whose pipeline was cancelled; this frees the job's key. NOT_READY: what the job
    needs cannot be used; it costs no attempt.
    """

    DRAIN = "DRAIN"
    RETRY_LATER = "RETRY_LATER"
    CANCELLED = "CANCELLED"
    NOT_READY = "NOT_READY"


class Directive(StrEnum):
    """What the scheduler tells a claim to do: go on, stop and release, or stop and forget."""

    CONTINUE = "CONTINUE"
    CANCEL = "CANCEL"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """One Claim call.

    A repeated call carries the same `request_id` and gets the same jobs. The scheduler waits up to
    `wait_seconds` for the first job.
    """

    request_id: str
    job_types: tuple[str, ...]
    max_jobs: int
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class ClaimReply:
    """Up to `max_jobs` jobs; none if none came within the wait. `drain` asks the whole process to
    drain.
    """

    jobs: Sequence[ClaimedJob]
    drain: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` of `total` rows or steps. A total of 0 means unknown."""

    done: int
    total: int
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class Beat:
    """One claim's part of a heartbeat. `progress` is None if it has not changed."""

    job_id: int
    claim_token: int
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """What one claim is to do, and how many seconds of its lease are left."""

    job_id: int
    claim_token: int
    directive: Directive
    lease_seconds_left: float


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """One answer per beat, in order. `drain` asks the whole process to drain."""

    answers: tuple[BeatAnswer, ...]
    drain: bool


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """A job to queue when this one ends well.

    `child_key` names it within its parent: a second request with the same key replaces the first.
    `module` and `year` are the parent's where they are None.
    """

    child_key: str
    job_type: str
    data_entry_type: int | None = None
    module: int | None = None
    year: int | None = None
    payload: Mapping[str, Any] | None = None


class Finish(NamedTuple):
    """The end of a run, as the scheduler is told of it.

    `error_cause` is a short stable identifier, "" without an error. `written` says whether a run
    that ended in ERROR may have committed data. A tuple, because a worker finishes thousands of
    jobs a second.
    """

    job_id: int
    claim_token: int
    result: FinishResult
    message: str
    error_cause: str
    stats: Stats
    written: Written


@dataclass(frozen=True, slots=True)
class Release:
    """A claim that is released unfinished.

    `message` counts with RETRY_LATER and NOT_READY, `delay_seconds` with RETRY_LATER only. Without
    a delay the job waits for the backoff of its job type.
    """

    job_id: int
    claim_token: int
    reason: ReleaseReason
    written: Written
    message: str = ""
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NotReady:
    """Why a worker claims no jobs for now, and of which types it would."""

    reason: str
    job_types: tuple[str, ...]


class Scheduler(Protocol):
    """Every call has a deadline and raises SchedulerUnreachable or SchedulerRefused."""

    async def claim(self, request: ClaimRequest) -> ClaimReply:
        """Claims up to `max_jobs` jobs, and waits for the first of them."""
        ...

    async def heartbeat(
        self,
        beats: Sequence[Beat],
        draining: bool,
        timeout_seconds: float,
        not_ready: NotReady | None = None,
    ) -> HeartbeatReply:
        """Renews the leases of at most BEATS_MAX claims.

        `draining` without beats tells the scheduler that the process has ended. `not_ready` says
        why the worker claims no jobs for now.
        """
        ...

    async def chain(self, job_id: int, claim_token: int, children: Sequence[ChildRequest]) -> int:
        """Stages children under the claim. Returns how many are staged in all."""
        ...

    async def finish(self, finishes: Sequence[Finish]) -> Sequence[FinishAnswer | None]:
        """Ends at most FINISHES_MAX jobs, fewer with stats.

        One answer for each, in order; None if the scheduler could not decide that one now.
        """
        ...

    async def release(self, releases: Sequence[Release]) -> Sequence[bool]:
        """Releases at most BEATS_MAX claims.

        One answer for each, in order: true if the claim held the job until now.
        """
        ...


BEATS_MAX = 1000
FINISHES_MAX = 500
# Stats may take 64 KiB each, and a message of the wire 16 MiB: then 200 fit.
FINISHES_WITH_STATS_MAX = 200
