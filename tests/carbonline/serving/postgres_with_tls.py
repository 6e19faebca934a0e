"""PostgreSQL behind TLS, for a server that was built without it: the handshake is a front's."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
# What a client sends first if it wants TLS, and a server's two answers.
TLS_REQUEST = struct.pack("!ii", 8, 80877103)
YES, NO = b"S", b"N"


class PostgresWithTls:
    """A port that speaks TLS as PostgreSQL does, in front of its unix socket.

    Without a certificate it answers as a server without TLS, and passes on what is plain.
    """

    def __init__(self, server_socket: str, certificate: tuple[Path, Path] | None) -> None:
        self._server_socket = server_socket
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        # Connections that went on to the server: over TLS, and plain ones.
        self.over_tls = 0
        self.plain = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            first = await reader.readexactly(len(TLS_REQUEST))
            if first == TLS_REQUEST:
                first = await self._handshake(reader, writer)
            else:
                self.plain += 1
            await self._pass_on(first, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return
        finally:
            writer.transport.abort()

    async def _handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(NO if self._context is None else YES)
        await writer.drain()
        if self._context is not None:
            await writer.start_tls(self._context)
        first = await reader.readexactly(1)
        if self._context is None:
            self.plain += 1
        else:
            self.over_tls += 1
        return first

    async def _pass_on(
        self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
        to_server.write(first)
        ways = [
            asyncio.create_task(_pump(reader, to_server)),
            asyncio.create_task(_pump(from_server, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            to_server.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        return


@asynccontextmanager
async def postgres_with_tls(
    database_url: str, certificate: tuple[Path, Path] | None
) -> AsyncIterator[tuple[PostgresWithTls, str]]:
    """The front, and the database's URL through it, with the host `localhost`."""
    url = urlsplit(database_url)
    [host] = parse_qs(url.query)["host"]
    front = PostgresWithTls(f"{host}/{SOCKET}", certificate)
    server = await asyncio.start_server(front.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield front, f"postgresql://{url.username}@localhost:{port}{url.path}"
    finally:
        server.close()
        await server.wait_closed()
