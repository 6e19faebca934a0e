"""The long poll of Claim: look for jobs, wait until woken or until the next poll, look again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from carbonline.serving.errors import RpcError
from carbonline.serving.places import NoPlace, Places
from scheduler_service.rpc.wakes import Wakes

Found = TypeVar("Found")
# Who asks right behind a look that left nothing is told of what comes next. It looks by itself only
# after so long: it may repeat a call, and nobody hints at jobs that it holds.
FIRST_LOOK_SECONDS = 0.1
QUEUES_REMEMBERED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Queue:
    """The jobs that a claim may get: of these types and tenants."""

    job_types: tuple[str, ...]
    tenants: tuple[str, ...]


class LongPolls:
    """The Claims of this process that wait for jobs."""

    def __init__(self, wakes: Wakes, poll_seconds: float, parked_max: int) -> None:
        """A Claim that nobody wakes looks again every `poll_seconds`, with jitter. One caller may
        have `parked_max` that look or wait, callers of the same tenants half as many again, all
        together twice as many.
        """
        self._wakes = wakes
        self._poll_seconds = poll_seconds
        self._parked = Places(parked_max)
        # Of queues in which the last look has left nothing: the hints of before that look.
        self._left_empty: dict[Queue, int] = {}
        self.draining = asyncio.Event()

    async def first(
        self,
        look: Callable[[], Awaitable[Sequence[Found]]],
        queue: Queue,
        wait_seconds: float,
        caller: str,
        *,
        leaves_some: Callable[[Found], bool],
        is_to_drain: Callable[[], bool] = lambda: False,
    ) -> Sequence[Found]:
        """What `look` finds, or nothing after `wait_seconds`, or once the worker `is_to_drain`.

        Jobs of the `queue` wake it. `leaves_some` says whether more may have been there than what
        was found. It returns at once while this process drains.
        Raises RpcError TOO_MANY_PARKED_CLAIMS if too many claims of the `caller`, of its tenants,
        or of all wait. A caller that hangs up cancels it.
        """
        try:
            with self._parked.one(caller, queue.tenants):
                return await self._first(look, queue, wait_seconds, leaves_some, is_to_drain)
        except NoPlace:
            most = self._parked.each_max
            raise RpcError(
                "TOO_MANY_PARKED_CLAIMS",
                f"{most:,} claims of yours, half as many again of your tenants, "
                "or twice as many of all callers, wait here; call again later",
            ) from None

    async def _first(
        self,
        look: Callable[[], Awaitable[Sequence[Found]]],
        queue: Queue,
        wait_seconds: float,
        leaves_some: Callable[[Found], bool],
        is_to_drain: Callable[[], bool],
    ) -> Sequence[Found]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        with self._wakes.waiting_for(queue.job_types) as woken:
            if self._is_empty(queue) and not is_to_drain():
                await _any_of(woken, self.draining, min(wait_seconds, FIRST_LOOK_SECONDS))
            while True:
                woken.clear()
                hints = self._wakes.hints_of(queue.job_types)
                found = await look()
                self._note(queue, hints, is_empty=not any(map(leaves_some, found)))
                left = deadline - loop.time()
                if found or left <= 0 or is_to_drain() or self.draining.is_set():
                    return found
                poll = self._poll_seconds * random.uniform(0.75, 1.25)  # noqa: S311
                await _any_of(woken, self.draining, min(left, poll))

    def _is_empty(self, queue: Queue) -> bool:
        """Whether the last look has left nothing, and nothing has come since it began."""
        return self._left_empty.get(queue) == self._wakes.hints_of(queue.job_types)

    def _note(self, queue: Queue, hints: int, *, is_empty: bool) -> None:
        if not is_empty:
            self._left_empty.pop(queue, None)
            return
        if len(self._left_empty) >= QUEUES_REMEMBERED_MAX:
            self._left_empty.clear()
        self._left_empty[queue] = hints


async def _any_of(first: asyncio.Event, second: asyncio.Event, seconds: float) -> None:
    tasks = [asyncio.create_task(first.wait()), asyncio.create_task(second.wait())]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
