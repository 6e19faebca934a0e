"""Log lines about things that come by the thousand: one line for many of them."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 5.0

Thing = TypeVar("Thing")


class ThrottledLog(Generic[Thing]):
    """Logs the first thing at once, then every few seconds those that came since, if any.

    Each thing is counted in exactly one line.
    """

    def __init__(self, write: Callable[[Thing, int], None], seconds: float = SECONDS) -> None:
        """`write` gets the latest thing and how many the line is about. Two lines are at least
        `seconds` apart.
        """
        self._write = write
        self._seconds = seconds
        self._latest: Thing
        self._unwritten = 0
        self._pause: asyncio.TimerHandle | None = None

    def add(self, thing: Thing) -> None:
        """Note a thing. Call it on the event loop."""
        self._latest = thing
        self._unwritten += 1
        if self._pause is None:
            self._write_next()

    def end(self) -> None:
        """Write what is left. Call it when nothing more comes."""
        if self._pause is not None:
            self._pause.cancel()
        if self._unwritten:
            self._write(self._latest, self._unwritten)
            self._unwritten = 0

    def _write_next(self) -> None:
        self._pause = None
        if self._unwritten:
            self._write(self._latest, self._unwritten)
            self._unwritten = 0
            loop = asyncio.get_running_loop()
            self._pause = loop.call_later(self._seconds, self._write_next)
