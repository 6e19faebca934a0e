"""Handles Ctrl-C: the first one cancels the command, the second one ends the process at once.

A terminal that is closed is a Ctrl-C, too.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from carbonline.command.exit_codes import ExitCode

SHOW_CURSOR = "\x1b[?25h"


class Interrupts:
    """Counts interrupts. The first one cancels `task`.

    Without a task, or at the second interrupt, the process ends at once.
    """

    def __init__(self) -> None:
        self.count = 0
        self.task: asyncio.Task[Any] | None = None

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """The signal handler of SIGINT, SIGTERM and SIGHUP."""
        if number == signal.SIGHUP and self.count:
            # The kernel and the shell both tell of one terminal that was closed.
            return
        self.count += 1
        if self.count > 1 or self.task is None:
            leave_at_once()
        else:
            self._cancel(self.task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        # A loop that sleeps does not look at its tasks before something wakes it.
        task.get_loop().call_soon_threadsafe(task.cancel)


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Handle Ctrl-C, SIGTERM and SIGHUP while the context is open. Call it in the main thread.

    SIGHUP stays ignored if it was, as below nohup.
    """
    received = Interrupts()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, received.receive) for number in numbers}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_at_once() -> None:
    """End this process without cleaning up. The kernel ends the processes of a stack with it."""
    if sys.stderr is not None and sys.stderr.isatty():
        # A display that was redrawing had hidden it.
        os.write(2, SHOW_CURSOR.encode())
    os._exit(ExitCode.INTERRUPTED)
