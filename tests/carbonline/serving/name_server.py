"""A name server for tests: one name that stands for several addresses of this machine."""

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import cast

_HEADER = struct.Struct("!6H")
_ANSWER, _NAME_UNKNOWN = 0x8180, 0x8183
_IPV4, _INTERNET, _SECONDS = 1, 1, 1
# A name that was written before: two bits, and where in the message it stands.
_SAME_NAME = 0xC000 | _HEADER.size


class _Names(asyncio.DatagramProtocol):
    """Answers each question for IPv4 addresses; other kinds of addresses are none."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._names = names
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(_answer(data, self._names), addr)


def _answer(data: bytes, names: Mapping[str, Sequence[str]]) -> bytes:
    number = _HEADER.unpack_from(data)[0]
    name, end = _question(data)
    (kind,) = struct.unpack_from("!H", data, end)
    known = names.get(name.lower())
    found = known if known is not None and kind == _IPV4 else ()
    flags = _ANSWER if known is not None else _NAME_UNKNOWN
    answers = [
        struct.pack("!HHHIH", _SAME_NAME, _IPV4, _INTERNET, _SECONDS, 4) + IPv4Address(one).packed
        for one in found
    ]
    header = _HEADER.pack(number, flags, 1, len(answers), 0, 0)
    return header + data[_HEADER.size : end + 4] + b"".join(answers)


def _question(data: bytes) -> tuple[str, int]:
    """The name that is asked for, and where its kind stands."""
    labels, at = [], _HEADER.size
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


@asynccontextmanager
async def name_server(names: Mapping[str, Sequence[str]]) -> AsyncIterator[str]:
    """Its address, as gRPC's targets name it: "dns://ADDRESS/NAME:PORT"."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: _Names(names), local_addr=("127.0.0.1", 0)
    )
    try:
        host, port = transport.get_extra_info("sockname")
        yield f"{host}:{port}"
    finally:
        transport.close()
