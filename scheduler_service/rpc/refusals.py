"""What the store refuses, as the error that its caller gets."""

from carbonline.serving.errors import RpcError, Violation
from scheduler_service.jobs.requests import Refused


def refusal(refused: Refused) -> RpcError:
    """What the store refused, as an error of the door."""
    violations: tuple[Violation, ...] = ()
    if refused.reason == "FIELD_INVALID":
        violations = (Violation(refused.metadata.get("field", ""), refused.message),)
    return RpcError(refused.reason, refused.message, refused.metadata, violations)
