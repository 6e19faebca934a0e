"""A proxy of PostgreSQL that lends a few sessions to many clients, as PgBouncer does."""

import asyncio
import itertools
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
Lends: TypeAlias = Literal["statements", "transactions", "sessions"]
# What PgBouncer takes up itself; all else is refused, or passed over where it is told to.
KNOWN = frozenset({"user", "database", "client_encoding", "timezone", "application_name"})
AUTHENTICATED = b"R" + struct.pack("!ii", 8, 0)
READY, IDLE = b"Z", b"I"
READY_AND_IDLE = READY + struct.pack("!i", 5) + IDLE
# After these a client waits for the server to be ready.
QUERY, SYNC, GOODBYE = b"Q", b"S", b"X"

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class PoolingProxy:
    """Lends the sessions of one database, the one used last first."""

    def __init__(self, server_socket: str, lends: Lends, *, refuses_parameters: bool) -> None:
        self._server_socket = server_socket
        self._lends = lends
        self._refuses = refuses_parameters
        self._idle: list[Streams] = []
        self._sessions: list[asyncio.StreamWriter] = []
        self._clients: set[asyncio.Task[None]] = set()
        self._about_the_server = b""
        # No process of PostgreSQL has such a number.
        self._numbers = itertools.count(2**30)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        self._clients.add(asyncio.create_task(self._client(reader, writer)))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _startup(reader)
            unknown = sorted(set(asked) - KNOWN)
            if unknown and self._refuses:
                writer.write(_error(f"unsupported startup parameter: {unknown[0]}"))
                await writer.drain()
            else:
                await self._serve(asked, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _serve(
        self, asked: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        lent: Streams | None = await self._session(asked)
        key = b"K" + struct.pack("!iii", 12, next(self._numbers), 0)
        writer.write(AUTHENTICATED + self._about_the_server + key + READY_AND_IDLE)
        if self._lends == "transactions" and lent is not None:
            self._idle.append(lent)
            lent = None
        answers: asyncio.Task[bytes] | None = None
        while (message := await _message(reader))[:1] != GOODBYE:
            if self._lends == "statements" and message[:1] == QUERY and b"BEGIN" in message:
                writer.write(_error("transaction blocks not allowed in statement pooling mode"))
                await writer.drain()
                return
            lent = lent or await self._session(asked)
            answers = answers or asyncio.create_task(_until_ready(lent[0], writer))
            lent[1].write(message)
            if message[:1] in {QUERY, SYNC}:
                status, answers = await answers, None
                if self._lends == "transactions" and status == IDLE:
                    self._idle.append(lent)
                    lent = None

    async def _session(self, asked: dict[str, str]) -> Streams:
        if self._idle:
            return self._idle.pop()
        reader, writer = await asyncio.open_unix_connection(self._server_socket)
        # Before anything is awaited: a client that is cancelled here must leave nothing open.
        self._sessions.append(writer)
        words = "".join(f"{name}\0{asked[name]}\0" for name in ("user", "database"))
        body = struct.pack("!i", 196608) + words.encode() + b"\0"
        writer.write(struct.pack("!i", 4 + len(body)) + body)
        about = b""
        while (message := await _message(reader))[:1] != READY:
            about += message if message[:1] == b"S" else b""
        self._about_the_server = about
        return reader, writer

    async def close(self) -> None:
        """Ends all clients, and then all sessions."""
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for writer in self._sessions:
            writer.transport.abort()
        await asyncio.gather(
            *(writer.wait_closed() for writer in self._sessions), return_exceptions=True
        )


async def _startup(reader: asyncio.StreamReader) -> dict[str, str]:
    length = struct.unpack("!i", await reader.readexactly(4))[0]
    body = (await reader.readexactly(length - 4))[4:]
    words = body.decode().rstrip("\0").split("\0")
    return dict(zip(words[::2], words[1::2], strict=True))


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


async def _until_ready(server: asyncio.StreamReader, client: asyncio.StreamWriter) -> bytes:
    """Passes the server's answers on; in which state it is ready."""
    while True:
        message = await _message(server)
        client.write(message)
        if message[:1] == READY:
            return message[5:]


def _error(text: str) -> bytes:
    fields = f"SFATAL\0VFATAL\0C08P01\0M{text}\0\0".encode()
    return b"E" + struct.pack("!i", 4 + len(fields)) + fields


@asynccontextmanager
async def pooling_proxy(
    database_url: str, folder: Path, lends: Lends, *, refuses_parameters: bool = False
) -> AsyncIterator[str]:
    """The database's URL through the proxy."""
    [host] = parse_qs(urlsplit(database_url).query)["host"]
    pooling = PoolingProxy(f"{host}/{SOCKET}", lends, refuses_parameters=refuses_parameters)
    server = await asyncio.start_unix_server(pooling.accept, folder / SOCKET)
    try:
        yield database_url.replace(host, str(folder))
    finally:
        server.close()
        await server.wait_closed()
        await pooling.close()
