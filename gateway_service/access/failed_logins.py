"""Has whoever fails to log in wait a moment for the answer."""

import asyncio

FAILURE_SECONDS = 0.5
WAITING_MAX = 100


class FailedLogins:
    """Slows failures down, and nobody who gets in. No more than `waiting_max` wait at once, so that
    a flood holds no memory; the others are answered at once. An address is not looked at: behind a
    proxy, everybody has the same one.
    """

    def __init__(self, seconds: float = FAILURE_SECONDS, waiting_max: int = WAITING_MAX) -> None:
        self._seconds = seconds
        self._waiting_max = waiting_max
        self._waiting = 0

    async def slow(self) -> None:
        """Returns when a failure may be answered."""
        if self._waiting >= self._waiting_max:
            return
        self._waiting += 1
        try:
            await asyncio.sleep(self._seconds)
        finally:
            self._waiting -= 1
