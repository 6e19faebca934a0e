"""Batches items: those that come while a call is in flight are sent together by the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.scheduler import SchedulerRefused, SchedulerUnreachable

CALLS_MAX = 2

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class _Waiting(NamedTuple, Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer | None]
    worth_it: Callable[[], bool]


def _one(_item: object) -> int:
    return 1


class Gathered(Generic[Item, Answer]):
    """Sends items in batches: one call in flight at a time, two if a whole batch waits.

    An item waits for nothing while no call is in flight. Under load, batches grow by themselves.
    `send` takes at least one item and at most `weight_max` of weight, and returns one answer per
    item, in order. A batch without an answer is repeated while its items are worth it.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        weight_max: int,
        log: FilteringBoundLogger,
        weight: Callable[[Item], int] = _one,
    ) -> None:
        self._send = send
        self._weight_max = weight_max
        self._weight = weight
        self._log = log
        self._waiting: deque[_Waiting[Item, Answer]] = deque()
        self._waiting_weight = 0
        self._pumps: set[asyncio.Task[None]] = set()
        # Of the pumps, those that will look at what is waiting once more.
        self._pumping = 0
        self._loop = asyncio.get_running_loop()

    async def ask(self, item: Item, worth_it: Callable[[], bool]) -> Answer | None:
        """Sends an item. Returns its answer, or None if none came while `worth_it()` was true.

        Raises SchedulerRefused if this item is refused, whatever else was in its batch.
        """
        answer: asyncio.Future[Answer | None] = self._loop.create_future()
        self._waiting.append(_Waiting(item, answer, worth_it))
        self._waiting_weight += self._weight(item)
        whole_batch = self._waiting_weight >= self._weight_max
        if self._pumping == 0 or (whole_batch and self._pumping < CALLS_MAX):
            self._start_pump()
        return await answer

    def _start_pump(self) -> None:
        self._pumping += 1
        pump = self._loop.create_task(self._pump(), name="gathered")
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)

    async def _pump(self) -> None:
        try:
            # Items that come in the same turn of the loop are sent together.
            await asyncio.sleep(0)
            await self._send_all()
        finally:
            self._pumping -= 1

    async def _send_all(self) -> None:
        backoff = Backoff()
        while self._waiting:
            batch = self._next_batch()
            if batch and not await self._send_batch(batch):
                await asyncio.sleep(backoff.next_seconds())
                again = self._still_worth_it(batch)
                self._waiting.extendleft(reversed(again))
                self._waiting_weight += sum(self._weight(one.item) for one in again)
            else:
                backoff.reset()

    def _next_batch(self) -> list[_Waiting[Item, Answer]]:
        batch: list[_Waiting[Item, Answer]] = []
        room = self._weight_max
        while self._waiting:
            weight = self._weight(self._waiting[0].item)
            room -= weight
            if batch and room < 0:
                break
            one = self._waiting.popleft()
            self._waiting_weight -= weight
            if not one.answer.done():
                batch.append(one)
        return batch

    async def _send_batch(self, batch: Sequence[_Waiting[Item, Answer]]) -> bool:
        """Whether there was an answer for each item."""
        try:
            answers = await self._send([one.item for one in batch])
        except SchedulerUnreachable as error:
            self._log.warning("finish_or_release_unanswered", reason=str(error), jobs=len(batch))
            return False
        except SchedulerRefused as error:
            return await self._find_the_refused(batch, error)
        except Exception as error:  # noqa: BLE001  every waiting item must get it
            for one in batch:
                _set(one.answer, error)
            return True
        for one, answer in zip(batch, answers, strict=True):
            if not one.answer.done():
                one.answer.set_result(answer)
        return True

    async def _find_the_refused(
        self, batch: Sequence[_Waiting[Item, Answer]], error: SchedulerRefused
    ) -> bool:
        if len(batch) == 1:
            _set(batch[0].answer, error)
            return True
        # One invalid item fails the whole call: sending halves finds it in few calls.
        half = len(batch) // 2
        first = await self._send_batch(batch[:half])
        second = await self._send_batch(batch[half:])
        return first and second

    def _still_worth_it(
        self, batch: Sequence[_Waiting[Item, Answer]]
    ) -> Sequence[_Waiting[Item, Answer]]:
        again = []
        for one in batch:
            if one.answer.done():
                continue
            if one.worth_it():
                again.append(one)
            else:
                one.answer.set_result(None)
        return again


def _set(answer: asyncio.Future[Answer | None], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
