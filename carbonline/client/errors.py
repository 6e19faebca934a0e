"""What a server refused, as one exception that carries all that it said."""

from collections.abc import Mapping, Sequence

import grpc.aio
from google.protobuf import any_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class ClientError(Exception):
    """What every error of carbonline's client is; its text is a sentence for people."""


class NoStack(ClientError):
    """No stack runs on the data folder, and no addresses were given."""


class WrongArgument(ClientError, ValueError):
    """A name or number that there is not, or that cannot be used as it was; nothing was sent."""


class ExtraMissing(ClientError, ImportError):
    """Packages that an extra of carbonline brings are not installed; says which extra."""


class PipelineNotSuccessful(ClientError):
    """A pipeline ended PARTIAL, FAILED or CANCELLED, and the caller wants none of these."""


class TotalsIncomplete(ClientError, UserWarning):
    """Totals are stale, or lack entries that have no kilograms: a warning, an error if strict."""


class ServerError(ClientError):
    """A call that ended with an error status.

    `code` is the name of the gRPC code, `reason` the ErrorInfo reason (empty when the server, or
    a proxy before it, gave none), `fields` the field violations of a bad request by field.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        message: str,
        metadata: Mapping[str, str],
        fields: Mapping[str, str],
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.fields = fields

    @property
    def unreachable(self) -> bool:
        """Whether nobody answered, or the one who answered asks to come again."""
        return self.code in _AWAY

    @property
    def too_large(self) -> bool:
        """Whether gRPC refused a message of the call for its size, on this side or on that one.

        Its code is one of those that pass, but the same message will never be taken: split it.
        """
        by_grpc = self.code == "RESOURCE_EXHAUSTED" and not self.reason
        return by_grpc and "message larger than max" in self.message


class Unreachable(ServerError):
    """Nobody answered in time, or who answered asks to come again: the call may be repeated."""


_AWAY = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})


def server_error(error: grpc.aio.AioRpcError) -> ServerError:
    """The details of a failed call, unpacked; Unreachable for a call that may be repeated."""
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    for detail in _details(error):
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad_request.DESCRIPTOR):
            detail.Unpack(bad_request)
    kind = Unreachable if error.code().name in _AWAY else ServerError
    return kind(
        error.code().name,
        info.reason,
        error.details() or "",
        dict(info.metadata),
        {violation.field: violation.description for violation in bad_request.field_violations},
    )


def _details(error: grpc.aio.AioRpcError) -> Sequence[any_pb2.Any]:
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        # The details contradict the status: somebody on the way rewrote one of them.
        return ()
    return () if status is None else list(status.details)
