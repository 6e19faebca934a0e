"""The one table from reasons to gRPC codes, and how an error travels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, NoReturn

import grpc
import grpc.aio
from google.protobuf import duration_pb2
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN = "carbonline"
RETRY_AFTER_SECONDS = 1
# An error travels in trailers, message and details, and whoever gets more than 8 KiB of them may
# drop the whole answer, and with it the reason.
MESSAGE_BYTES_MAX = 1_000
VIOLATIONS_BYTES_MAX = 2_000
VIOLATION_BYTES_MAX = 400
CUT = "..."
# What a violation takes in a message beside its two texts.
_FRAME_BYTES = 10

# Of the whole contract: a reason means the same whoever answers it.
CODES: Mapping[str, grpc.StatusCode] = MappingProxyType(
    {
        "FIELD_INVALID": grpc.StatusCode.INVALID_ARGUMENT,
        "TOO_LARGE": grpc.StatusCode.INVALID_ARGUMENT,
        "PIPELINE_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "JOB_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "WORKER_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "UNIT_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "SCHEDULE_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "BLOB_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
        "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
        "TOKEN_EXPIRED": grpc.StatusCode.UNAUTHENTICATED,
        "OTHER_TENANT": grpc.StatusCode.PERMISSION_DENIED,
        "PERMISSION_DENIED": grpc.StatusCode.PERMISSION_DENIED,
        "STALE_CLAIM": grpc.StatusCode.FAILED_PRECONDITION,
        "YEAR_NOT_PROVISIONED": grpc.StatusCode.FAILED_PRECONDITION,
        "PERIOD_LOCKED": grpc.StatusCode.FAILED_PRECONDITION,
        "YEAR_BUSY": grpc.StatusCode.FAILED_PRECONDITION,
        "CLAIM_LIVE": grpc.StatusCode.FAILED_PRECONDITION,
        "NOTHING_TO_CANCEL": grpc.StatusCode.FAILED_PRECONDITION,
        "NOTHING_TO_RECOVER": grpc.StatusCode.FAILED_PRECONDITION,
        "NOTHING_TO_RETRY": grpc.StatusCode.FAILED_PRECONDITION,
        "SUPERSEDED": grpc.StatusCode.FAILED_PRECONDITION,
        "SCHEDULE_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
        "TOO_MANY_SCHEDULES": grpc.StatusCode.FAILED_PRECONDITION,
        "TOO_MANY_LIVE_JOBS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_JOINERS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_PARKED_CLAIMS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_STREAMS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_CALLS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_READS": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "READ_TOO_LONG": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "READER_TOO_SLOW": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "SENDER_TOO_SLOW": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "UPLOAD_IDLE": grpc.StatusCode.RESOURCE_EXHAUSTED,
        "BLOB_DAMAGED": grpc.StatusCode.DATA_LOSS,
        "STORE_FULL": grpc.StatusCode.UNAVAILABLE,
        "STORE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
        "DATABASE_FULL": grpc.StatusCode.UNAVAILABLE,
        "DATABASE_UNAVAILABLE": grpc.StatusCode.UNAVAILABLE,
        "JOB_TYPE_UNKNOWN": grpc.StatusCode.UNAVAILABLE,
        "DRAINING": grpc.StatusCode.UNAVAILABLE,
        "STREAM_MAXIMUM_AGE": grpc.StatusCode.UNAVAILABLE,
    }
)
_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong, and what it must be."""

    field: str
    description: str


@dataclass(slots=True)
class RpcError(Exception):
    """An answer that is an error: a reason of the table, a sentence, and details. What is too
    long to travel is cut, and of too many violations the first are kept.

    If it `conceals`, it denies the caller what it says is not there. Unless it `leaves_time`, the
    caller's deadline is so near that its gRPC is told to repeat nothing.
    """

    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    conceals: bool = False
    leaves_time: bool = True

    def __post_init__(self) -> None:
        """Callers may send what they like, and it may be shown to them."""
        self.message = _cut(self.message, MESSAGE_BYTES_MAX)
        self.violations = tuple(_first_of(self.violations))

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC code of the reason."""
        return CODES[self.reason]


def invalid(violations: Sequence[Violation]) -> RpcError:
    """The error FIELD_INVALID that names every field that is wrong."""
    shown = islice(violations, MESSAGE_BYTES_MAX)
    summary = "; ".join(f"{v.field}: {v.description}" for v in shown)
    return RpcError("FIELD_INVALID", summary, violations=violations)


def value_refused() -> RpcError:
    """The error for a value that the checks let through and the database rejected."""
    return RpcError("FIELD_INVALID", "the database rejected a value in this request")


def _first_of(violations: Sequence[Violation]) -> Iterable[Violation]:
    room = VIOLATIONS_BYTES_MAX
    for violation in violations:
        shown = Violation(
            _cut(violation.field, VIOLATION_BYTES_MAX),
            _cut(violation.description, VIOLATION_BYTES_MAX),
        )
        room -= len(shown.field.encode()) + len(shown.description.encode()) + _FRAME_BYTES
        if room < 0:
            return
        yield shown


def _cut(text: str, bytes_max: int) -> str:
    """At most so many bytes, whole characters."""
    encoded = text.encode()
    if len(encoded) <= bytes_max:
        return text
    return encoded[: bytes_max - len(CUT)].decode(errors="ignore") + CUT


async def abort(context: "grpc.aio.ServicerContext[Any, Any]", error: RpcError) -> NoReturn:
    """Ends the call with the error and its details."""
    status = rpc_status.to_status(
        status_pb2.Status(
            code=error.code.value[0],
            message=error.message,
            details=[_packed(detail) for detail in _details(error)],
        )
    )
    trailers = tuple(status.trailing_metadata)
    if error.reason == "TOO_MANY_CALLS":
        # gRPC's own word for RetryInfo, for clients whose gRPC repeats such calls.
        trailers += (("grpc-retry-pushback-ms", f"{RETRY_AFTER_SECONDS * 1000}"),)
    if not error.leaves_time:
        # Its repetition would meet the deadline, and the caller would hear of that alone.
        trailers += (("grpc-retry-pushback-ms", "-1"),)
    await context.abort(status.code, status.details, trailing_metadata=trailers)
    raise AssertionError("abort returned")


def _details(error: RpcError) -> list[Message]:
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=DOMAIN, metadata=dict(error.metadata)
        )
    ]
    if error.violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
            for v in error.violations
        ]
        details.append(error_details_pb2.BadRequest(field_violations=fields))
    if error.code in _RETRIED:
        delay = duration_pb2.Duration(seconds=RETRY_AFTER_SECONDS)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return details


def _packed(detail: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
