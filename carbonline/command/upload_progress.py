"""Shows the progress of an upload on stderr: redrawn on a terminal, line by line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from carbonline.client.upload import Sent
from carbonline.command.picture import bar, filled
from carbonline.command.safe_text import one_line

# What is over within this needs no picture.
QUIET_SECONDS = 0.5
PLAIN_SECONDS = 5.0
# A rate over less than this says more about buffers than about the way.
RATE_SECONDS_MIN = 1.0
BAR_WIDTH_MAX = 60


class UploadProgress:
    """How many bytes of a file are sent, and how fast."""

    def __init__(self, name: str, total_bytes: int, clock: Callable[[], float]) -> None:
        self._name = name
        self._total = total_bytes
        self._clock = clock
        self._began_at = clock()
        self._first_at = self._began_at
        self._first_bytes = 0
        self.sent_bytes = 0

    def sent(self, so_far: int) -> None:
        """Record how many bytes have been sent."""
        if not self.sent_bytes:
            # Before it, the file was read once for its name: that is not time of the transfer.
            self._first_at, self._first_bytes = self._clock(), so_far
        self.sent_bytes = so_far

    @property
    def seconds(self) -> float:
        """Seconds since the upload began."""
        return self._clock() - self._began_at

    @property
    def per_second(self) -> float | None:
        """Bytes per second; None if unknown."""
        seconds, sent = self._clock() - self._first_at, self.sent_bytes - self._first_bytes
        return sent / seconds if seconds >= RATE_SECONDS_MIN and sent > 0 else None

    @property
    def share(self) -> float:
        """The part that is sent, 0 to 1."""
        return min(1.0, self.sent_bytes / self._total) if self._total else 1.0

    def parts(self) -> list[str]:
        """Such as ["Uploading trips.csv: 12.3 of 80.0 MB", "25.1 MB/s", "3 s left"]."""
        sent = f"{_megabytes(self.sent_bytes)} of {_megabytes(self._total)} MB"
        parts = [f"Uploading {one_line(self._name)}: {sent}"]
        if rate := self.per_second:
            parts.append(f"{_megabytes(rate)} MB/s")
            if self.sent_bytes < self._total:
                parts.append(f"{(self._total - self.sent_bytes) / rate:.0f} s left")
        return parts

    def drawn(self, width: int) -> Group:
        """Lines of at most `width` columns: the words, and a bar below them."""
        words = (Text(line) for line in filled(self.parts(), width))
        return Group(*words, bar(self.share, min(width, BAR_WIDTH_MAX)))


@contextmanager
def upload_shown(
    console: Console, name: str, total_bytes: int, clock: Callable[[], float] = time.monotonic
) -> Iterator[Sent]:
    """A context manager that shows an upload. Call what it returns with the bytes sent so far."""
    progress = UploadProgress(name, total_bytes, clock)
    shown = _live if console.is_terminal else _line_by_line
    with shown(console, progress) as sent:
        yield sent


@contextmanager
def _live(console: Console, progress: UploadProgress) -> Iterator[Sent]:
    live = Live(
        console=console,
        # An empty line for the ^C of a terminal, as LiveDisplay has one.
        get_renderable=lambda: Group(progress.drawn(console.size.width), Text()),
        refresh_per_second=8,
        transient=True,
    )

    def sent(so_far: int) -> None:
        progress.sent(so_far)
        if not live.is_started and progress.seconds >= QUIET_SECONDS:
            live.start()

    try:
        yield sent
    finally:
        live.stop()


@contextmanager
def _line_by_line(console: Console, progress: UploadProgress) -> Iterator[Sent]:
    said_at = 0.0

    def sent(so_far: int) -> None:
        nonlocal said_at
        progress.sent(so_far)
        if progress.seconds - said_at >= PLAIN_SECONDS:
            said_at = progress.seconds
            line = ", ".join(progress.parts())
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    yield sent


def _megabytes(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:,.1f}"
