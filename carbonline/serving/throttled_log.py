"""Many things of one kind, told in few words: a log line for each would hide all the others."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

SECONDS = 5.0

Thing = TypeVar("Thing")


class ThrottledLog(Generic[Thing]):
    """Tells of the first thing at once, and every few seconds of those that came since, if any.

    `tell` gets the latest of them and their number; each is counted once.
    """

    def __init__(self, tell: Callable[[Thing, int], None], seconds: float = SECONDS) -> None:
        self._tell = tell
        self._seconds = seconds
        self._latest: Thing
        self._untold = 0
        self._silence: asyncio.TimerHandle | None = None

    def add(self, thing: Thing) -> None:
        """On the event loop."""
        self._latest = thing
        self._untold += 1
        if self._silence is None:
            self._tell_untold()

    def end(self) -> None:
        """Tells what is left to tell: nothing more comes."""
        if self._silence is not None:
            self._silence.cancel()
        if self._untold:
            self._tell(self._latest, self._untold)
            self._untold = 0

    def _tell_untold(self) -> None:
        self._silence = None
        if self._untold:
            self._tell(self._latest, self._untold)
            self._untold = 0
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(self._seconds, self._tell_untold)
