"""Cancels work when its server ends, and has the caller retry it elsewhere."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

from carbonline.serving.errors import RpcError


async def until(end: asyncio.Event, work: Coroutine[Any, Any, Any]) -> Any:
    """The result of `work`. If `end` is set first, `work` is cancelled, and when it has cleaned up,
    RpcError DRAINING is raised.
    """
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
    """The messages of a stream. Raises RpcError DRAINING if `end` is set before the next one."""
    async with aclosing(messages):
        while (message := await until(end, _next(messages))) is not None:
            yield message


async def _next(messages: AsyncIterator[Any]) -> Any:
    return await anext(messages, None)
