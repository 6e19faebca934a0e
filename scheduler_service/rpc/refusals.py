"""Turns what the store refuses into the error that its caller gets."""

from carbonline.serving.errors import RpcError, Violation
from scheduler_service.jobs.requests import Refused


def refusal(refused: Refused) -> RpcError:
    """The error for a refusal. FIELD_INVALID also names the field."""
    violations: tuple[Violation, ...] = ()
    if refused.reason == "FIELD_INVALID":
        violations = (Violation(refused.metadata.get("field", ""), refused.message),)
    return RpcError(refused.reason, refused.message, refused.metadata, violations)
