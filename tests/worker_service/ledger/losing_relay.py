"""A relay before PostgreSQL's socket that loses a COMMIT, or its answer, as a test tells it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SOCKET = ".s.PGSQL.5432"
# A simple query, as the driver ends its transactions.
COMMIT = b"COMMIT;\0"


class AtCommit(Enum):
    """What becomes of the next COMMIT."""

    PASS = auto()
    LOSE_REQUEST = auto()
    LOSE_ANSWER = auto()
    ARRIVE_LATE = auto()
    HOLD = auto()
    BREAK_AFTER_ANSWER = auto()


class LosingRelay:
    """Touches nothing but COMMITs. `let_arrive` sends on one that is held or is to arrive late."""

    def __init__(self, server_socket: str) -> None:
        self._server_socket = server_socket
        self.at_commit = AtCommit.PASS
        self.refuses = False
        self.came = asyncio.Event()
        self.let_arrive = asyncio.Event()
        # A link outlives its client's connection, and nothing else holds it then.
        self._links: set[asyncio.Task[None]] = set()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if self.refuses:
            writer.transport.abort()
            return
        own = asyncio.current_task()
        assert own is not None
        self._links.add(own)
        own.add_done_callback(self._links.discard)
        from_server, to_server = await asyncio.open_unix_connection(self._server_socket)
        back = asyncio.create_task(_pump(from_server, writer))
        try:
            while data := await reader.read(65536):
                if COMMIT in data and self.at_commit is not AtCommit.PASS:
                    await self._at_commit(data, back, from_server, writer, to_server)
                    return
                to_server.write(data)
                await to_server.drain()
        except ConnectionError:
            pass
        finally:
            back.cancel()
            await asyncio.wait({back})
            writer.transport.abort()
            to_server.transport.abort()

    async def _at_commit(
        self,
        data: bytes,
        back: asyncio.Task[None],
        from_server: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        to_server: asyncio.StreamWriter,
    ) -> None:
        fate, self.at_commit = self.at_commit, AtCommit.PASS
        self.came.set()
        if fate is AtCommit.LOSE_REQUEST:
            return
        back.cancel()
        await asyncio.wait({back})
        if fate is AtCommit.ARRIVE_LATE:
            to_client.transport.abort()
        if fate in {AtCommit.ARRIVE_LATE, AtCommit.HOLD}:
            await self.let_arrive.wait()
        to_server.write(data)
        answer = await from_server.read(65536)
        if fate in {AtCommit.BREAK_AFTER_ANSWER, AtCommit.HOLD}:
            to_client.write(answer)
            await to_client.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def losing_relay(database_url: str, folder: Path) -> AsyncIterator[tuple[LosingRelay, str]]:
    """The relay, and the database's URL through it."""
    [host] = parse_qs(urlsplit(database_url).query)["host"]
    relay = LosingRelay(f"{host}/{SOCKET}")
    server = await asyncio.start_unix_server(relay.link, folder / SOCKET)
    try:
        yield relay, database_url.replace(host, str(folder))
    finally:
        relay.let_arrive.set()
        server.close()
        await server.wait_closed()
