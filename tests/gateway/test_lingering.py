"""A connection whose peer may still be sending ends in two steps, and leaves nothing behind."""

import asyncio

from gateway_service.lingering import Lingering
from tests.gateway.bare_server import SECONDS_MAX


async def test_what_comes_is_dropped_until_the_peer_has_closed_or_the_time_is_over() -> None:
    made: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()
    lost = asyncio.Event()

    class Peer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            made.set_result(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set()

    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    async with asyncio.timeout(SECONDS_MAX):
        lingering = Lingering(await made, lambda: True, 0.2)
        lingering.write(b"answer")
        lingering.close()
        lingering.write(b" and more")
        assert lingering.drops
        assert lingering.is_closing()
        assert await reader.read() == b"answer"
        # Its peer does not close.
        await lost.wait()
    writer.close()
    server.close()


async def test_a_connection_that_is_lost_is_kept_no_longer() -> None:
    ended = []

    class Transport(asyncio.Transport):
        def write_eof(self) -> None:
            pass

        def resume_reading(self) -> None:
            pass

        def is_closing(self) -> bool:
            return False

        def abort(self) -> None:
            ended.append(self)

    lingering = Lingering(Transport(), lambda: True, 0.0)
    lingering.close()
    lingering.lost()
    # What was to happen at once would have happened by then.
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, later.set)
    await later.wait()
    assert ended == []
