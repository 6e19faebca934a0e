"""A connection keeps little of what nobody takes: thousands of strangers may send a body each."""

import asyncio
from typing import Any

import uvicorn

from gateway_service.access.waiting import Waiting
from gateway_service.server import _connections, _Server, listen
from gateway_service.small_reads import READ_BYTES_MAX

LENGTH = 2_000_000
HEAD = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LENGTH}\r\n\r\n".encode()
SECONDS = 20.0


async def test_a_connection_keeps_two_reads_of_a_body_that_nobody_takes_and_then_all_comes() -> (
    None
):
    takes, took = asyncio.Event(), 0

    async def app(_: Any, receive: Any, send: Any) -> None:
        nonlocal took
        await takes.wait()
        more = True
        while more:
            message = await receive()
            took += len(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    listening = listen("127.0.0.1", 0)
    server = _Server(
        uvicorn.Config(app, http=_connections(Waiting()), lifespan="off", log_config=None)
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    async with asyncio.timeout(SECONDS):
        writer.write(HEAD + b"a" * LENGTH)
        connections: set[Any] = server.server_state.connections
        while not any(one.flow.read_paused for one in connections):  # noqa: ASYNC110
            await asyncio.sleep(0)
        [connection] = connections
        assert READ_BYTES_MAX < len(connection.cycle.body) <= 2 * READ_BYTES_MAX
        takes.set()
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        assert took == LENGTH
        writer.close()
        server.should_exit = True
        await serving
