"""Gathers concurrent calls of one kind into one batch while the batch before is on its way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from carbonline.postgres.errors import is_unavailable

LINGER_SECONDS = 0.003

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Group(Generic[Item, Answer]):
    """Items that came together, and where their answers go, or why there are none."""

    items: Sequence[Item]
    answers: asyncio.Future[Sequence[Answer | Exception]]


class Gatherer(Generic[Item, Answer]):
    """No wait when idle: the first call starts a batch at once, what comes meanwhile shares the
    next, which lingers for a moment: the callers of the batch before are about to come again, and
    a transaction costs more than their wait. Each item gets its own answer. A batch that fails is
    halved until the one item that poisons it fails alone; a caller that goes away harms nobody.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        items_max: int,
        batches_max: int = 1,
    ) -> None:
        """`work` answers a batch of at most `items_max`, in order. With `batches_max` above 1 a
        further batch does not wait for the one before, if it is full.
        """
        self._work = work
        self._items_max = items_max
        self._batches_max = batches_max
        self._waiting: deque[_Group[Item, Answer]] = deque()
        self._items_waiting = 0
        self._runners: list[asyncio.Task[None]] = []

    async def ask(self, item: Item) -> Answer:
        """The answer for one item. Raises what it alone was refused with."""
        (answer,) = await self.ask_all([item])
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask_all(self, items: Sequence[Item]) -> list[Answer | Exception]:
        """The answers for some items, in order, or why there is none: what the others came to
        stands. They may share batches with others'. Raises when the database is away: then they
        may all be asked again.
        """
        loop = asyncio.get_running_loop()
        groups: list[_Group[Item, Answer]] = [
            _Group(items[start : start + self._items_max], loop.create_future())
            for start in range(0, len(items), self._items_max)
        ]
        self._waiting += groups
        self._items_waiting += len(items)
        self._start_runners()
        if len(groups) == 1:
            answers = list(await groups[0].answers)
        else:
            parts = await asyncio.gather(*(group.answers for group in groups))
            answers = [answer for part in parts for answer in part]
        for answer in answers:
            if isinstance(answer, Exception) and is_unavailable(answer):
                raise answer
        return answers

    def _start_runners(self) -> None:
        self._runners = [runner for runner in self._runners if not runner.done()]
        full = self._items_waiting >= self._items_max
        if not self._runners or (full and len(self._runners) < self._batches_max):
            self._runners.append(asyncio.create_task(self._run(), name="gatherer"))

    async def _run(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            if not batch:
                continue
            answers = await self._answers([item for group in batch for item in group.items])
            start = 0
            for group in batch:
                end = start + len(group.items)
                if not group.answers.done():
                    group.answers.set_result(answers[start:end])
                start = end
            if 0 < self._items_waiting < self._items_max // 4:
                await asyncio.sleep(LINGER_SECONDS)

    def _next_batch(self) -> list[_Group[Item, Answer]]:
        """Whole groups, in order; those that nobody waits for any more are dropped."""
        batch: list[_Group[Item, Answer]] = []
        room = self._items_max
        while self._waiting and len(self._waiting[0].items) <= room:
            group = self._waiting.popleft()
            self._items_waiting -= len(group.items)
            if not group.answers.cancelled():
                batch.append(group)
                room -= len(group.items)
        return batch

    async def _answers(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        """One answer per item, in order, or why there is none."""
        try:
            return await self._work(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, its callers get it
            if len(items) == 1 or is_unavailable(error):
                return [error] * len(items)
        middle = len(items) // 2
        first = await self._answers(items[:middle])
        return [*first, *await self._answers(items[middle:])]
