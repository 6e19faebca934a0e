"""Does for many what nobody has locked: who waits for a lock keeps nobody else waiting."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from time import monotonic
from typing import Generic, TypeVar

import asyncpg

# For so long after a batch had to wait, each asks first what is locked.
CROWDED_SECONDS = 1.0
# How long a call may wait for a lock of others, and between two looks.
LOCKED_SECONDS_MAX = 60.0
LOCKED_PAUSE_SECONDS = (0.02, 0.2)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class LockedElsewhere(asyncpg.LockNotAvailableError):
    """Somebody else has locked what this item needs: ask again."""


class Unlocked(Generic[Item, Answer]):
    """Batches of one kind of work, each without what is locked. One per store and kind."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        locked: Callable[[Sequence[Item]], Awaitable[Collection[int]]],
    ) -> None:
        """`work` answers each item, in order, or raises LockNotAvailableError for all of them.
        `locked` says the places of those that would have to wait.
        """
        self._work = work
        self._locked = locked
        self._crowded_until = 0.0

    async def ask(self, items: Sequence[Item]) -> list[Answer | LockedElsewhere]:
        """One answer per item, in order: LockedElsewhere for those that were left out.

        Raises LockNotAvailableError if the others had to wait all the same: ask for fewer at once.
        """
        if monotonic() > self._crowded_until:
            try:
                return [*await self._work(items)]
            except asyncpg.LockNotAvailableError:
                self._crowded_until = monotonic() + CROWDED_SECONDS
        locked = await self._locked(items)
        free = [item for place, item in enumerate(items) if place not in locked]
        answers = iter(await self._work(free) if free else ())
        return [
            LockedElsewhere("what it needs is locked") if place in locked else next(answers)
            for place in range(len(items))
        ]
