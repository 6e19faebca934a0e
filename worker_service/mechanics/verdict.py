"""Decides what to tell the scheduler at the end of a run: a pure function of values."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater, Succeeded, Written
from worker_service.mechanics.scheduler import Finish, FinishResult, Release, ReleaseReason


@dataclass(frozen=True, slots=True)
class Stopped:
    """The handler was stopped, or stopped itself, before its work was done."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class Crashed:
    """The handler raised an unexpected exception.

    `transient` if exceptions of its type pass by themselves, such as a lost connection.
    """

    error: BaseException
    transient: bool


@dataclass(frozen=True, slots=True)
class Unready:
    """What the job needs could not be used, or the scheduler did not answer for a lease."""

    reason: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Another claim decides about the job: send nothing."""


Result: TypeAlias = Outcome | Stopped | Crashed | Unready
Verdict: TypeAlias = Finish | Release | Forget


def verdict(job: ClaimedJob, result: Result, written: Written) -> Verdict:
    """What to send: Finish, Release, or nothing.

    `written` is what the run announced by `data_commit_starts`. Where a failure says otherwise, the
    worse of the two counts.
    """
    claim = (job.job_id, job.claim_token)
    match result:
        case Succeeded():
            kind = FinishResult.WARNING if result.warnings else FinishResult.SUCCESS
            # A commit may have changed nothing, and only the step knows.
            return Finish(*claim, kind, result.message, "", result.stats, result.written)
        case Failed():
            worse = result.written.or_worse(written)
            error = FinishResult.ERROR
            return Finish(*claim, error, result.message, result.cause, result.stats, worse)
        case RetryLater():
            worse = result.written.or_worse(written)
            return _retry_later(job, worse, result.reason, result.delay_seconds)
        case Crashed() if result.transient:
            return _retry_later(job, written, sentence_of(result.error), None)
        case Crashed():
            message = sentence_of(result.error)
            return Finish(*claim, FinishResult.ERROR, message, "unexpected_exception", {}, written)
        case Stopped():
            return _released(job, result.reason, written)
        case Unready():
            return Release(*claim, ReleaseReason.NOT_READY, written, result.reason)
        case _:
            assert_never(result)


def _released(job: ClaimedJob, reason: StopReason, written: Written) -> Verdict:
    match reason:
        case StopReason.LOST:
            return Forget()
        case StopReason.CANCELLED | StopReason.STALE:
            # After a cancel, the job's key waits for this. For a lost claim it changes nothing.
            return Release(job.job_id, job.claim_token, ReleaseReason.CANCELLED, written)
        case StopReason.DRAINED:
            return Release(job.job_id, job.claim_token, ReleaseReason.DRAIN, written)
        case StopReason.LEASE_OVER:
            return _retry_later(job, written, "The lease was not renewed in time.", None)
        case _:
            assert_never(reason)


def _retry_later(
    job: ClaimedJob, written: Written, message: str, delay_seconds: float | None
) -> Release:
    return Release(
        job.job_id,
        job.claim_token,
        ReleaseReason.RETRY_LATER,
        written,
        message,
        delay_seconds,
    )


def sentence_of(error: BaseException) -> str:
    """An exception as text for people: its type and its message."""
    message = str(error).strip()
    kind = type(error).__name__
    return f"{kind}: {message}" if message else kind
