"""Where log lines go: a stream whose writes never raise, since no log line decides anything."""

import json
import os
import threading
from collections.abc import Callable, Iterable

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

STDERR = 2


class LogStream(Collector):
    """Writes lines, and counts those that cannot be written.

    The next line that can be written says before it how many were lost. As a collector of
    Prometheus it serves the same count. Safe in any thread.
    """

    def __init__(self, write: Callable[[bytes], int]) -> None:
        """`write` takes bytes and returns how many it wrote; what it raises is a lost line."""
        self._write = write
        self._lock = threading.Lock()
        self._lost = 0
        self._unreported = 0
        self._broken_off = False

    def write(self, text: str) -> int:
        """Writes whole lines, or counts one as lost."""
        with self._lock:
            line = text.encode(errors="backslashreplace")
            try:
                if self._unreported:
                    self._write_all(self._report())
                    self._unreported = 0
                self._write_all(line)
            except (OSError, ValueError):
                # Also a closed stream.
                self._lost += 1
                self._unreported += 1
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""

    def collect(self) -> Iterable[Metric]:
        """The count of lost lines, for Prometheus."""
        yield CounterMetricFamily(
            "carbonline_log_lines_lost", "Log lines that could not be written", value=self._lost
        )

    def _report(self) -> bytes:
        line = json.dumps(
            {"event": "log_lines_lost", "level": "warning", "lines": self._unreported}
        )
        return ("\n" * self._broken_off + line + "\n").encode()

    def _write_all(self, line: bytes) -> None:
        left = line
        while left:
            written = self._write(left)
            self._broken_off = written < len(left)
            left = left[written:]


def stderr_stream() -> LogStream:
    """The process's standard error, without Python's buffers, which keep what failed."""
    return LogStream(lambda line: os.write(STDERR, line))
