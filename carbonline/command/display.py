"""Shows a pipeline while it runs: live on a terminal, line by line elsewhere; on stderr."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from carbonline.client.view import PipelineView
from carbonline.command.names import job_word, step_words
from carbonline.command.pace import Pace
from carbonline.command.safe_text import one_line
from carbonline.v1 import types_pb2

# A worker with progress to tell reports every second: each report is a line.
PLAIN_SECONDS = 0.8
JOBS_SHOWN_MAX = 20
BAR_WIDTH = 24
# On a terminal narrower than this the numbers need the room of the bar.
BAR_TERMINAL_WIDTH_MIN = 110


class Display(Protocol):
    """A context in which a view is shown again and again."""

    def show(self, view: PipelineView) -> None:
        """The view as it now is."""
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


def seconds_of(job: types_pb2.Job, now: float) -> float | None:
    """How long a job has run, from its first claim on; None before that."""
    if not job.HasField("started_at"):
        return None
    until = job.finished_at.ToNanoseconds() / 1e9 if job.HasField("finished_at") else now
    return max(0.0, until - job.started_at.ToNanoseconds() / 1e9)


class _Paces:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of_job: dict[int, Pace] = {}

    def of(self, job: types_pb2.Job) -> Pace | None:
        """The pace of a running job."""
        if job.state != types_pb2.JOB_STATE_RUNNING or not job.HasField("progress"):
            return None
        pace = Pace.of(job, self._of_job.get(job.job_id), self._clock())
        self._of_job[job.job_id] = pace
        return pace


class LiveDisplay:
    """A table that redraws itself: one line per job."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = Live(console=console, refresh_per_second=8, transient=False)
        self._paces = _Paces(clock)

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
        """Leaves the last table standing."""
        self._live.stop()

    def note(self, sentence: str) -> None:
        """Printed above the table."""
        self._live.console.print(Text(one_line(sentence), style="yellow"))

    def show(self, view: PipelineView) -> None:
        """One line per job; with very many jobs the last ones."""
        jobs = view.in_order()
        table = Table.grid(padding=(0, 2))
        for job in jobs[-JOBS_SHOWN_MAX:]:
            table.add_row(*self._cells(job))
        hidden = len(jobs) - JOBS_SHOWN_MAX
        above = [Text(f"... and {hidden} more jobs")] if hidden > 0 else []
        self._live.update(Group(*above, table))

    def _cells(self, job: types_pb2.Job) -> tuple[Text | Table, ...]:
        name = Text(step_words(job), no_wrap=True)
        state = Text(job_word(job), style=_style(job))
        seconds = seconds_of(job, time.time())
        took = Text("" if seconds is None else f"{seconds:.1f} s", justify="right", no_wrap=True)
        pace = self._paces.of(job)
        if pace is None:
            return name, state, took, Text(_last_words(job))
        words = Text(one_line(pace.words()), no_wrap=True)
        if not pace.total or self._live.console.width < BAR_TERMINAL_WIDTH_MIN:
            return name, state, took, words
        bar = ProgressBar(total=pace.total, completed=pace.done, width=BAR_WIDTH)
        bar_and_words = Table.grid(padding=(0, 2))
        bar_and_words.add_row(bar, words)
        return name, state, took, bar_and_words


def _last_words(job: types_pb2.Job) -> str:
    """What a finished job says; an error is said with its cause in the summary at the end."""
    finished = job.state == types_pb2.JOB_STATE_FINISHED
    if not finished or job.result == types_pb2.JOB_RESULT_ERROR:
        return ""
    return one_line(job.message)


def _style(job: types_pb2.Job) -> str:
    match job.result:
        case types_pb2.JOB_RESULT_SUCCESS:
            return "green"
        case types_pb2.JOB_RESULT_WARNING | types_pb2.JOB_RESULT_CANCELLED:
            return "yellow"
        case types_pb2.JOB_RESULT_ERROR:
            return "red"
        case _:
            return "cyan"


class PlainDisplay:
    """A line when a job's state or phase changes, and about every second while it goes on."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._paces = _Paces(clock)
        self._said: dict[int, tuple[str, str]] = {}
        self._said_at: dict[int, float] = {}

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
        for job in view.in_order():
            pace = self._paces.of(job)
            key = (job_word(job), pace.phase if pace else "")
            now = self._clock()
            waited = now - self._said_at.get(job.job_id, 0.0)
            if self._said.get(job.job_id) == key and (pace is None or waited < PLAIN_SECONDS):
                continue
            self._said[job.job_id], self._said_at[job.job_id] = key, now
            self._print(self._line(job, pace))

    def _line(self, job: types_pb2.Job, pace: Pace | None) -> str:
        line = f"{step_words(job)}: {job_word(job)}"
        if pace is not None:
            return f"{line}, {pace.words()}" if pace.words() else line
        seconds = seconds_of(job, time.time())
        if job.state == types_pb2.JOB_STATE_FINISHED and seconds is not None:
            line += f" after {seconds:.1f} s"
            return f"{line}. {_last_words(job)}".rstrip()
        return line

    def _print(self, line: str) -> None:
        self._console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)
