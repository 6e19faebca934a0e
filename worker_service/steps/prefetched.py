"""Overlapping stages: the next item is made while the last one is used."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Final, TypeVar

T = TypeVar("T")


class _End:
    """Marks the end."""


END: Final = _End()


async def off_loop(items: Iterator[T]) -> AsyncGenerator[T, None]:
    """The items of a blocking iterator; each is made in a thread."""
    while not isinstance(item := await asyncio.to_thread(next, items, END), _End):
        yield item


async def prefetched(source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The same items, made one ahead. Memory stays bounded, since it is never more than one."""

    async def pull() -> T | _End:
        return await anext(source, END)

    ahead = asyncio.create_task(pull())
    try:
        while not isinstance(item := await ahead, _End):
            ahead = asyncio.create_task(pull())
            yield item
    finally:
        ahead.cancel()
        await asyncio.wait({ahead})
        if not ahead.cancelled():
            # Retrieve it, or asyncio warns about an exception that nobody retrieved.
            ahead.exception()
