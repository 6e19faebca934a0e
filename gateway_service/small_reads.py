"""Reads of a connection that are small, since thousands of strangers may each have one."""

import asyncio

# What has been read and is not yet taken is kept by each connection. The loop's own reads have up
# to 256 KB.
READ_BYTES_MAX = 16 * 1024


class SmallReads(asyncio.BufferedProtocol):
    """Hands a protocol what comes in pieces of at most the bytes of `buffer`, which all connections
    of a server share: nothing is in it between two reads.
    """

    def __init__(self, protocol: asyncio.Protocol, buffer: bytearray) -> None:
        self._protocol = protocol
        self._buffer = buffer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Passes it on, as all that follows."""
        self._protocol.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Passes it on."""
        self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """Passes it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Passes it on."""
        self._protocol.resume_writing()

    def eof_received(self) -> bool | None:
        """Passes it on."""
        return self._protocol.eof_received()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the loop reads to, whatever it would like."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hands on what was read."""
        self._protocol.data_received(bytes(memoryview(self._buffer)[:nbytes]))
