"""Gathers concurrent calls of one kind into one batch while the batch before is on its way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Group(Generic[Item, Answer]):
    """Items that came together, and where their answers go, or why there are none.

    Not frozen, because there is one per item that comes alone, and that would cost three times.
    """

    items: Sequence[Item]
    weight: int
    answers: asyncio.Future[Sequence[Answer | Exception]]


class Gatherer(Generic[Item, Answer]):
    """Sends items in batches. An item waits for nothing while no batch is on its way; what comes
    meanwhile shares the next batch, so that batches grow with the load by themselves.

    Each item gets its own answer. A batch that fails is halved until the item that fails is alone:
    its neighbours are not harmed. Nor are they by a caller that is cancelled.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer | Exception]]],
        weight_max: int,
        *,
        fails_all: Callable[[Exception], bool],
        weight: Callable[[Item], int] | None = None,
        batches_max: int = 1,
        beside_weight: int | None = None,
        linger_seconds: float = 0.0,
    ) -> None:
        """`work` answers a batch of at most `weight_max`, or of a single item that weighs more:
        one answer per item, in order, or the exception with which that item failed. `weight` says
        what an item weighs; without it, 1.

        `fails_all` says which of its exceptions any item would have met: then the batch is not
        halved, and every caller gets the exception. `batches_max` batches may be on their way at
        once if the later ones weigh at least `beside_weight`, or are full without it. A batch that
        is far from full waits for `linger_seconds` if another one has just ended.
        """
        self._work = work
        self._weight_max = weight_max
        self._fails_all = fails_all
        self._weight = weight
        self._batches_max = batches_max
        self._beside_weight = weight_max if beside_weight is None else beside_weight
        self._linger_seconds = linger_seconds
        self._waiting: deque[_Group[Item, Answer]] = deque()
        self._weight_waiting = 0
        # Of those that still look for batches; a task that is over may not have been seen yet.
        self._running = 0
        self._runners: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """The answer for one item. Raises the exception with which it, or every item, failed."""
        weight = 1 if self._weight is None else self._weight(item)
        (answer,) = await self._put((item,), weight)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask_all(self, items: Sequence[Item]) -> list[Answer | Exception]:
        """One answer per item, in order, or the exception with which it failed; the answers of the
        others stand. They may share batches with the items of other callers.

        Raises an exception that is of `fails_all`: any of the items may then be asked again.
        """
        parts = [self._put(part, weight) for part, weight in self._parts(items)]
        if len(parts) == 1:
            answers = list(await parts[0])
        else:
            answers = [answer for part in await asyncio.gather(*parts) for answer in part]
        for answer in answers:
            if isinstance(answer, Exception) and self._fails_all(answer):
                raise answer
        return answers

    def _parts(self, items: Sequence[Item]) -> Iterator[tuple[Sequence[Item], int]]:
        """The items in parts of which each fits into a batch, with the weight of each."""
        weights = [1] * len(items) if self._weight is None else [self._weight(i) for i in items]
        start, total = 0, 0
        for number, weight in enumerate(weights):
            if total and total + weight > self._weight_max:
                yield items[start:number], total
                start, total = number, 0
            total += weight
        if total:
            yield items[start:], total

    def _put(
        self, items: Sequence[Item], weight: int
    ) -> asyncio.Future[Sequence[Answer | Exception]]:
        """Let these wait for a batch; the future has their answers."""
        answers = asyncio.get_running_loop().create_future()
        self._waiting.append(_Group(items, weight, answers))
        self._weight_waiting += weight
        heavy = self._weight_waiting >= self._beside_weight
        if not self._running or (heavy and self._running < self._batches_max):
            self._running += 1
            runner = asyncio.create_task(self._run(), name="gatherer")
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)
        return answers

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._run_batch(self._next_batch())
                if self._linger_seconds and 0 < self._weight_waiting < self._weight_max // 4:
                    await asyncio.sleep(self._linger_seconds)
        finally:
            self._running -= 1

    async def _run_batch(self, batch: Sequence[_Group[Item, Answer]]) -> None:
        if not batch:
            return
        answers = await self._answers([item for group in batch for item in group.items])
        start = 0
        for group in batch:
            end = start + len(group.items)
            if not group.answers.done():
                group.answers.set_result(answers[start:end])
            start = end

    def _next_batch(self) -> list[_Group[Item, Answer]]:
        """Whole groups, in order; those that nobody waits for any more are dropped."""
        batch: list[_Group[Item, Answer]] = []
        room = self._weight_max
        while self._waiting and (not batch or self._waiting[0].weight <= room):
            group = self._waiting.popleft()
            self._weight_waiting -= group.weight
            if not group.answers.cancelled():
                batch.append(group)
                room -= group.weight
        return batch

    async def _answers(self, items: Sequence[Item]) -> Sequence[Answer | Exception]:
        """One answer per item, in order, or the exception with which it failed."""
        try:
            return await self._work(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, its callers get it
            if len(items) == 1 or self._fails_all(error):
                return [error] * len(items)
        middle = len(items) // 2
        first = await self._answers(items[:middle])
        return [*first, *await self._answers(items[middle:])]
