"""A caller without a token that speaks HTTP/2 by itself, and does what no gRPC library would do."""

import asyncio
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW = 4
WINDOW = 65_535
FRAME_BYTES_MAX = 16_384
CANCEL = struct.pack(">I", 8)
NO_ANSWERS = struct.pack(">HI", INITIAL_WINDOW, 0)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + _number(stream) + payload


def framed(message: bytes, size: int | None = None, *, compressed: bool = False) -> bytes:
    """A gRPC message that says that it has `size` bytes."""
    return bytes((compressed,)) + _number(len(message) if size is None else size) + message


def bomb(size: int) -> bytes:
    """`size` bytes of zeros, by gzip a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


class Stranger:
    """One connection. It sends what the server's windows allow, and reads what comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._window, self._initial = WINDOW, WINDOW
        self._windows: dict[int, int] = {}
        self._changed = asyncio.Event()
        self.ended = 0
        self.closed = False

    def begin(self, stream: int, method: str, *more: tuple[bytes, bytes]) -> None:
        """The headers of a call; `stream` is odd and rises."""
        self._windows[stream] = self._initial
        self.write(frame(HEADERS, END_HEADERS, stream, _headers(method, more)))

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()

    async def send(self, stream: int, data: bytes, *, ends: bool = False) -> None:
        """The bytes, as the windows allow; less if the server ends the call."""
        sent = 0
        while sent < len(data) and stream in self._windows and not self.closed:
            count = min(self._window, self._windows[stream], FRAME_BYTES_MAX, len(data) - sent)
            if count <= 0:
                self._changed.clear()
                await self._changed.wait()
                continue
            self._window -= count
            self._windows[stream] -= count
            flags = END_STREAM if ends and sent + count == len(data) else 0
            self.write(frame(DATA, flags, stream, data[sent : sent + count]))
            sent += count
            await self.drain()

    async def read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(9)
                size = int.from_bytes(head[:3])
                stream = int.from_bytes(head[5:]) & 0x7FFFFFFF
                self._got(head[3], head[4], stream, await self._reader.readexactly(size))
                self._changed.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.closed = True
            self._changed.set()

    def _got(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags & ACK:
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW:
                    for each in self._windows:
                        self._windows[each] += value - self._initial
                    self._initial = value
            self.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.write(frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload)
        elif kind == WINDOW_UPDATE and stream in self._windows:
            self._windows[stream] += int.from_bytes(payload)
        elif kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM):
            self.ended += self._windows.pop(stream, None) is not None


@asynccontextmanager
async def stranger(
    port: int, settings: bytes = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Stranger]:
    """A connection to a port of this machine, cut at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    writer.write(PREFACE + frame(SETTINGS, 0, 0, settings))
    one = Stranger(reader, writer)
    reading = asyncio.create_task(one.read())
    try:
        yield one
    finally:
        reading.cancel()
        writer.transport.abort()


def tls_of_a_stranger() -> ssl.SSLContext:
    """Believes any certificate."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.set_alpn_protocols(["h2"])
    return tls


def large_headers(stream: int, method: str, size: int) -> bytes:
    """The headers of a call, one of them of `size` bytes."""
    block = _header(b"x-large", b"a" * size)
    pieces = [block[at : at + FRAME_BYTES_MAX] for at in range(0, len(block), FRAME_BYTES_MAX)]
    return b"".join(
        (
            frame(HEADERS, 0, stream, _headers(method, ())),
            *(frame(CONTINUATION, 0, stream, piece) for piece in pieces),
            frame(CONTINUATION, END_HEADERS, stream),
        )
    )


def _headers(method: str, more: Iterable[tuple[bytes, bytes]]) -> bytes:
    fields = (
        *((b":method", b"POST"), (b":scheme", b"http"), (b":path", method.encode())),
        *((b":authority", b"stranger"), (b"content-type", b"application/grpc")),
        *((b"te", b"trailers"), *more),
    )
    return b"".join(_header(name, value) for name, value in fields)


def _header(name: bytes, value: bytes) -> bytes:
    return b"\0" + _text(name) + _text(value)


def _text(text: bytes) -> bytes:
    left = len(text) - 127
    if left < 0:
        return bytes((len(text),)) + text
    size = [127]
    while left >= 128:
        size.append(left % 128 + 128)
        left //= 128
    return bytes((*size, left)) + text


def _number(number: int) -> bytes:
    return struct.pack(">I", number)
