"""However many things happen, few lines tell of them, and each is counted once."""

import asyncio

import pytest

from carbonline.serving.throttled_log import ThrottledLog

NEVER = 3600.0
SOON = 0.05


class Lines(list[tuple[str, int]]):
    """The lines that were written, and a way to wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self._news = asyncio.Event()

    def write(self, latest: str, count: int) -> None:
        """As ThrottledLog calls it."""
        self.append((latest, count))
        self._news.set()

    async def becomes(self, *wanted: tuple[str, int]) -> None:
        """Return when the lines are the wanted ones."""
        async with asyncio.timeout(10):
            while tuple(self) != wanted:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
async def lines() -> Lines:
    return Lines()


async def test_the_first_is_told_at_once_and_the_rest_at_the_end(lines: Lines) -> None:
    words = ThrottledLog(lines.write, NEVER)
    for thing in ("a", "b", "c"):
        words.add(thing)
    assert lines == [("a", 1)]
    words.end()
    assert lines == [("a", 1), ("c", 2)]


async def test_what_follows_is_told_together_after_a_while(lines: Lines) -> None:
    words = ThrottledLog(lines.write, SOON)
    words.add("a")
    words.add("b")
    words.add("c")
    await lines.becomes(("a", 1), ("c", 2))
    # Said a moment ago: this one waits, too.
    words.add("d")
    assert lines == [("a", 1), ("c", 2)]
    await lines.becomes(("a", 1), ("c", 2), ("d", 1))
    words.end()
    assert len(lines) == 3


async def test_after_a_silence_the_first_is_told_at_once_again(lines: Lines) -> None:
    words = ThrottledLog(lines.write, SOON)
    silence_over = asyncio.Event()
    words.add("a")
    # Set behind the timer of the words, which was set before with as long to go.
    asyncio.get_running_loop().call_later(2 * SOON, silence_over.set)
    await silence_over.wait()
    words.add("b")
    assert lines == [("a", 1), ("b", 1)]


async def test_nothing_is_told_of_nothing(lines: Lines) -> None:
    ThrottledLog(lines.write, NEVER).end()
    assert lines == []
