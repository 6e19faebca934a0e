"""Calls of one kind that wait while another is on its way go out together."""

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
    """One call in flight at a time, and a second one once a whole batch waits behind it. Idle,
    nothing waits; under load, batches grow by themselves.

    `send` takes items of at most `weight_max` in all (one item at least) and gives an answer for
    each, in order. A batch without an answer is repeated for as long as it is worth it to its
    items.
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
        """The item's answer; None when there was none for as long as it was worth it.

        Raises SchedulerRefused when the item alone is refused.
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
            # Those who became ready in the same turn of the loop go together.
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
        """False when there was no answer."""
        try:
            answers = await self._send([one.item for one in batch])
        except SchedulerUnreachable as error:
            self._log.warning("end_unanswered", reason=str(error), ends=len(batch))
            return False
        except SchedulerRefused as error:
            return await self._find_the_refused(batch, error)
        except Exception as error:  # noqa: BLE001  each waits for it, and none may wait for ever
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
        # One poisoned item fails the message: halves find it in few calls.
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
