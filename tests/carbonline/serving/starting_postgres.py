"""A proxy of PostgreSQL that answers "starting up" until a test opens it."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
# As a server answers the startup message while it recovers.
_FIELDS = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
STARTING_UP = b"E" + struct.pack("!i", 4 + len(_FIELDS)) + _FIELDS


class StartingPostgres:
    """`is_up` is the test's to set; from then on connections reach the real server."""

    def __init__(self, server_socket: str) -> None:
        self._server_socket = server_socket
        self.is_up = asyncio.Event()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if not self.is_up.is_set():
            length = struct.unpack("!i", await reader.readexactly(4))[0]
            await reader.readexactly(length - 4)
            writer.write(STARTING_UP)
            await writer.drain()
            writer.close()
            return
        from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
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
            writer.transport.abort()
            to_server.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return


@asynccontextmanager
async def starting_postgres(
    database_url: str, folder: Path
) -> AsyncIterator[tuple[StartingPostgres, str]]:
    """The proxy, and the database's URL through it."""
    [host] = parse_qs(urlsplit(database_url).query)["host"]
    starting = StartingPostgres(f"{host}/{SOCKET}")
    server = await asyncio.start_unix_server(starting.accept, folder / SOCKET)
    try:
        yield starting, database_url.replace(host, str(folder))
    finally:
        server.close()
        await server.wait_closed()
