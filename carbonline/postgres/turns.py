"""Lends a few places in turn, so that who asks often does not stand before who asks once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Who waits longer would have asked again already.
WAIT_SECONDS = 10.0
# Of one asker, in the order in which they came.
Waiting = dict[asyncio.Future[None], None]


class NoTurn(TimeoutError):
    """For as long as one may wait, others have held every place."""


class Turns:
    """A place that becomes free goes to the asker who holds fewest, and of those to the one whose
    last turn is longest ago.
    """

    def __init__(self, places: int) -> None:
        """All are free."""
        self._free = places
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, Waiting] = {}
        # The numbers of the last turns, also of askers who do not wait at this moment: who asks for
        # one at a time does not stand behind all who have had a turn since. Kept while any waits.
        self._last: dict[str, int] = {}
        self._turns = 0

    @asynccontextmanager
    async def one(self, asker: str, seconds_max: float | None = None) -> AsyncIterator[None]:
        """A place while the context lasts. Waits for one; a cancelled wait takes none.

        Raises NoTurn after `seconds_max`.
        """
        try:
            async with asyncio.timeout(seconds_max):
                await self._take(asker)
        except TimeoutError:
            raise NoTurn("every place is taken") from None
        try:
            yield
        finally:
            self._return(asker)

    async def _take(self, asker: str) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, {})[turn] = None
        self._pass_on()
        try:
            await turn
        except asyncio.CancelledError:
            # Its turn may have come together with the cancellation.
            if turn.done() and not turn.cancelled():
                self._return(asker)
            else:
                self._forget(asker, turn)
            raise

    def _return(self, asker: str) -> None:
        self._free += 1
        self._held[asker] -= 1
        if not self._held[asker]:
            del self._held[asker]
        self._pass_on()

    def _forget(self, asker: str, turn: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(asker, {})
        waiting.pop(turn, None)
        if not waiting:
            self._waiting.pop(asker, None)

    def _pass_on(self) -> None:
        while self._free and self._waiting:
            asker = min(self._waiting, key=lambda one: (self._held[one], self._last.get(one, 0)))
            turn = next(iter(self._waiting[asker]))
            self._forget(asker, turn)
            # Who is cancelled at this moment has not run since.
            if turn.done():
                continue
            turn.set_result(None)
            self._free -= 1
            self._held[asker] += 1
            self._turns += 1
            self._last[asker] = self._turns
        if not self._waiting:
            self._last.clear()
