"""Health follows the ping: answered, refused, and not answered at all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from carbonline.serving import health
from carbonline.serving.health import LIVENESS, NOT_SERVING, SERVING, publish_health

SECONDS = 20.0


class Unanswered(Exception):
    """What a ping of these tests raises."""


class Told:
    """Keeps what is told of the health, in the place of the health service."""

    def __init__(self, wanted: int) -> None:
        self.statuses: list[tuple[str, int]] = []
        self.enough = asyncio.Event()
        self._wanted = wanted

    async def set(self, service: str, status: int) -> None:
        if service == LIVENESS:
            assert status == SERVING
            return
        self.statuses.append((service, status))
        if len(self.statuses) == self._wanted:
            self.enough.set()


async def answers() -> None:
    return None


async def refuses() -> None:
    raise Unanswered


async def is_silent() -> None:
    await asyncio.Event().wait()


async def statuses_after(pings: Sequence[Callable[[], Awaitable[None]]]) -> list[tuple[str, int]]:
    """What is told of one service after each of these pings."""
    left = iter(pings)
    told = Told(2 * len(pings))

    async def ping() -> None:
        await next(left, is_silent)()

    publishing = asyncio.create_task(publish_health(told, ("a.Service",), ping, (Unanswered,)))
    try:
        await asyncio.wait_for(told.enough.wait(), SECONDS)
    finally:
        publishing.cancel()
        await asyncio.wait({publishing})
    return told.statuses


@pytest.mark.parametrize("ping", [refuses, is_silent])
async def test_a_ping_that_is_not_answered_is_said_until_the_next_one_is(
    monkeypatch: pytest.MonkeyPatch, ping: Callable[[], Awaitable[None]]
) -> None:
    monkeypatch.setattr(health, "PING_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(health, "PING_SECONDS_MAX", 0.05)
    each = [(SERVING, answers), (NOT_SERVING, ping), (SERVING, answers)]
    expected = [(service, status) for status, _ in each for service in ("", "a.Service")]
    assert await statuses_after([one for _, one in each]) == expected
