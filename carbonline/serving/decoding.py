"""Reads requests: what cannot be read is an error of its sender."""

from collections.abc import AsyncIterator
from typing import Any

from carbonline.serving.calls_in_flight import call_of_this_task
from carbonline.serving.errors import RpcError


class Undecodable:
    """Stands for bytes that are no message of the expected type."""


def safely(deserialize: Any, *, ends_when_received: bool) -> Any:
    """A deserializer that raises nothing, and tells the call in flight how large its request is.

    What cannot be read becomes an Undecodable. If it `ends_when_received`, the call counts as in
    flight no longer.
    """

    def read(data: bytes) -> Any:
        if in_flight := call_of_this_task():
            in_flight.received(len(data))
            if ends_when_received:
                in_flight.end()
        try:
            return deserialize(data)
        # Whatever the decoder trips over is the sender's doing.
        except Exception:  # noqa: BLE001
            return Undecodable()

    return read


def decoded(request: Any) -> Any:
    """The request, or the stream of requests; FIELD_INVALID where its bytes are no such message."""
    if isinstance(request, Undecodable):
        raise RpcError(
            "FIELD_INVALID", "the request is not a valid message, or it is nested too deeply"
        )
    return _each_decoded(request) if isinstance(request, AsyncIterator) else request


async def _each_decoded(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield decoded(request)
