"""Shows the progress of a pipeline on stderr: redrawn on a terminal, line by line elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from carbonline.client.view import PipelineView
from carbonline.command.fitting import fitted
from carbonline.command.held_up import HeldUp
from carbonline.command.names import job_word, step_words
from carbonline.command.pace import Pace, Paces
from carbonline.command.picture import last_words, picture, seconds_of
from carbonline.command.safe_text import one_line
from carbonline.command.table import wrapped
from carbonline.v1 import types_pb2

# A worker with progress to tell reports every second: each report is a line.
PLAIN_SECONDS = 0.8
# What holds a pipeline up is said again after so long.
PLAIN_HELD_UP_SECONDS = 10.0


class Display(Protocol):
    """A context manager that shows the progress of a pipeline."""

    def show(self, view: PipelineView) -> None:
        """Show the current view. Means that the scheduler answers."""
        ...

    def lost(self, pipeline_id: int, silent_seconds: float = 0.0) -> None:
        """Show that the scheduler does not answer. May be called repeatedly.

        `silent_seconds`: for how long it had been silent when that was noticed.
        """
        ...

    def waits(self, why: str) -> None:
        """Show what the pipeline waits for. "" if it does not wait."""
        ...

    def note(self, sentence: str) -> None:
        """Print a sentence that is not about progress."""
        ...

    def __enter__(self) -> Self:
        """Start to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and leave the last state visible."""
        ...


def open_display(console: Console) -> Display:
    """A LiveDisplay if stderr is a terminal, else a PlainDisplay."""
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


class LiveDisplay:
    """Redraws a few lines per job, and below them one line about what holds the pipeline up."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._paces = Paces(clock)
        self._held_up = HeldUp()
        self._jobs: list[tuple[types_pb2.Job, Pace | None]] = []
        self._ends = False
        self._live = Live(
            console=console, get_renderable=self._drawn, refresh_per_second=8, transient=False
        )

    def __enter__(self) -> Self:
        """Start to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and leave the last lines visible."""
        self._held_up = HeldUp()
        self._ends = True
        self._live.stop()

    def note(self, sentence: str) -> None:
        """Print a sentence above the lines."""
        line = fitted(one_line(sentence), self._console.width)
        # Fitted already, a command to type being left whole.
        self._console.print(Text(line, style="yellow"), soft_wrap=True)

    def show(self, view: PipelineView) -> None:
        """Redraw. If there are too many jobs for the terminal, the last ones are shown."""
        if again := self._held_up.found(self._clock()):
            self.note(again)
        # Another thread draws: it finds the jobs before or those after, and never both.
        self._jobs = [(job, self._paces.of(job)) for job in view.in_order()]

    def lost(self, pipeline_id: int, silent_seconds: float = 0.0) -> None:
        """Show below the jobs for how long the scheduler has not answered."""
        self._held_up.lost(pipeline_id, self._clock(), silent_seconds)
        self._paces.grow_old()

    def waits(self, why: str) -> None:
        """Show below the jobs what the pipeline waits for."""
        self._held_up.waits(why)

    def _drawn(self) -> Group:
        size = self._console.size
        held_up = wrapped(one_line(self._held_up.sentence(self._clock())), size.width)
        # An empty line for the ^C of a terminal: behind a full line it would begin a new one, of
        # which nobody knows when all lines are written over.
        below = [] if self._ends else [Text()]
        height = size.height - 1 - len(held_up) - len(below)
        lines = picture(self._jobs, size.width, height, time.time())
        return Group(*lines, *(Text(line, style="yellow") for line in held_up), *below)


class PlainDisplay:
    """Prints a line when the state or phase of a job changes, and about once a second between."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._paces = Paces(clock)
        self._held_up = HeldUp()
        self._held_up_shown_at: float | None = None
        self._shown_as: dict[int, tuple[str, str]] = {}
        self._shown_at: dict[int, float] = {}

    def __enter__(self) -> Self:
        """Do nothing: lines need no preparation."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: printed lines stay."""

    def note(self, sentence: str) -> None:
        """Print a sentence on its own line."""
        self._print(sentence)

    def show(self, view: PipelineView) -> None:
        """Print what has changed since the last call."""
        if again := self._held_up.found(self._clock()):
            self._print(again)
        for job in view.in_order():
            pace = self._paces.of(job)
            key = (job_word(job), pace.phase if pace else "")
            now = self._clock()
            waited = now - self._shown_at.get(job.job_id, 0.0)
            if self._shown_as.get(job.job_id) == key and (pace is None or waited < PLAIN_SECONDS):
                continue
            self._shown_as[job.job_id], self._shown_at[job.job_id] = key, now
            self._print(_line(job, pace))

    def lost(self, pipeline_id: int, silent_seconds: float = 0.0) -> None:
        """Print from time to time that the scheduler does not answer."""
        self._held_up.lost(pipeline_id, self._clock(), silent_seconds)
        self._paces.grow_old()
        self._print_what_holds_up()

    def waits(self, why: str) -> None:
        """Print from time to time what the pipeline waits for."""
        self._held_up.waits(why)
        self._print_what_holds_up()

    def _print_what_holds_up(self) -> None:
        now = self._clock()
        sentence = self._held_up.sentence(now)
        shown_at = self._held_up_shown_at
        if not sentence:
            self._held_up_shown_at = None
        elif shown_at is None or now - shown_at >= PLAIN_HELD_UP_SECONDS:
            self._held_up_shown_at = now
            self._print(sentence)

    def _print(self, line: str) -> None:
        self._console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)


def _line(job: types_pb2.Job, pace: Pace | None) -> str:
    line = f"{step_words(job)}: {job_word(job)}"
    if pace is not None:
        return f"{line}, {pace.words()}" if pace.words() else line
    seconds = seconds_of(job, time.time())
    if job.state == types_pb2.JOB_STATE_FINISHED and seconds is not None:
        line += f" after {seconds:.1f} s"
        return f"{line}. {last_words(job)}".rstrip()
    return line
