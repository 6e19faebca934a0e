"""A stream of log lines never raises, and reports what it lost."""

import errno
import json
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from carbonline.serving.log_stream import LogStream


class Disk:
    """A file whose disk has room for so many more bytes."""

    def __init__(self) -> None:
        self.room = 1_000_000
        self.kept = b""

    def write(self, line: bytes) -> int:
        """As much as there is room for."""
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = line[: self.room]
        self.room -= len(taken)
        self.kept += taken
        return len(taken)

    def lines(self) -> Iterator[str]:
        """The events that can be read; of a broken line, the line."""
        for line in self.kept.decode().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                yield line
            else:
                yield f"{event['event']} {event.get('lines', '')}".strip()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def log(stream: LogStream, event: str) -> None:
    stream.write(json.dumps({"event": event}) + "\n")


def test_lines_that_cannot_be_written_are_counted_in_the_next_that_can(disk: Disk) -> None:
    stream, registry = LogStream(disk.write), CollectorRegistry()
    registry.register(stream)
    log(stream, "first")
    disk.room = 0
    for event in ("second", "third"):
        log(stream, event)
    disk.room = 1_000
    log(stream, "fourth")
    assert list(disk.lines()) == ["first", "log_lines_lost 2", "fourth"]
    assert registry.get_sample_value("carbonline_log_lines_lost_total") == 2


def test_a_line_that_broke_off_does_not_spoil_the_next(disk: Disk) -> None:
    stream = LogStream(disk.write)
    disk.room = 10
    log(stream, "first")
    disk.room = 1_000
    log(stream, "second")
    assert list(disk.lines()) == ['{"event": ', "log_lines_lost 1", "second"]


def test_a_closed_stream_loses_lines_and_raises_nothing() -> None:
    def closed(_line: bytes) -> int:
        raise ValueError("I/O operation on closed file")

    log(LogStream(closed), "first")


def test_text_that_has_no_utf_8_is_written_all_the_same(disk: Disk) -> None:
    LogStream(disk.write).write('{"event": "\ud800"}\n')
    assert b"ud800" in disk.kept
