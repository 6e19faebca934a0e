"""The request to end a worker process: in order at first, at once if repeated."""

import asyncio

from structlog.typing import FilteringBoundLogger


class Drain:
    """Two events that a process waits for.

    `requested`: claim no more jobs, and let running ones end within the grace period. `hard`: stop
    now.
    """

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hard = asyncio.Event()

    def request(self) -> None:
        """Requests a drain; requests a hard stop if a drain was requested before. For SIGTERM."""
        if self.requested.is_set():
            self.hard.set()
        self.requested.set()

    async def fault(self) -> str:
        """What a probe hears of it; "" if no drain was requested."""
        return "it is draining" if self.requested.is_set() else ""

    def request_once(self) -> None:
        """Requests a drain. Repeating it changes nothing."""
        self.requested.set()

    def request_by_scheduler(self, log: FilteringBoundLogger) -> None:
        """As `request_once`, and logs that an operator has told this worker to end."""
        if not self.requested.is_set():
            log.info("drain_requested_by_scheduler")
        self.request_once()
