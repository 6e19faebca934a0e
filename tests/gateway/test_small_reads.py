"""A connection keeps little of what nobody takes: thousands of strangers may send a body each."""

import asyncio
from typing import Any

from gateway_service.small_reads import READ_BYTES_MAX
from tests.gateway.bare_server import connected, send_nothing

LENGTH = 2_000_000
HEAD = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n".encode()


async def test_a_connection_keeps_two_reads_of_a_body_until_it_is_taken() -> None:
    takes, took = asyncio.Event(), 0

    async def app(_: Any, receive: Any, send: Any) -> None:
        nonlocal took
        await takes.wait()
        more = True
        while more:
            message = await receive()
            took += len(message["body"])
            more = message["more_body"]
        await send_nothing(send)

    async with connected(app) as (server, reader, writer):
        writer.write(HEAD + b"a" * LENGTH)
        connections = server.server_state.connections
        while not any(one.flow.read_paused for one in connections):  # noqa: ASYNC110
            await asyncio.sleep(0)
        [connection] = connections
        assert READ_BYTES_MAX < len(connection.cycle.body) <= 2 * READ_BYTES_MAX
        takes.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        assert took == LENGTH
