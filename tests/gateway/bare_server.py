"""The gateway's connections before any app."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from gateway_service.access.waiting import Waiting
from gateway_service.port import listen
from gateway_service.server import _connections, _Server

SECONDS_MAX = 20.0


@asynccontextmanager
async def connected(app: Any) -> AsyncIterator[tuple[Any, Any, Any]]:
    """A server of the app, and the two ends of a client's connection to it."""
    listening = listen("127.0.0.1", 0)
    http = _connections(Waiting())
    server = _Server(uvicorn.Config(app, http=http, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=listening))
    reader, writer = await asyncio.open_connection(*listening[0].getsockname())
    async with asyncio.timeout(SECONDS_MAX):
        yield server, reader, writer
        writer.close()
        server.should_exit = True
        await serving


async def send_nothing(send: Any) -> None:
    """The answer to a request of which nothing is asked."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
