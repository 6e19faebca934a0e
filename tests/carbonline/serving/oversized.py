"""Requests as large as a method allows, and larger by a byte."""

from typing import Any

import grpc.aio

from carbonline.client.errors import ServerError, server_error
from carbonline.serving.request_sizes import request_bytes_max

# The key of a field of bytes that no message has.
_NOBODYS_FIELD = b"\xfa\xff\x07"
_LENGTH_BYTES = 3


def padded(request: bytes, size: int) -> bytes:
    """The same request with so many bytes: 16 KiB to 2 MiB more than it has."""
    rest = size - len(request) - len(_NOBODYS_FIELD) - _LENGTH_BYTES
    length = bytes((rest & 127 | 128, rest >> 7 & 127 | 128, rest >> 14))
    return request + _NOBODYS_FIELD + length + bytes(rest)


async def refusal_of(
    channel: grpc.aio.Channel, method: str, request: bytes, size: int
) -> ServerError | None:
    """How a request of this size is refused; None if it is answered."""
    # grpc's stubs want serializers.
    channel_of_any: Any = channel
    call = channel_of_any.unary_stream(method)(padded(request, size), timeout=60)
    try:
        async for _ in call:
            call.cancel()
            return None
    except grpc.aio.AioRpcError as error:
        return server_error(error)
    return None


async def must_be_bounded(channel: grpc.aio.Channel, method: str, request: bytes) -> None:
    """A request with one byte more than the method allows is refused for that, and no other."""
    most = request_bytes_max(method)
    refused = await refusal_of(channel, method, request, most + 1)
    assert refused is not None
    assert (refused.reason, refused.metadata) == (
        "TOO_LARGE",
        {"limit": str(most), "size": str(most + 1)},
    )
    refused = await refusal_of(channel, method, request, most)
    assert refused is None or refused.reason != "TOO_LARGE"
