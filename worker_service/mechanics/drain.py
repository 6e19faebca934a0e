"""The order to end: first politely, then at once."""

import asyncio


class Drain:
    """First request: no more claims, running jobs get their grace. Second: stop now."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hard = asyncio.Event()

    def request(self) -> None:
        """What a SIGTERM means, the first and the second one."""
        if self.requested.is_set():
            self.hard.set()
        self.requested.set()

    def request_once(self) -> None:
        """The same, by somebody whose repetition means nothing."""
        self.requested.set()
