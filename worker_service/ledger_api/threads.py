"""Runs blocking work in threads, and keeps its files open until it has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
Opened = TypeVar("Opened", bound=AbstractContextManager[Any])


async def whole(work: Callable[..., T], *arguments: Any) -> T:
    """Run the work in a thread and return its result. A cancellation waits until it has ended."""
    working = asyncio.create_task(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait({working})


@asynccontextmanager
async def opened(open_it: Callable[..., Opened], *arguments: Any) -> AsyncIterator[Opened]:
    """Open something in a thread. It is closed even if a cancellation came before it was open."""
    opening = asyncio.create_task(asyncio.to_thread(open_it, *arguments))
    try:
        yield await asyncio.shield(opening)
    finally:
        with await opening:
            pass
