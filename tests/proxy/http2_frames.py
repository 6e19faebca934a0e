"""As much of HTTP/2's framing as it takes to see where a request and its reply begin."""

import asyncio
from dataclasses import dataclass

# RFC 9113, sections 3.4 and 4.1.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9
# From a client it begins a stream's request; from a server, its reply.
HEADERS = 1
PING, ACK = 6, 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came, and what its header says."""

    kind: int
    flags: int
    stream: int
    data: bytes


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame, whole. Raises IncompleteReadError at the end of the connection."""
    header = await reader.readexactly(HEADER_BYTES)
    payload = await reader.readexactly(int.from_bytes(header[:3], "big"))
    stream = int.from_bytes(header[5:], "big") & 0x7FFFFFFF
    return Frame(header[3], header[4], stream, header + payload)
