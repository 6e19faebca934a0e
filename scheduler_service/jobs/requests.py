"""The requests that RPCs make to the store, already checked, and its answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import UUID

from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult

Json: TypeAlias = Mapping[str, Any]


class Disposition(StrEnum):
    """What became of a request for a job; the names of the proto enum without its prefix."""

    CREATED = "CREATED"
    JOINED = "JOINED"
    QUEUED_BEHIND = "QUEUED_BEHIND"
    REPLAYED = "REPLAYED"
    HELD = "HELD"
    SKIPPED_LOCKED = "SKIPPED_LOCKED"


class Written(StrEnum):
    """Whether a claim may have committed data, however it ends.

    NOTHING: surely not. UNKNOWN: it may have; what it could have changed is computed again.
    """

    NOTHING = "NOTHING"
    UNKNOWN = "UNKNOWN"


class ReleaseReason(StrEnum):
    """Why a claim is released.

    DRAIN: the worker shuts down; free of charge up to a bound. RETRY_LATER: a fault that may pass;
    costs an attempt. CANCELLED: the answer to a CANCEL. NOT_READY: the worker cannot run jobs for
    now; costs no attempt.
    """

    DRAIN = "DRAIN"
    RETRY_LATER = "RETRY_LATER"
    CANCELLED = "CANCELLED"
    NOT_READY = "NOT_READY"


class ClaimDirective(StrEnum):
    """What a claim's worker does next, as the answer to its beat.

    CONTINUE: run on. CANCEL: stop the handler, roll back, and release the claim. LOST: stop the
    handler, roll back, and forget the claim.
    """

    CONTINUE = "CONTINUE"
    CANCEL = "CANCEL"
    LOST = "LOST"


class FinishOutcome(StrEnum):
    """What a Finish came to.

    APPLIED: the job has ended now. ALREADY_APPLIED: an earlier call of this claim ended it with the
    same result. STALE: the claim does not hold the job. CONFLICT: an earlier call of this claim
    ended it with another result, which stands.
    """

    APPLIED = "APPLIED"
    ALREADY_APPLIED = "ALREADY_APPLIED"
    STALE = "STALE"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that the state of things refuses.

    `reason` is the ErrorInfo reason, whose code is in carbonline.serving.errors.CODES; `message` is
    a sentence for the caller.
    """

    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerDrain:
    """A worker was told to drain: when, by whom and why."""

    worker_id: UUID
    asked_at: datetime
    asked_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One Submit. `body_digest` tells a repeat of a request_id from another body.

    `priority` is 0 (first) to 9. With `validate_only` nothing is written.
    """

    request_id: UUID
    body_digest: bytes
    job_type: str
    scope: Scope
    payload: Json | None
    priority: int
    submitted_by: str
    validate_only: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """The pipeline and the root job of a Submit; both are 0 if it was only validated.

    `first_disposition` is that of the first answer; None if a repeat finds that it was not kept.
    """

    pipeline_id: int
    job_id: int
    disposition: Disposition
    first_disposition: Disposition | None


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """One Claim: up to `max_jobs` jobs of these types and tenants."""

    worker_id: UUID
    request_id: UUID
    job_types: tuple[str, ...]
    max_jobs: int
    principal: str
    tenants: tuple[str, ...]
    build_id: str
    host: str


@dataclass(frozen=True, slots=True)
class ProgressReport:
    """How far a running job has come: `done` of `total` units of work, 0 if that is unknown."""

    done: int
    total: int
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of one claim."""

    job_id: int
    claim_token: int
    progress: ProgressReport | None


@dataclass(frozen=True, slots=True)
class BeatAnswer:
    """What the claim is to do, and the seconds left of its lease (0 for LOST)."""

    job_id: int
    claim_token: int
    directive: ClaimDirective
    lease_seconds_left: float


@dataclass(frozen=True, slots=True)
class Child:
    """One child to be, its scope complete already."""

    child_key: str
    job_type: str
    scope: Scope
    payload: Json | None


@dataclass(frozen=True, slots=True)
class ChildRequest:
    """One child as the wire gives it: module and year None mean the parent's."""

    child_key: str
    job_type: str
    data_entry_type: int | None
    module: int | None
    year: int | None
    payload: Json | None


@dataclass(frozen=True, slots=True)
class ChildDisposition:
    """What became, or would become, of a child; job_id 0 where there is none."""

    child_key: str
    disposition: Disposition
    job_id: int


@dataclass(frozen=True, slots=True)
class Chained:
    """What is staged under the claim now."""

    staged_children: int
    provisional: tuple[ChildDisposition, ...]


class FinishRequest(NamedTuple):
    """One Finish: SUCCESS, WARNING or ERROR by a claim of a caller of these tenants."""

    job_id: int
    claim_token: int
    worker_id: UUID
    principal: str
    result: JobResult
    message: str
    error_cause: str
    stats: Json | None
    written: Written
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FinishAnswer:
    """What a Finish came to."""

    outcome: FinishOutcome
    children: tuple[ChildDisposition, ...] = ()

    @property
    def finished(self) -> bool:
        """True when this claim's Finish stands."""
        return self.outcome in (FinishOutcome.APPLIED, FinishOutcome.ALREADY_APPLIED)


@dataclass(frozen=True, slots=True)
class Release:
    """One claim that a caller of these tenants releases."""

    job_id: int
    claim_token: int
    worker_id: UUID
    principal: str
    reason: ReleaseReason
    written: Written
    message: str
    delay_seconds: float | None
    tenants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What CancelPipeline did."""

    cancelled_job_ids: tuple[int, ...]
    unlinked_job_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PipelineRetry:
    """One RetryPipeline; `body_digest` tells a repeat of a request_id from another body."""

    tenant: str
    pipeline_id: int
    request_id: UUID
    body_digest: bytes
    principal: str
    validate_only: bool


class RetriedJob(NamedTuple):
    """A job that failed, and the one that does its work now; `job_id` 0 if only validated."""

    failed_job_id: int
    job_id: int
    job_type: str
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class Retried:
    """The pipeline of a retry; 0 if only validated. A replay of very many names no jobs."""

    pipeline_id: int
    jobs: tuple[RetriedJob, ...]
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Recovery:
    """One RecoverJob. `claim_token` 0 means whichever claim holds the job."""

    tenants: tuple[str, ...]
    job_id: int
    claim_token: int
    force: bool
    reason: str
    principal: str


@dataclass(frozen=True, slots=True)
class Recovered:
    """Which claim lost the job, and how long it may still drain; 0 if it was over."""

    pipeline_id: int
    claim_token: int
    drain_seconds: float


class PeriodLock(NamedTuple):
    """The lock of a year: since when, by whom and why."""

    tenant: str
    year: int
    locked_at: datetime
    locked_by: str
    reason: str


class Pause(NamedTuple):
    """A job type that is not claimed in a tenant; the last two are None while that lasts."""

    tenant: str
    job_type: str
    paused_at: datetime
    paused_by: str
    reason: str
    resumed_at: datetime | None
    resumed_by: str | None


def not_there(what: Literal["pipeline", "job"], number: int) -> Refused:
    """The refusal of a pipeline or job that there is not."""
    return Refused(_NOT_FOUND[what], f"there is no {what} {number}")


class OfTenant(Protocol):
    """Something that belongs to one tenant."""

    @property
    def tenant(self) -> str:
        """The tenant."""
        ...


Owned = TypeVar("Owned", bound=OfTenant)


def ones_own(
    what: Literal["pipeline", "job"], number: int, found: Owned | None, tenants: Collection[str]
) -> Owned | Refused:
    """What was found of a pipeline or job, or why a caller of these tenants does not get it.

    `found` is None if there is none of this number. Numbers are a plain sequence, so OTHER_TENANT
    tells nothing that the next number would not.
    """
    if found is None:
        return not_there(what, number)
    if found.tenant not in tenants:
        return Refused("OTHER_TENANT", f"{what} {number} belongs to another tenant")
    return found


_NOT_FOUND = {"pipeline": "PIPELINE_NOT_FOUND", "job": "JOB_NOT_FOUND"}
