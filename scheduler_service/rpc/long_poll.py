"""The long poll of Claim: look for jobs, wait until woken or until the next poll, look again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from carbonline.serving.errors import RpcError
from carbonline.serving.places import NoPlace, Places
from scheduler_service.rpc.wakes import Wakes

Found = TypeVar("Found")


class LongPolls:
    """The Claims of this process that wait for jobs."""

    def __init__(self, wakes: Wakes, poll_seconds: float, parked_max: int) -> None:
        """A Claim that nobody wakes looks again every `poll_seconds`, with jitter. One caller may
        have `parked_max` that look or wait, all together twice as many.
        """
        self._wakes = wakes
        self._poll_seconds = poll_seconds
        self._parked = Places(parked_max)
        self.draining = asyncio.Event()

    async def first(
        self,
        look: Callable[[], Awaitable[Sequence[Found]]],
        job_types: Sequence[str],
        wait_seconds: float,
        caller: str,
        is_to_drain: Callable[[], bool] = lambda: False,
    ) -> Sequence[Found]:
        """What `look` finds, or nothing after `wait_seconds`, or once the worker `is_to_drain`.

        `job_types` are those whose jobs wake it. It returns at once while this process drains.
        Raises RpcError TOO_MANY_PARKED_CLAIMS if too many claims of the `caller`, or of all, wait.
        A caller that hangs up cancels it.
        """
        try:
            with self._parked.one(caller):
                return await self._first(look, job_types, wait_seconds, is_to_drain)
        except NoPlace:
            most = self._parked.each_max
            message = f"{most:,} claims of yours, or twice as many of all callers, wait here; "
            raise RpcError("TOO_MANY_PARKED_CLAIMS", message + "call again later") from None

    async def _first(
        self,
        look: Callable[[], Awaitable[Sequence[Found]]],
        job_types: Sequence[str],
        wait_seconds: float,
        is_to_drain: Callable[[], bool],
    ) -> Sequence[Found]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        with self._wakes.waiting_for(job_types) as woken:
            while True:
                woken.clear()
                found = await look()
                left = deadline - loop.time()
                if found or left <= 0 or is_to_drain() or self.draining.is_set():
                    return found
                poll = self._poll_seconds * random.uniform(0.75, 1.25)  # noqa: S311
                await _any_of(woken, self.draining, min(left, poll))


async def _any_of(first: asyncio.Event, second: asyncio.Event, seconds: float) -> None:
    tasks = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
