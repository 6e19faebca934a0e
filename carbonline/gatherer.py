"""Gathers concurrent calls of one kind into one batch while the batch before is on its way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

# A batch that fails is divided into so many: where each failure is a timeout, halves take long.
PARTS = 8
# Between two looks whether what fails everything has passed.
PAUSE_SECONDS = 0.25


@dataclass(slots=True)
class _Group(Generic[Item, Answer]):
    """Items that came together, and where their answers go, or why there are none.

    Not frozen, because there is one per item that comes alone, and that would cost three times.
    """

    items: Sequence[Item]
    weight: int
    answers: asyncio.Future[Sequence[Answer | Exception]]
    # By place, where the batch failed and its parts are asked.
    found: dict[int, Answer | Exception] | None = None

    def answer(self, place: int, answer: Answer | Exception) -> None:
        """The answer of one item. With the last one the group has its answers."""
        if self.found is None:
            self.found = {}
        self.found[place] = answer
        if len(self.found) == len(self.items) and not self.answers.done():
            self.answers.set_result([self.found[n] for n in range(len(self.items))])


@dataclass(slots=True)
class _Part(Generic[Item, Answer]):
    """Some items of a batch that failed: each by its group and its place there."""

    places: Sequence[tuple[_Group[Item, Answer], int]]
    patient_until: float = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for an answer."""
        return not all(group.answers.done() for group, _ in self.places)

    def items(self) -> list[Item]:
        """The items, in order."""
        return [group.items[place] for group, place in self.places]

    def answer(self, answers: Sequence[Answer | Exception]) -> None:
        """One answer per item, in order."""
        for (group, place), answer in zip(self.places, answers, strict=True):
            group.answer(place, answer)

    def divided(self, patient_until: float) -> "Iterator[_Part[Item, Answer]]":
        """At most PARTS parts of it."""
        size = -(-len(self.places) // PARTS)
        for start in range(0, len(self.places), size):
            yield _Part(self.places[start : start + size], patient_until)


class Gatherer(Generic[Item, Answer]):
    """Sends items in batches. An item waits for nothing while no batch is on its way; what comes
    meanwhile shares the next batch, so that batches grow with the load by themselves.

    Each item gets its own answer. A batch that fails is divided until the item that fails is alone:
    its neighbours are not harmed. Nor are they by a caller that is cancelled. The parts are asked
    beside the batches that come later, which wait for none of them.
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
        patience_seconds: float = 0.0,
    ) -> None:
        """`work` answers a batch of at most `weight_max`, or of a single call that weighs more:
        one answer per item, in order, or the exception with which that item failed. `weight` says
        what an item weighs; without it, 1.

        `fails_all` says which of its exceptions any item would have met: then the batch is not
        divided, and every caller gets the exception. A part of a divided batch is asked again
        instead, for `patience_seconds` after the division: an item may have caused what fails all.

        `batches_max` batches may be on their way at once, and one part of a divided batch, if the
        later ones weigh at least `beside_weight`, or are full without it. A batch that is far from
        full waits for `linger_seconds` if another one has just ended.
        """
        self._work = work
        self._weight_max = weight_max
        self._fails_all = fails_all
        self._weight = weight
        self._batches_max = batches_max
        self._beside_weight = weight_max if beside_weight is None else beside_weight
        self._linger_seconds = linger_seconds
        self._patience_seconds = patience_seconds
        self._waiting: deque[_Group[Item, Answer]] = deque()
        self._weight_waiting = 0
        # Of those that still look for batches; a task that is over may not have been seen yet.
        self._running = 0
        self._runners: set[asyncio.Task[None]] = set()
        self._failed: deque[_Part[Item, Answer]] = deque()
        self._divider: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """The answer for one item. Raises the exception with which it, or every item, failed."""
        weight = 1 if self._weight is None else self._weight(item)
        (answer,) = await self._put((item,), weight)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask_all(self, items: Sequence[Item]) -> list[Answer | Exception]:
        """One answer per item, in order, or the exception with which it failed; the answers of the
        others stand. All are in one batch, which they may share with the items of other callers.

        Raises an exception that is of `fails_all`: any of the items may then be asked again.
        """
        if not items:
            return []
        weight = len(items) if self._weight is None else sum(map(self._weight, items))
        answers = list(await self._put(items, weight))
        for answer in answers:
            if isinstance(answer, Exception) and self._fails_all(answer):
                raise answer
        return answers

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
        try:
            answers = await self._work([item for group in batch for item in group.items])
        except Exception as error:  # noqa: BLE001 - whatever it is, its callers get it
            self._divide(_Part([(g, n) for g in batch for n in range(len(g.items))]), error)
            return
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

    def _divide(self, part: _Part[Item, Answer], error: Exception) -> None:
        """Ask smaller parts, beside the batches; or answer, if nothing smaller would do better."""
        if len(part.places) == 1 or self._fails_all(error):
            part.answer([error] * len(part.places))
            return
        loop = asyncio.get_running_loop()
        self._failed += part.divided(loop.time() + self._patience_seconds)
        if self._divider is None or self._divider.done():
            self._divider = asyncio.create_task(self._ask_parts(), name="divider")

    async def _ask_parts(self) -> None:
        loop = asyncio.get_running_loop()
        while self._failed:
            part = self._failed.popleft()
            if not part.is_wanted:
                continue
            try:
                part.answer(await self._work(part.items()))
            except Exception as error:  # noqa: BLE001 - whatever it is, its callers get it
                if self._fails_all(error) and loop.time() < part.patient_until:
                    self._failed.appendleft(part)
                    await asyncio.sleep(PAUSE_SECONDS)
                else:
                    self._divide(part, error)
