"""Logs a handler that blocks the event loop, on which leases and heartbeats depend."""

import sys
import threading
import traceback
from asyncio import AbstractEventLoop
from types import TracebackType
from typing import Self

from structlog.typing import FilteringBoundLogger

FRAMES_MAX = 12


class LoopWatch:
    """A thread that probes the loop, and logs what blocks it if there is no answer in time.

    Use it as a context manager on the loop's own thread. Each block of more than `blocked_seconds`
    is logged once as `event_loop_blocked`, with the loop's stack at that moment.
    """

    def __init__(
        self, loop: AbstractEventLoop, log: FilteringBoundLogger, blocked_seconds: float
    ) -> None:
        self._loop = loop
        self._log = log
        self._blocked_seconds = blocked_seconds
        self._ended = threading.Event()
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def __enter__(self) -> Self:
        """Starts the thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the watch without waiting for its thread."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.is_set():
            answered = threading.Event()
            try:
                self._loop.call_soon_threadsafe(answered.set)
            except RuntimeError:
                return
            if not answered.wait(self._blocked_seconds) and not self._ended.is_set():
                self._log.error("event_loop_blocked", stack=self._stack())
                answered.wait()
            self._ended.wait(self._blocked_seconds / 2)

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001  no other way in
        if frame is None:
            return ""
        calls = traceback.extract_stack(frame, limit=None)[-FRAMES_MAX:]
        return " > ".join(f"{call.filename}:{call.lineno} {call.name}" for call in calls)
