"""What is printed to a process's standard error: sentences for people, and words of libraries."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress

STDERR = 2


def print_sentence(sentence: str) -> None:
    """Writes a sentence for people to the standard error. Never raises: what cannot be written
    decides no exit code.
    """
    with suppress(OSError):
        left = f"{sentence}\n".encode(errors="backslashreplace")
        while left:
            left = left[os.write(STDERR, left) :]


class PrintedText:
    """A text stream that gives what is printed to it to a log, instead of the standard error.

    Libraries print there what they do not raise, such as gRPC's tracebacks of callers that have
    gone. A traceback is given whole, other text line by line. Safe in any thread.
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        """`log` is called with text without its last line break."""
        self._log = log
        self._lock = threading.RLock()
        self._block: list[str] = []
        self._begun = ""

    def write(self, text: str) -> int:
        """Takes any part of a line, or several lines."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._block += [line] if line.strip() else []
                if not line.startswith(("Traceback ", " ")):
                    self._give()
        return len(text)

    def flush(self) -> None:
        """Gives what has no end yet. Python calls it when a process ends; the log never raises, so
        that a disk that is full is not the process's exit code.
        """
        with self._lock:
            self._block += [self._begun] if self._begun.strip() else []
            self._begun = ""
            self._give()

    def _give(self) -> None:
        if self._block:
            text = "\n".join(self._block)
            self._block = []
            self._log(text)
