"""Server-sent events: an answer that goes on until its source ends, its reader leaves, or the
gateway drains.
"""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

# A reader that takes nothing for so long has stopped: it holds what it does not read.
SEND_SECONDS_MAX = 10.0
# When a browser comes back after the end of a stream; different ones at different times.
RETRY_MILLISECONDS = (1000, 3000)
KEEPALIVE = b":\n\n"


def event(name: str, data: bytes, number: int | None = None) -> bytes:
    """One event. `data` is JSON without line breaks; `number` is what Last-Event-ID brings back."""
    head = f"event: {name}\n" if number is None else f"event: {name}\nid: {number}\n"
    return head.encode() + b"data: " + data + b"\n\n"


class EventStream(Response):
    """Sends what `source` gives, and closes it at the end, whoever brings the end about."""

    media_type = "text/event-stream"

    def __init__(self, source: AsyncGenerator[bytes], draining: asyncio.Event) -> None:
        super().__init__(
            headers={"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
        )
        del self.headers["content-length"]
        self._source = source
        self._draining = draining

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until an end."""
        await send(
            {"type": "http.response.start", "status": 200, "headers": list(self.raw_headers)}
        )
        ends = [
            asyncio.create_task(self._send_all(send)),
            asyncio.create_task(_left(receive)),
            asyncio.create_task(_set(self._draining)),
        ]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            await self._source.aclose()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(SEND_SECONDS_MAX):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311 - no secret
        await _send(send, f"retry: {retry}\n\n".encode())
        async for piece in self._source:
            await _send(send, piece)


async def _send(send: Send, piece: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS_MAX):
        await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _left(receive: Receive) -> None:
    """Returns when the reader has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _set(happened: asyncio.Event) -> None:
    await happened.wait()
