"""Stages that overlap: in order, one item ahead, and gone without a trace when they are left."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from worker_service.steps.prefetched import off_loop, prefetched


async def numbers(made: list[int], count: int = 10) -> AsyncIterator[int]:
    for number in range(count):
        made.append(number)
        yield number


async def test_items_come_in_order() -> None:
    assert [item async for item in prefetched(prefetched(numbers([])))] == list(range(10))


async def test_one_item_is_made_ahead_and_no_more() -> None:
    made: list[int] = []
    async with aclosing(prefetched(numbers(made))) as items:
        async for item in items:
            for _ in range(5):
                await asyncio.sleep(0)
            assert made == list(range(min(item + 2, 10)))


async def test_what_the_source_raises_comes_after_the_items_before_it() -> None:
    async def breaks() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    seen = []

    async def consume() -> None:
        async for item in prefetched(breaks()):
            seen.append(item)  # noqa: PERF401  what came before the error counts

    with pytest.raises(ZeroDivisionError):
        await consume()
    assert seen == [1]


async def test_a_source_that_is_left_early_is_stopped() -> None:
    stopped = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    before = asyncio.all_tasks()
    async with aclosing(prefetched(endless())) as items:
        assert await anext(items) == 1
        await asyncio.sleep(0)
    assert stopped.is_set()
    assert asyncio.all_tasks() == before


async def test_an_error_that_nobody_waited_for_is_not_reported() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def breaks() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError

    async with aclosing(prefetched(breaks())) as items:
        assert await anext(items) == 1
        for _ in range(5):
            await asyncio.sleep(0)
    del items
    gc.collect()
    assert complaints == []


async def test_items_that_compute_are_made_off_the_loop() -> None:
    def where() -> Iterator[int]:
        yield threading.get_ident()
        yield threading.get_ident()

    threads = [item async for item in off_loop(where())]
    assert len(threads) == 2
    assert threading.get_ident() not in threads
