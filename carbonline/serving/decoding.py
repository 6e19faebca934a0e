"""Reads requests: what cannot be read, or is too large to be, is an error of its sender."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from carbonline.serving.calls_in_flight import call_of_this_task
from carbonline.serving.errors import RpcError
from carbonline.serving.request_sizes import request_bytes_max


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands for bytes that were not read, and says why."""

    why: RpcError


def safely(deserialize: Any, method: str, *, ends_when_received: bool) -> Any:
    """A deserializer of a method that raises nothing, and tells the call in flight how large its
    request is.

    What is larger than the method allows, or no message of the expected type, becomes an
    Undecodable. If it `ends_when_received`, the call counts as in flight no longer.
    """
    bytes_max = request_bytes_max(method)

    def read(data: bytes) -> Any:
        if in_flight := call_of_this_task():
            in_flight.received(len(data))
            if ends_when_received:
                in_flight.end()
        if len(data) > bytes_max:
            # Of some megabytes, reading takes seconds in which nobody else is served.
            return Undecodable(_too_large(len(data), bytes_max))
        try:
            return deserialize(data)
        # Whatever the decoder trips over is the sender's doing.
        except Exception:  # noqa: BLE001
            return Undecodable(
                RpcError(
                    "FIELD_INVALID",
                    "the request is not a valid message, or it is nested too deeply",
                )
            )

    return read


def decoded(request: Any) -> Any:
    """The request, or the stream of requests. Raises RpcError TOO_LARGE, or FIELD_INVALID where its
    bytes are no such message.
    """
    if isinstance(request, Undecodable):
        raise request.why
    return _each_decoded(request) if isinstance(request, AsyncIterator) else request


async def _each_decoded(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield decoded(request)


def _too_large(size: int, most: int) -> RpcError:
    why = f"the request has {size:,} bytes: at most {most:,} allowed in this call"
    return RpcError("TOO_LARGE", why, {"limit": str(most), "size": str(size)})
