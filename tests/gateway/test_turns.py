"""However many requests have come, a turn of the loop is short, and whoever comes then is heard."""

import asyncio
import socket
from collections import Counter
from functools import partial
from typing import Any

import uvloop

from gateway_service.access.turns import BEGIN_MAX, Turns
from gateway_service.port import LISTENERS, listen
from tests.gateway.bare_server import SECONDS_MAX, connected, send_nothing

FLOODING, REQUESTS = 4 * BEGIN_MAX, 20
ASKED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Clock:
    """Counts the turns of the loop, in which all that is ready is done once."""

    def __init__(self) -> None:
        self.turn = 0
        self._ticking = asyncio.ensure_future(self._tick())

    async def _tick(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)

    def stop(self) -> None:
        self._ticking.cancel()


async def test_few_begin_in_a_turn_and_in_the_order_in_which_they_came() -> None:
    clock, turns, begun = Clock(), Turns(3), list[tuple[int, int]]()

    def begin(number: int) -> None:
        begun.append((number, clock.turn))

    for number in range(10):
        turns.begin(partial(begin, number))
    assert len(begun) == 3
    while len(begun) < 10:  # noqa: ASYNC110
        await asyncio.sleep(0)
    clock.stop()
    assert [number for number, _ in begun] == [*range(10)]
    assert max(Counter(turn for _, turn in begun).values()) == 3


async def test_a_flood_of_requests_leaves_turns_to_whoever_comes_then() -> None:
    clock, begun = Clock(), Counter[int]()

    async def app(_: Any, __: Any, send: Any) -> None:
        begun[clock.turn] += 1
        await send_nothing(send)

    async def flood(host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(ASKED * REQUESTS)
        for _ in range(REQUESTS):
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with connected(app) as (_, reader, writer):
        where = writer.get_extra_info("peername")
        floods = [asyncio.ensure_future(flood(*where)) for _ in range(FLOODING)]
        while begun.total() < FLOODING:  # noqa: ASYNC110
            await asyncio.sleep(0)
        writer.write(ASKED)
        await reader.readuntil(b"\r\n\r\n")
        assert begun.total() < FLOODING * REQUESTS
        await asyncio.gather(*floods)
    clock.stop()
    assert begun.total() == FLOODING * REQUESTS + 1
    assert max(begun.values()) <= BEGIN_MAX


def test_a_turn_of_the_loop_accepts_several_connections() -> None:
    """uvloop alone has one of a socket in a turn, and the gateway runs on it."""
    came, gone = list[int](), list[object]()

    async def accept(several: list[socket.socket]) -> None:
        clock = Clock()

        class Connection(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                came.append(clock.turn)
                transport.close()

            def connection_lost(self, exc: Exception | None) -> None:
                gone.append(exc)

        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Connection, sock=one) for one in several]
        while len(gone) < len(clients):  # noqa: ASYNC110
            await asyncio.sleep(0)
        for one in servers:
            one.close()
        clock.stop()

    several = listen("127.0.0.1", 0)
    # All have come before the first one is accepted.
    clients = [socket.create_connection(several[0].getsockname()) for _ in range(4 * LISTENERS)]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(accept(several), SECONDS_MAX))
    for client in clients:
        client.close()
    assert max(Counter(came).values()) == LISTENERS
