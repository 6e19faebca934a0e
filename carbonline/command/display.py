"""Shows a pipeline while it runs: live on a terminal, line by line elsewhere; on stderr."""

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
    """A context in which a view is shown again and again."""

    def show(self, view: PipelineView) -> None:
        """The view as it now is: the scheduler has answered."""
        ...

    def lost(self, pipeline_id: int) -> None:
        """The scheduler does not answer; may be said again and again."""
        ...

    def waits(self, why: str) -> None:
        """What the pipeline waits for; "" when it does not."""
        ...

    def note(self, sentence: str) -> None:
        """Something beside the view."""
        ...

    def __enter__(self) -> Self:
        """Begins to show."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the last state standing."""
        ...


def open_display(console: Console) -> Display:
    """The display that suits where stderr goes."""
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(console)


class LiveDisplay:
    """Lines that redraw themselves, and below them the one that says what holds them up."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._paces = Paces(clock)
        self._held_up = HeldUp()
        self._jobs: list[tuple[types_pb2.Job, Pace | None]] = []
        self._live = Live(
            console=console, get_renderable=self._drawn, refresh_per_second=8, transient=False
        )

    def __enter__(self) -> Self:
        """Begins to draw."""
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the last lines standing."""
        self._held_up = HeldUp()
        self._live.stop()

    def note(self, sentence: str) -> None:
        """Printed above the lines."""
        line = fitted(one_line(sentence), self._console.width)
        # Fitted already, a command to type being left whole.
        self._console.print(Text(line, style="yellow"), soft_wrap=True)

    def show(self, view: PipelineView) -> None:
        """A line or a few for each job; with very many jobs the last ones."""
        if again := self._held_up.found(self._clock()):
            self.note(again)
        # Another thread draws: it finds the jobs before or those after, and never both.
        self._jobs = [(job, self._paces.of(job)) for job in view.in_order()]

    def lost(self, pipeline_id: int) -> None:
        """The line below says for how long."""
        self._held_up.lost(pipeline_id, self._clock())
        self._paces.grow_old()

    def waits(self, why: str) -> None:
        """The line below."""
        self._held_up.waits(why)

    def _drawn(self) -> Group:
        size = self._console.size
        held_up = wrapped(one_line(self._held_up.sentence(self._clock())), size.width)
        lines = picture(self._jobs, size.width, size.height - 1 - len(held_up), time.time())
        return Group(*lines, *(Text(line, style="yellow") for line in held_up))


class PlainDisplay:
    """A line when a job's state or phase changes, and about every second while it goes on."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._paces = Paces(clock)
        self._held_up = HeldUp()
        self._held_up_shown_at: float | None = None
        self._shown_as: dict[int, tuple[str, str]] = {}
        self._shown_at: dict[int, float] = {}

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to end."""

    def note(self, sentence: str) -> None:
        """A line of its own."""
        self._print(sentence)

    def show(self, view: PipelineView) -> None:
        """Only what is news."""
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

    def lost(self, pipeline_id: int) -> None:
        """A line now and then."""
        self._held_up.lost(pipeline_id, self._clock())
        self._paces.grow_old()
        self._print_what_holds_up()

    def waits(self, why: str) -> None:
        """A line now and then."""
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
