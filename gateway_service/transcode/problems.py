"""What goes wrong, as RFC 9457 says it: a status, a reason, a sentence, and every violation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from carbonline.client.errors import ServerError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong, and what it must be."""

    field: str
    description: str


@dataclass(slots=True)
class Problem(Exception):
    """An answer that is an error.

    `reason` is one of the contract's, or of the gateway's own. `retry_seconds` 0 says nothing of
    when to try again. `headers` go with the answer.
    """

    status: int
    reason: str
    detail: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    retry_seconds: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> Mapping[str, Any]:
        """The members of the JSON object."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "reason": self.reason,
            "detail": self.detail,
            "violations": [
                {"field": one.field, "description": one.description} for one in self.violations
            ],
            "metadata": dict(self.metadata),
        }

    def all_headers(self) -> Mapping[str, str]:
        """The headers of the answer, but its media type."""
        if not self.retry_seconds:
            return self.headers
        # In whole seconds, and never none.
        return {**self.headers, "retry-after": str(max(1, round(self.retry_seconds)))}


class FieldsWrong(Problem):
    """Fields of a request that cannot be read: all of them."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        summary = "; ".join(f"{one.field}: {one.description}" for one in violations)
        super().__init__(400, "FIELD_INVALID", summary, violations=tuple(violations))


# What the contract's codes are in HTTP. Others are faults of a server.
STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "INVALID_ARGUMENT": 400,
        "OUT_OF_RANGE": 400,
        "UNAUTHENTICATED": 401,
        "PERMISSION_DENIED": 403,
        "NOT_FOUND": 404,
        "FAILED_PRECONDITION": 409,
        "ABORTED": 409,
        "ALREADY_EXISTS": 409,
        "RESOURCE_EXHAUSTED": 429,
        "UNAVAILABLE": 503,
        "CANCELLED": 503,
        "DEADLINE_EXCEEDED": 504,
    }
)
BAD_GATEWAY = 502
RETRY_SECONDS = 1.0


def problem_of(error: ServerError) -> Problem:
    """The answer to a call that a service refused, or did not answer."""
    status = STATUSES.get(error.code, BAD_GATEWAY)
    if error.reason == "TOO_LARGE" or error.too_large:
        status = 413
    retry = error.retry_seconds or (RETRY_SECONDS if status in (429, 503) else 0.0)
    return Problem(
        status,
        error.reason or ("SERVICE_UNREACHABLE" if error.unreachable else error.code),
        str(error),
        error.metadata,
        tuple(Violation(name, words) for name, words in error.fields.items()),
        retry,
        {"www-authenticate": "Bearer"} if status == 401 else {},
    )
