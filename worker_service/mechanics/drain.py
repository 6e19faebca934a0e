"""The request to end a worker process: in order at first, at once if repeated."""

import asyncio


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

    def request_once(self) -> None:
        """Requests a drain. Repeating it changes nothing. For the scheduler's requests."""
        self.requested.set()
