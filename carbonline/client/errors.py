"""The errors of the client. ServerError carries all that a server said."""

from collections.abc import Mapping, Sequence

import grpc.aio
from google.protobuf import any_pb2
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from carbonline.client.no_answer import Server, failed, no_answer


class ClientError(Exception):
    """The base of all errors of the client. The message is a sentence for people."""


class NoStack(ClientError):
    """No stack runs on the data folder, and no addresses were given."""


class WrongArgument(ClientError, ValueError):
    """An argument names something unknown, or cannot be used. Nothing was sent."""


class ExtraMissing(ClientError, ImportError):
    """Packages of an extra of carbonline are not installed. The message names the extra."""


class PipelineNotSuccessful(ClientError):
    """A pipeline ended PARTIAL, FAILED or CANCELLED. Raised by `raise_for_status`."""


class TotalsIncomplete(ClientError, UserWarning):
    """Totals are stale, or lack entries without kilograms. A warning; an error with `strict`."""


class FileGone(ClientError):
    """The file of an upload is no longer kept."""


class FileDamaged(ClientError):
    """The bytes of a file are not those that were sent. What was written of them is gone."""


class ServerError(ClientError):
    """A call ended with an error status.

    `code` is the name of the gRPC status code. `reason` is the contract's error reason, "" if the
    server, or a proxy, gave none. `fields` maps fields of a bad request to what is wrong with them.
    `server` is whose answer it is, or would have been. `retry_seconds` is after how long the server
    asks for the same call again, 0 if it does not say.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        message: str,
        metadata: Mapping[str, str],
        fields: Mapping[str, str],
        server: Server | None = None,
        *,
        retry_seconds: float = 0.0,
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.fields = fields
        self.server = server
        self.retry_seconds = retry_seconds

    @property
    def unreachable(self) -> bool:
        """Whether no server answered, or one asked to repeat the call later."""
        return self.code in _UNAVAILABLE

    @property
    def too_large(self) -> bool:
        """Whether gRPC, on either side, refused a message because of its size.

        The status code looks like one that passes, but the message must be split.
        """
        by_grpc = self.code == "RESOURCE_EXHAUSTED" and not self.reason
        return by_grpc and "message larger than max" in self.message


class Unreachable(ServerError):
    """No server answered in time, or one asked to repeat the call later."""


# CANCELLED comes from a server that ended in the middle of the call; a caller's own cancellation
# never comes as a status of gRPC.
_UNAVAILABLE = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
# A server of the contract does not answer these of itself: it failed, or somebody on the way did.
_BROKEN = frozenset({"UNKNOWN", "INTERNAL", "ABORTED"})


def server_error(
    error: grpc.aio.AioRpcError, server: Server | None = None, seconds: float | None = None
) -> ServerError:
    """The error of a failed call, with its details. Unreachable if it may be repeated.

    `seconds` is the deadline that the call had. If `server` is given and did not answer, the
    message is a sentence about it in place of gRPC's.
    """
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in _details(error):
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad_request.DESCRIPTOR):
            detail.Unpack(bad_request)
        elif detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
    code = error.code().name
    kind = Unreachable if code in _UNAVAILABLE else ServerError
    return kind(
        code,
        info.reason,
        _message(code, info.reason, error.details() or "", server, seconds),
        dict(info.metadata),
        {violation.field: violation.description for violation in bad_request.field_violations},
        server,
        retry_seconds=retry.retry_delay.ToTimedelta().total_seconds(),
    )


def _message(
    code: str, reason: str, words: str, server: Server | None, seconds: float | None
) -> str:
    if reason or server is None:
        return words
    if code in _UNAVAILABLE:
        return no_answer(server, words, seconds if code == "DEADLINE_EXCEEDED" else None)
    return failed(server, words or code) if code in _BROKEN else words


def _details(error: grpc.aio.AioRpcError) -> Sequence[any_pb2.Any]:
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        # The details contradict the status: a proxy rewrote one of them.
        return ()
    return () if status is None else list(status.details)
