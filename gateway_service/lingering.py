"""The end of a connection whose peer may still be sending."""

import asyncio
from collections.abc import Callable
from typing import Any


class Lingering:
    """A transport that is closed in two steps while its peer `may_send`: what was written goes out
    at once, and what comes is dropped until the peer has closed, for `seconds` at most. Closed in
    one, what is on its way here would reset the connection and take the answer with it.
    """

    def __init__(
        self, transport: asyncio.Transport, may_send: Callable[[], bool], seconds: float
    ) -> None:
        self._transport = transport
        self._may_send = may_send
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.drops = False

    def close(self) -> None:
        """Closes, or begins to."""
        if self.is_closing():
            return
        if not self._may_send():
            self._transport.close()
            return
        self.drops = True
        self._transport.write_eof()
        # uvicorn may have stopped to read.
        self._transport.resume_reading()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, self._transport.abort)

    def lost(self) -> None:
        """The connection has ended. A timer would keep it, and many end in so many seconds."""
        if self._timer is not None:
            self._timer.cancel()

    def is_closing(self) -> bool:
        """Whether nothing more goes out."""
        return self.drops or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Sends, unless nothing more goes out."""
        if not self.drops:
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
