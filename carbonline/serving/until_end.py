"""Work that a server's end cuts short, so that it clears up and its caller comes again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

from carbonline.serving.errors import RpcError


async def until(end: asyncio.Event, work: Coroutine[Any, Any, Any]) -> Any:
    """What the work answers; DRAINING, after its clearing up, where the end comes first."""
    working, ending = asyncio.create_task(work), asyncio.create_task(end.wait())
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        ending.cancel()
        await asyncio.wait({working, ending})
        # Looked at here, since nobody else does when this call itself is cancelled.
        failure = None if working.cancelled() else working.exception()
    if working.cancelled():
        raise RpcError("DRAINING", "this server is shutting down; retry this call")
    if failure is not None:
        raise failure
    return working.result()


async def each_until(end: asyncio.Event, messages: Any) -> AsyncGenerator[Any, None]:
    """The messages of a stream; DRAINING where the end comes before the next one."""
    async with aclosing(messages):
        while (message := await until(end, _next(messages))) is not None:
            yield message


async def _next(messages: AsyncIterator[Any]) -> Any:
    return await anext(messages, None)
