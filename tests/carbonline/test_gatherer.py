"""Concurrent calls share a batch, each gets its own answer, and nobody harms a neighbour."""

import asyncio
from collections.abc import Callable, Sequence

import asyncpg
import pytest
from asyncpg.exceptions import _base

from carbonline import gatherer
from carbonline.gatherer import PARTS, Gatherer
from carbonline.postgres.errors import VALUE_REFUSED, fails_everything, is_unavailable


class Doubler:
    """Doubles numbers; -1 poisons a batch, at -2 the database is lost, -3 is a bad value.
    Every batch waits for the gate to be opened.
    """

    def __init__(
        self,
        items_max: int,
        batches_max: int = 1,
        weight: Callable[[int], int] | None = None,
        beside_weight: int | None = None,
    ) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gatherer: Gatherer[int, int] = Gatherer(
            self.work,
            items_max,
            fails_all=is_unavailable,
            weight=weight,
            batches_max=batches_max,
            beside_weight=beside_weight,
            linger_seconds=0.003,
        )

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        await self.gate.wait()
        if -1 in items:
            raise ValueError("a poisoned item")
        if -2 in items:
            raise ConnectionResetError("the database is gone")
        if -3 in items:
            raise _base.DataError("value out of int64 range")
        return [2 * item for item in items]

    async def asked(self, *calls: list[int]) -> list[asyncio.Task[list[int | Exception]]]:
        """Calls that wait behind a first one that is on its way."""
        first = asyncio.create_task(self.gatherer.ask_all([0]))
        while not self.batches:  # noqa: ASYNC110 - a turn or two of the loop
            await asyncio.sleep(0)
        tasks = [asyncio.create_task(self.gatherer.ask_all(call)) for call in calls]
        await asyncio.sleep(0)
        return [first, *tasks]


async def test_what_comes_while_a_batch_is_on_its_way_shares_the_next() -> None:
    doubler = Doubler(items_max=10)
    tasks = await doubler.asked([1, 2], [3], [4])
    doubler.gate.set()
    assert await asyncio.gather(*tasks) == [[0], [2, 4], [6], [8]]
    assert doubler.batches == [[0], [1, 2, 3, 4]]


async def test_a_batch_has_a_bound_and_a_call_is_never_cut_in_two() -> None:
    doubler = Doubler(items_max=3)
    tasks = await doubler.asked([1, 2], [3, 4], [5], [1, 2, 3, 4, 5, 6, 7], [8])
    doubler.gate.set()
    assert (await asyncio.gather(*tasks))[3:] == [[10], [2, 4, 6, 8, 10, 12, 14], [16]]
    assert doubler.batches == [[0], [1, 2], [3, 4, 5], [1, 2, 3, 4, 5, 6, 7], [8]]


async def test_a_poisoned_item_fails_alone_whoever_came_with_it() -> None:
    doubler = Doubler(items_max=10)
    _, good, bad, other = await doubler.asked([1, 2], [4, -1, 5], [3])
    doubler.gate.set()
    assert await good == [2, 4]
    assert await other == [6]
    first, poisoned, last = await bad
    assert (first, last) == (8, 10)
    assert isinstance(poisoned, ValueError)
    with pytest.raises(ValueError, match="poisoned"):
        await doubler.gatherer.ask(-1)


async def test_a_lost_database_is_every_callers_and_asked_once() -> None:
    doubler = Doubler(items_max=10)
    _, one, other = await doubler.asked([1, -2, 3], [4])
    doubler.gate.set()
    for call in (one, other):
        with pytest.raises(ConnectionError):
            await call
    assert doubler.batches == [[0], [1, -2, 3, 4]]


async def test_a_value_that_the_driver_cannot_send_is_not_a_lost_database() -> None:
    doubler = Doubler(items_max=10)
    _, good, bad = await doubler.asked([1], [-3])
    doubler.gate.set()
    assert await good == [2]
    (refused,) = await bad
    assert isinstance(refused, VALUE_REFUSED)


async def test_a_caller_that_goes_away_harms_nobody() -> None:
    doubler = Doubler(items_max=10)
    _, gone, stays = await doubler.asked([1], [2])
    gone.cancel()
    await asyncio.wait({gone})
    doubler.gate.set()
    assert await stays == [4]
    assert doubler.batches == [[0], [2]]


async def test_a_batch_behind_another_lingers_for_those_who_are_about_to_come() -> None:
    doubler = Doubler(items_max=100)
    first, second = await doubler.asked([1])
    doubler.gate.set()
    await first
    # The batch before is answered; this one is still open.
    third = asyncio.create_task(doubler.gatherer.ask_all([2]))
    assert [await second, await third] == [[2], [4]]
    assert doubler.batches == [[0], [1, 2]]


async def test_a_full_batch_need_not_wait_where_two_may_be_on_their_way() -> None:
    doubler = Doubler(items_max=2, batches_max=2)
    first, few, more, last = await doubler.asked([1], [2], [3, 4])
    async with asyncio.timeout(5):
        while len(doubler.batches) < 2:  # noqa: ASYNC110 - a turn or two of the loop
            await asyncio.sleep(0)
    doubler.gate.set()
    assert [await few, await more, await last, await first] == [[2], [4], [6, 8], [0]]
    assert doubler.batches == [[0], [1, 2], [3, 4]]


async def test_a_batch_that_is_heavy_enough_need_not_wait_to_be_full() -> None:
    doubler = Doubler(items_max=10, batches_max=2, beside_weight=2)
    first, few, more, last = await doubler.asked([1], [2], [3])
    async with asyncio.timeout(5):
        while len(doubler.batches) < 2:  # noqa: ASYNC110 - a turn or two of the loop
            await asyncio.sleep(0)
    assert doubler.batches == [[0], [1, 2, 3]]
    doubler.gate.set()
    assert [await few, await more, await last, await first] == [[2], [4], [6], [0]]


async def test_a_batch_weighs_no_more_than_it_may_but_for_a_single_call() -> None:
    doubler = Doubler(items_max=10, weight=lambda item: max(item, 1))
    _, light, heavy, last = await doubler.asked([4], [4, 25], [1, 2])
    doubler.gate.set()
    assert [await light, await heavy, await last] == [[8], [8, 50], [2, 4]]
    assert doubler.batches == [[0], [4], [4, 25], [1, 2]]


async def test_a_call_without_items_has_no_answers_and_makes_no_batch() -> None:
    doubler = Doubler(items_max=10)
    assert await doubler.gatherer.ask_all([]) == []
    assert doubler.batches == []


class Crashing:
    """Doubles numbers. -4 ends the session that it is sent on, and the server refuses the next
    `away` calls; a batch with -5 fails, and -5 alone waits until it is let go.
    """

    def __init__(self, away: int = 0, patience_seconds: float = 60.0) -> None:
        self.away = away
        self.batches: list[list[int]] = []
        self.let_go = asyncio.Event()
        self._left = 0
        self.gatherer: Gatherer[int, int] = Gatherer(
            self.work, 100, fails_all=fails_everything, patience_seconds=patience_seconds
        )

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        await asyncio.sleep(0)
        if self._left:
            self._left -= 1
            raise ConnectionRefusedError("the server is starting")
        if -4 in items:
            self._left = self.away
            raise asyncpg.ConnectionDoesNotExistError("the connection was closed")
        if -5 in items and len(items) > 1:
            raise asyncpg.QueryCanceledError("it takes too long")
        if -5 in items:
            await self.let_go.wait()
        return [2 * item for item in items]


async def test_who_comes_later_does_not_wait_for_what_is_left_of_a_batch_that_failed() -> None:
    slow = Crashing()
    async with asyncio.timeout(20):
        failing = asyncio.create_task(slow.gatherer.ask_all([1, 2, -5, 3]))
        while [-5] not in slow.batches:  # noqa: ASYNC110 - a turn or two of the loop
            await asyncio.sleep(0)
        for number in range(3):
            assert await slow.gatherer.ask_all([number, 7]) == [2 * number, 14]
        assert not failing.done()
        slow.let_go.set()
        assert await failing == [2, 4, -10, 6]


@pytest.mark.parametrize("away", [0, 3])
async def test_an_item_that_takes_the_session_along_fails_alone(
    monkeypatch: pytest.MonkeyPatch, away: int
) -> None:
    monkeypatch.setattr(gatherer, "PAUSE_SECONDS", 0.001)
    crashing = Crashing(away)
    async with asyncio.timeout(20):
        answers = await crashing.gatherer.ask_all([*range(1, 40), -4, *range(50, 60)])
        again = await crashing.gatherer.ask(5)
    assert isinstance(answers.pop(39), asyncpg.ConnectionDoesNotExistError)
    assert answers == [2 * n for n in (*range(1, 40), *range(50, 60))]
    assert again == 10
    # It crashed with its neighbours, with some of them, and alone.
    crashes = sorted(len(batch) for batch in crashing.batches if -4 in batch)
    assert crashes[0] == 1
    assert len([size for size in crashes if size > 1]) <= 2 + 3
    assert max(len(batch) for batch in crashing.batches[1:]) <= 50 // PARTS + 1


async def test_a_server_that_stays_away_is_not_waited_for_beyond_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gatherer, "PAUSE_SECONDS", 0.001)
    crashing = Crashing(away=10_000_000, patience_seconds=0.05)
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionRefusedError):
            await crashing.gatherer.ask_all([1, 2, -4])
