"""However many things happen, few lines tell of them, and each is counted once."""

import asyncio

import pytest

from carbonline.serving.throttled_log import ThrottledLog

NEVER = 3600.0
SOON = 0.05


class Told(list[tuple[str, int]]):
    """What was told, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def tell(self, latest: str, count: int) -> None:
        """As ThrottledLog calls it."""
        self.append((latest, count))
        self._news.set()

    async def becomes(self, *wanted: tuple[str, int]) -> None:
        """Returns when it is what is wanted."""
        async with asyncio.timeout(10):
            while tuple(self) != wanted:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def told() -> Told:
    return Told()


async def test_the_first_is_told_at_once_and_the_rest_at_the_end(told: Told) -> None:
    words = ThrottledLog(told.tell, NEVER)
    for thing in ("a", "b", "c"):
        words.add(thing)
    assert told == [("a", 1)]
    words.end()
    assert told == [("a", 1), ("c", 2)]


async def test_what_follows_is_told_together_after_a_while(told: Told) -> None:
    words = ThrottledLog(told.tell, SOON)
    words.add("a")
    words.add("b")
    words.add("c")
    await told.becomes(("a", 1), ("c", 2))
    # Said a moment ago: this one waits, too.
    words.add("d")
    assert told == [("a", 1), ("c", 2)]
    await told.becomes(("a", 1), ("c", 2), ("d", 1))
    words.end()
    assert len(told) == 3


async def test_after_a_silence_the_first_is_told_at_once_again(told: Told) -> None:
    words = ThrottledLog(told.tell, SOON)
    silence_over = asyncio.Event()
    words.add("a")
    # Set behind the timer of the words, which was set before with as long to go.
    asyncio.get_running_loop().call_later(2 * SOON, silence_over.set)
    await silence_over.wait()
    words.add("b")
    assert told == [("a", 1), ("b", 1)]


async def test_nothing_is_told_of_nothing(told: Told) -> None:
    ThrottledLog(told.tell, NEVER).end()
    assert told == []
