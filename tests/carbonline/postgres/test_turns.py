"""Who asks once waits for one place to become free, however many others wait."""

import asyncio

import pytest

from carbonline.postgres.turns import Turns


class Asking:
    """Askers that hold their place until they are told to return it."""

    def __init__(self, places: int) -> None:
        """Nobody asks."""
        self.turns = Turns(places)
        self.served: list[str] = []
        self.done: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, name: str) -> None:
        """One named by its asker and a number asks."""
        self.tasks[name] = asyncio.create_task(self._hold(name))
        await asyncio.sleep(0)

    async def end(self, name: str) -> None:
        """It returns its place."""
        self.done[name].set()
        for _ in range(3):
            await asyncio.sleep(0)

    async def _hold(self, name: str) -> None:
        self.done[name] = asyncio.Event()
        async with self.turns.one(name[0]):
            self.served.append(name)
            await self.done[name].wait()


async def test_a_place_goes_to_who_holds_fewest_and_then_in_turn() -> None:
    asking = Asking(2)
    for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
        await asking.begin(name)
    assert asking.served == ["a1", "a2"]
    for name in ("a1", "b1", "a2", "c1", "b2", "a3"):
        await asking.end(name)
    assert asking.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    await asking.end("a4")


async def test_who_comes_back_stands_before_those_who_had_a_turn_since() -> None:
    asking = Asking(1)
    for name in ("a1", "b1", "b2", "b3"):
        await asking.begin(name)
    await asking.end("a1")
    await asking.begin("a2")
    for name in ("b1", "a2", "b2"):
        await asking.end(name)
    assert asking.served == ["a1", "b1", "a2", "b2", "b3"]
    await asking.end("b3")


async def test_who_is_cancelled_keeps_no_place() -> None:
    asking = Asking(1)
    for name in ("a1", "b1", "c1"):
        await asking.begin(name)
    waiting, served_at_once = asking.tasks["b1"], asking.tasks["c1"]
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert list(asking.turns._waiting) == ["c"]
    # Its turn comes together with its cancellation.
    asking.done["a1"].set()
    await asyncio.sleep(0)
    served_at_once.cancel()
    with pytest.raises(asyncio.CancelledError):
        await served_at_once
    await asking.begin("d1")
    assert asking.served[-1] == "d1"
    await asking.end("d1")


async def test_who_is_cancelled_as_a_place_becomes_free_gets_none() -> None:
    asking = Asking(1)
    for name in ("a1", "b1", "c1"):
        await asking.begin(name)
    asking.done["a1"].set()
    asking.tasks["b1"].cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking.tasks["b1"]
    assert asking.served == ["a1", "c1"]
    await asking.end("c1")
