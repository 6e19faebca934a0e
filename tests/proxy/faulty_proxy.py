"""A proxy between a gRPC client and its server that loses, delays and cuts as a test tells it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.proxy.http2_frames import ACK, HEADERS, PING, PREFACE, read_frame

CHUNK_BYTES = 64 * 1024
FRAMES_MAX = 10_000


# Frames on their way, each with the moment before which it does not arrive.
_Way: TypeAlias = "asyncio.Queue[tuple[float, bytes]]"


@dataclass(eq=False)
class _Link:
    """One connection of the client, and the proxy's own to the server."""

    from_client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    from_server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    requests: _Way = field(default_factory=lambda: asyncio.Queue(FRAMES_MAX))
    replies: _Way = field(default_factory=lambda: asyncio.Queue(FRAMES_MAX))
    doomed: set[int] = field(default_factory=set)
    is_mute: bool = False

    def cut(self) -> None:
        """Both ends see a broken connection; what is on its way is lost."""
        for writer in (self.to_client, self.to_server):
            writer.transport.abort()


class FaultyProxy:
    """Relays HTTP/2 frame by frame, since a lost reply must not be a lost request.

    `requests`, `dropped`, `connections` and the clients' `pings` count what was seen, for
    assertions.
    """

    def __init__(self, server_path: Path) -> None:
        """Dials the server's unix socket once for each connection of a client."""
        self._server_path = server_path
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._drop_every = 0
        self._drop_next = 0
        self._request_came = asyncio.Event()
        self._ended = False
        self.delay_seconds = 0.0
        self.requests = 0
        self.dropped = 0
        self.connections = 0
        self.pings = 0

    def drop_next_replies(self, count: int = 1) -> None:
        """The next requests reach the server; its answers do not come back."""
        self._drop_next = count

    def drop_every(self, number: int) -> None:
        """Every so many-th request is answered in vain; 0 ends it."""
        self._drop_every = number

    def hold(self) -> None:
        """A black hole: connections stay, new ones are taken, nothing arrives. No byte is lost."""
        self._passing.clear()

    def let_through(self) -> None:
        """What was held arrives, late."""
        self._passing.set()

    def cut(self) -> None:
        """Break every connection; new ones are welcome."""
        for link in tuple(self._links):
            link.cut()

    def half_close(self) -> None:
        """The client is told that the server will say no more; its own words still get through."""
        for link in self._links:
            link.is_mute = True
            with suppress(OSError, RuntimeError):
                link.to_client.write_eof()

    async def end(self) -> None:
        """Cut everything and wait for the proxy's own tasks; who comes late is turned away."""
        self._ended = True
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def has_seen(self, requests: int) -> None:
        """Waits until so many requests have begun, passed on or not."""
        async with asyncio.timeout(10):
            while self.requests < requests:
                self._request_came.clear()
                await self._request_came.wait()

    def connected(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """A client has come: asyncio's callback."""
        if self._ended:
            to_client.transport.abort()
            return
        self.connections += 1
        task = asyncio.create_task(self._relay(from_client, to_client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Also when it was cancelled before it began.
        task.add_done_callback(lambda _: to_client.transport.abort())

    async def _relay(
        self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        """One connection, for as long as both ends keep it."""
        try:
            from_server, to_server = await asyncio.open_unix_connection(self._server_path)
        except OSError:
            return
        link = _Link(from_client, to_client, from_server, to_server)
        self._links.add(link)
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._read_requests(link),
                self._read_replies(link),
                self._pass_on(link.requests, to_server),
                self._pass_on(link.replies, to_client),
            )
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            link.cut()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._links.discard(link)

    async def _read_requests(self, link: _Link) -> None:
        await self._send(link.requests, await link.from_client.readexactly(len(PREFACE)))
        while True:
            frame = await read_frame(link.from_client)
            if frame.kind == HEADERS:
                self._count(link, frame.stream)
            self.pings += frame.kind == PING and not frame.flags & ACK
            await self._send(link.requests, frame.data)

    async def _read_replies(self, link: _Link) -> None:
        while True:
            frame = await read_frame(link.from_server)
            if frame.kind == HEADERS and frame.stream in link.doomed:
                # The server has answered, so whatever the call does is done.
                self.dropped += 1
                return
            if not link.is_mute:
                await self._send(link.replies, frame.data)

    def _count(self, link: _Link, stream: int) -> None:
        self.requests += 1
        self._request_came.set()
        if self._drop_next > 0:
            self._drop_next -= 1
            link.doomed.add(stream)
        elif self._drop_every and self.requests % self._drop_every == 0:
            link.doomed.add(stream)

    async def _send(self, way: _Way, data: bytes) -> None:
        await way.put((asyncio.get_running_loop().time() + self.delay_seconds, data))

    async def _pass_on(self, way: _Way, writer: asyncio.StreamWriter) -> None:
        while True:
            due_at, data = await way.get()
            await asyncio.sleep(max(0.0, due_at - asyncio.get_running_loop().time()))
            await self._passing.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def faulty_proxy(server_path: Path, path: Path) -> AsyncIterator[FaultyProxy]:
    """A proxy that listens on the unix socket `path`; nothing of it is left afterwards."""
    proxy = FaultyProxy(server_path)
    async with await asyncio.start_unix_server(proxy.connected, path, limit=CHUNK_BYTES):
        try:
            yield proxy
        finally:
            await proxy.end()


@asynccontextmanager
async def faulty_tcp_proxy(server_path: Path) -> AsyncIterator[tuple[FaultyProxy, int]]:
    """The same on a TCP port of the loopback device, which is the second of the two."""
    proxy = FaultyProxy(server_path)
    async with await asyncio.start_server(
        proxy.connected, "127.0.0.1", 0, limit=CHUNK_BYTES
    ) as server:
        try:
            yield proxy, server.sockets[0].getsockname()[1]
        finally:
            await proxy.end()
