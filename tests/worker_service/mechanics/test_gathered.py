"""Ends of jobs are sent in batches, and again together until the scheduler answers."""

import asyncio
from collections.abc import Sequence

import pytest

from carbonline.serving.logs import open_log
from worker_service.mechanics import gathered
from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.gathered import Gathered
from worker_service.mechanics.scheduler import SchedulerRefused, SchedulerUnreachable

LOG = open_log("error")


class Scheduler:
    """Doubles numbers. It is unreachable for the first calls, and refuses negative numbers."""

    def __init__(self, unanswered: int = 0) -> None:
        self.calls: list[list[int]] = []
        self._unanswered = unanswered

    async def send(self, items: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(items))
        if len(self.calls) <= self._unanswered:
            raise SchedulerUnreachable("connection refused")
        if min(items) < 0:
            raise SchedulerRefused("INVALID_ARGUMENT", "FIELD_INVALID", "negative")
        if 7 in items:
            raise ZeroDivisionError
        return [2 * item for item in items]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "Backoff", lambda: Backoff(first_seconds=0.0))


async def asked(
    ends: Gathered[int, int], *items: int, within: int | None = None
) -> list[int | BaseException | None]:
    left = [within]

    def worth_it() -> bool:
        if left[0] is None:
            return True
        left[0] -= 1
        return left[0] >= 0

    async with asyncio.timeout(20):
        return await asyncio.gather(
            *(ends.ask(item, worth_it) for item in items), return_exceptions=True
        )


async def test_items_of_one_turn_share_a_call() -> None:
    scheduler = Scheduler()
    assert await asked(Gathered(scheduler.send, 10, LOG), 1, 2, 3) == [2, 4, 6]
    assert scheduler.calls == [[1, 2, 3]]


async def test_a_batch_without_an_answer_is_repeated_whole() -> None:
    scheduler = Scheduler(unanswered=3)
    assert await asked(Gathered(scheduler.send, 10, LOG), 1, 2, 3) == [2, 4, 6]
    assert scheduler.calls == [[1, 2, 3]] * 4


async def test_an_item_that_is_not_worth_a_repeat_gets_no_answer() -> None:
    scheduler = Scheduler(unanswered=9)
    assert await asked(Gathered(scheduler.send, 10, LOG), 1, within=2) == [None]
    assert scheduler.calls == [[1]] * 3


async def test_a_refused_item_is_refused_alone() -> None:
    scheduler = Scheduler()
    one, refused, other = await asked(Gathered(scheduler.send, 10, LOG), 1, -1, 3)
    assert (one, other) == (2, 6)
    assert isinstance(refused, SchedulerRefused)


async def test_an_item_that_cannot_be_decided_now_is_sent_again_alone() -> None:
    calls: list[list[int]] = []

    async def send(items: Sequence[int]) -> Sequence[int | None]:
        calls.append(list(items))
        return [None if item == 2 and len(calls) < 4 else 2 * item for item in items]

    assert await asked(Gathered(send, 10, LOG), 1, 2, 3) == [2, 4, 6]
    assert calls == [[1, 2, 3], [2], [2], [2]]


async def test_an_undecided_item_that_is_not_worth_a_repeat_gets_no_answer() -> None:
    async def send(items: Sequence[int]) -> Sequence[int | None]:
        return [None] * len(items)

    assert await asked(Gathered(send, 10, LOG), 1, within=2) == [None]


async def test_a_defect_is_told_to_its_own_item_alone() -> None:
    scheduler = Scheduler()
    one, failed, other = await asked(Gathered(scheduler.send, 10, LOG), 1, 7, 3)
    assert (one, other) == (2, 6)
    assert isinstance(failed, ZeroDivisionError)
    assert scheduler.calls == [[1, 7, 3], [1], [7], [3]]


async def test_a_call_weighs_no_more_than_it_may() -> None:
    scheduler = Scheduler()
    ends: Gathered[int, int] = Gathered(scheduler.send, 10, LOG, weight=lambda item: item)
    assert await asked(ends, 4, 5, 6, 20, 1) == [8, 10, 12, 40, 2]
    assert sorted(sum(call) for call in scheduler.calls) == [1, 6, 9, 20]


async def test_too_few_answers_are_a_defect_and_no_answer_of_anybody() -> None:
    async def too_few(items: Sequence[int]) -> Sequence[int]:
        return list(items[1:])

    answers = await asked(Gathered(too_few, 10, LOG), 1, 2)
    assert [type(answer) for answer in answers] == [ValueError] * 2
