"""Blocking work off the event loop, whose files nobody closes or forgets under it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
Opened = TypeVar("Opened", bound=AbstractContextManager[Any])


async def whole(work: Callable[..., T], *arguments: Any) -> T:
    """The result of the work; a cancellation waits for its end."""
    working = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait({working})


@asynccontextmanager
async def opened(open_it: Callable[..., Opened], *arguments: Any) -> AsyncIterator[Opened]:
    """What the work opens; closed also where a cancellation came before it was open."""
    opening = asyncio.create_task(asyncio.to_thread(open_it, *arguments))
    try:
        yield await asyncio.shield(opening)
    finally:
        with await opening:
            pass
