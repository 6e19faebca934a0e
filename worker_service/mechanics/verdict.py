"""What the scheduler is told at the end of a run: decided here, in one place, from values."""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater, Succeeded, Written
from worker_service.mechanics.scheduler import Finish, FinishResult, GiveBack, GiveBackReason


@dataclass(frozen=True, slots=True)
class Stopped:
    """The handler was stopped, or stopped itself, before it was done."""

    reason: StopReason


@dataclass(frozen=True, slots=True)
class Crashed:
    """The handler raised what nobody expected; `transient` when the kind passes by itself."""

    error: BaseException
    transient: bool


@dataclass(frozen=True, slots=True)
class Forget:
    """Another claim decides: say nothing."""


Result: TypeAlias = Outcome | Stopped | Crashed
Verdict: TypeAlias = Finish | GiveBack | Forget


def verdict(job: ClaimedJob, result: Result, written: Written) -> Verdict:
    """What to tell. `written` is what the run itself announced; the worse of both sides counts."""
    claim = (job.job_id, job.claim_token)
    match result:
        case Succeeded():
            kind = FinishResult.WARNING if result.warnings else FinishResult.SUCCESS
            return Finish(*claim, kind, result.message, "", result.stats, Written.UNKNOWN)
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
            said = sentence_of(result.error)
            return Finish(*claim, FinishResult.ERROR, said, "unexpected_exception", {}, written)
        case Stopped():
            return _given_back(job, result.reason, written)
        case _:
            assert_never(result)


def _given_back(job: ClaimedJob, reason: StopReason, written: Written) -> Verdict:
    match reason:
        case StopReason.LOST:
            return Forget()
        case StopReason.CANCELLED | StopReason.STALE:
            # If it was a cancel, the key waits for this; of a lost claim it changes nothing.
            return GiveBack(job.job_id, job.claim_token, GiveBackReason.CANCELLED, written)
        case StopReason.DRAINED:
            return GiveBack(job.job_id, job.claim_token, GiveBackReason.DRAIN, written)
        case StopReason.LEASE_OVER:
            return _retry_later(job, written, "The lease ran down without an answer.", None)
        case _:
            assert_never(reason)


def _retry_later(
    job: ClaimedJob, written: Written, message: str, delay_seconds: float | None
) -> GiveBack:
    return GiveBack(
        job.job_id,
        job.claim_token,
        GiveBackReason.RETRY_LATER,
        written,
        message,
        delay_seconds,
    )


def sentence_of(error: BaseException) -> str:
    """An exception for people: its kind and what it says."""
    said = str(error).strip()
    kind = type(error).__name__
    return f"{kind}: {said}" if said else kind
