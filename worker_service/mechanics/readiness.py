"""Whether what the jobs of this worker need can be used. While it cannot, no job is claimed."""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.clock import seconds_now

# How often a ready worker looks, how long a look may take, and the longest pause of one that is
# not ready.
LOOK_EVERY_SECONDS = 5.0
LOOK_SECONDS_MAX = 5.0
PAUSE_SECONDS_MAX = 4.0
# A worker that was ready for longer begins its next outage with short pauses.
STEADY_SECONDS = 30.0


class NotUsable(Exception):
    """Something that jobs need cannot be used now. The message names it and says why."""


class Needs(Protocol):
    """What the jobs of a worker need besides the scheduler: a database, a folder."""

    async def look(self) -> None:
        """Raises NotUsable if something cannot be used."""
        ...

    def blamed(self, error: BaseException) -> str:
        """What a step's error says about them; "" if the step itself may be at fault."""
        ...


class NoNeeds:
    """For jobs that need nothing."""

    async def look(self) -> None:
        """Never raises."""

    def blamed(self, error: BaseException) -> str:
        """Always ""."""
        del error
        return ""


class Readiness:
    """Whether this worker is ready, and why not.

    It looks every few seconds. A step that fails asks `outage_behind`, which looks at once. A run
    that was going on during an outage is excused whenever it fails, since it may meet what the
    outage broke after the outage is over.
    """

    def __init__(
        self, needs: Needs, log: FilteringBoundLogger, changed: Callable[[str], None]
    ) -> None:
        """`changed` is called with each new reason, and with "" when the worker is ready again."""
        self._needs = needs
        self._log = log
        self._changed = changed
        # After the first look: a worker that starts during an outage claims nothing.
        self._ready = asyncio.Event()
        self._lost = asyncio.Event()
        self._reason = ""
        self._last_reason = ""
        self._ready_since = -math.inf
        self._backoff = Backoff(0.2, PAUSE_SECONDS_MAX)
        self._looking: asyncio.Task[str] | None = None

    @property
    def reason(self) -> str:
        """Why the worker is not ready; "" if it is, or has not looked yet."""
        return self._reason

    @property
    def is_ready(self) -> bool:
        """Whether the last look found everything usable, and nothing was blamed since."""
        return self._ready.is_set()

    async def wait(self) -> None:
        """Returns when the worker is ready."""
        await self._ready.wait()

    async def run(self) -> None:
        """Looks until it is cancelled."""
        try:
            while True:
                if reason := await self._look():
                    self._lose(reason)
                else:
                    self._regain()
                await self._pause()
        finally:
            if self._looking is not None:
                self._looking.cancel()

    async def outage_behind(self, error: BaseException, began_at: float) -> str:
        """The outage that excuses a run that raised `error`; "" if there is none.

        `began_at` is when the run began, on the clock of `seconds_now`.
        """
        blamed = self._needs.blamed(error)
        if not blamed and not self._reason:
            blamed = await self._look()
        if blamed:
            self._lose(blamed)
        return self.outage_since(began_at)

    def outage_since(self, began_at: float) -> str:
        """The outage that there is, or that was over only after `began_at`; "" if there is none."""
        if self._reason:
            return self._reason
        return self._last_reason if began_at < self._ready_since else ""

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_SECONDS):
                await self._lost.wait()
        if self._reason:
            await asyncio.sleep(self._backoff.next_seconds())

    async def _look(self) -> str:
        """What cannot be used; "" if everything can. Calls that come at once share a look."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_now(), name="readiness-look")
        return await asyncio.shield(self._looking)

    async def _look_now(self) -> str:
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                await self._needs.look()
        except NotUsable as error:
            return str(error)
        except TimeoutError:
            return f"what its jobs need does not answer within {LOOK_SECONDS_MAX:g} s"
        return ""

    def _lose(self, reason: str) -> None:
        if not self._reason:
            self._log.warning("worker_not_ready", reason=reason)
            if seconds_now() - self._ready_since > STEADY_SECONDS:
                self._backoff.reset()
            self._ready.clear()
            self._lost.set()
        if reason != self._reason:
            self._reason = self._last_reason = reason
            self._changed(reason)

    def _regain(self) -> None:
        if not self._reason:
            if not self._ready.is_set():
                # The first look.
                self._ready.set()
                self._changed("")
            return
        self._reason = ""
        self._ready_since = seconds_now()
        self._ready.set()
        self._lost.clear()
        self._log.info("worker_ready", after=self._last_reason)
        self._changed("")
