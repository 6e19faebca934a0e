"""Turns what the store refuses or cannot do into the error that its caller gets."""

from typing import Literal

import grpc

from carbonline.serving.errors import RpcError, Violation
from carbonline.serving.read_turns import too_many_reads
from scheduler_service.jobs.requests import Refused, not_there
from scheduler_service.jobs.stored_types import JobTypeUnknown
from scheduler_service.store.reads.readers import ReadTookTooLong, TooManyReads


def not_found(what: Literal["pipeline", "job"], number: int, retention_days: float) -> RpcError:
    """The error for a pipeline or a job that is not there, or no longer."""
    return refusal_with_days(not_there(what, number), retention_days)


def refusal_with_days(refused: Refused, retention_days: float) -> RpcError:
    """As `refusal`, for what names a pipeline or a job: NOT_FOUND says when they are deleted."""
    error = refusal(refused)
    if error.code is grpc.StatusCode.NOT_FOUND:
        days = "1 day" if retention_days == 1 else f"{retention_days:g} days"
        error.message += f"; a pipeline is deleted, with its jobs, {days} after its end"
    return error


def refusal(refused: Refused) -> RpcError:
    """The error for a refusal. FIELD_INVALID also names the field."""
    violations: tuple[Violation, ...] = ()
    if refused.reason == "FIELD_INVALID":
        violations = (Violation(refused.metadata.get("field", ""), refused.message),)
    return RpcError(refused.reason, refused.message, refused.metadata, violations)


def failure(error: Exception) -> RpcError | None:
    """The error for a job of an unknown type, and for a read that took too long or did not begin;
    None for any other exception.
    """
    match error:
        case JobTypeUnknown():
            return RpcError(
                "JOB_TYPE_UNKNOWN",
                f"{error}: repeat the call, which a scheduler that knows it answers; or give all"
                " schedulers the same release and CARBONLINE_JOB_TYPES_FILE",
                {"job_type": error.name},
            )
        case ReadTookTooLong():
            return RpcError(
                "READ_TOO_LONG",
                "this read took too long and was ended: ask for fewer rows with page_size, for one "
                "year or module, or again later",
            )
        case TooManyReads():
            return too_many_reads()
        case _:
            return None
