"""What a person sees while a pipeline runs: redrawn on a terminal, line by line elsewhere."""

import io

from rich.console import Console

from carbonline.client.view import PipelineView
from carbonline.client.watch import Active, Seen
from carbonline.command.display import LiveDisplay, PlainDisplay, open_display
from carbonline.v1 import types_pb2

# Of the terminal that runs the tests nothing is taken over.
TERMINAL = {"TERM": "xterm"}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def job(state: types_pb2.JobState.ValueType, done: int = 0) -> types_pb2.Job:
    one = types_pb2.Job(job_id=1, job_type="csv_ingest", state=state)
    one.scope.data_entry_type = types_pb2.DATA_ENTRY_TYPE_PLANE
    if state == types_pb2.JOB_STATE_RUNNING:
        one.progress.done, one.progress.total, one.progress.phase = done, 1_000_000, "read"
    return one


def running(done: int) -> types_pb2.Job:
    return job(types_pb2.JOB_STATE_RUNNING, done)


def ended(message: str) -> types_pb2.Job:
    one = job(types_pb2.JOB_STATE_FINISHED)
    one.result, one.message = types_pb2.JOB_RESULT_WARNING, message
    one.started_at.FromSeconds(100)
    one.finished_at.FromSeconds(103)
    return one


def view_of(one: types_pb2.Job) -> PipelineView:
    view = PipelineView()
    view.apply(Seen(types_pb2.Pipeline(pipeline_id=1), (one,)))
    return view


def drawn(width: int, *jobs: types_pb2.Job) -> str:
    """The last table on a terminal of that width, a second between two of the jobs."""
    screen, clock = io.StringIO(), Clock()
    console = Console(
        file=screen, force_terminal=True, width=width, color_system=None, _environ=TERMINAL
    )
    with LiveDisplay(console, clock) as display:
        for one in jobs:
            display.show(view_of(one))
            clock.now += 1.0
    return screen.getvalue().rpartition("\x1b[2K")[2].replace("\r", "")


def test_each_report_of_a_long_phase_is_a_line_with_rate_and_time_left() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said, width=40), clock)
    view = view_of(running(0))
    display.show(view)
    for done in (50_000, 100_000, 150_000):
        clock.now += 1.0
        view.apply(Active((running(done),)))
        display.show(view)
        display.show(view)
    assert said.getvalue().splitlines() == [
        "csv_ingest plane: RUNNING, read: 0 of 1,000,000",
        "csv_ingest plane: RUNNING, read: 50,000 of 1,000,000, 50,000/s, 19 s left",
        "csv_ingest plane: RUNNING, read: 100,000 of 1,000,000, 50,000/s, 18 s left",
        "csv_ingest plane: RUNNING, read: 150,000 of 1,000,000, 50,000/s, 17 s left",
    ]


def test_an_end_is_said_once_with_its_message() -> None:
    said = io.StringIO()
    display = PlainDisplay(Console(file=said), Clock())
    display.show(view_of(ended("1 row accepted, 2 rejected.")))
    display.show(view_of(ended("1 row accepted, 2 rejected.")))
    assert said.getvalue() == (
        "csv_ingest plane: WARNING after 3.0 s. 1 row accepted, 2 rejected.\n"
    )


def test_the_reason_of_an_error_is_left_to_the_summary() -> None:
    said = io.StringIO()
    one = ended("no column unit")
    one.result = types_pb2.JOB_RESULT_ERROR
    PlainDisplay(Console(file=said), Clock()).show(view_of(one))
    assert said.getvalue() == "csv_ingest plane: ERROR after 3.0 s.\n"
    assert "no column unit" not in drawn(130, one)


def test_a_wide_terminal_shows_bar_rate_and_time_left() -> None:
    line = drawn(130, running(0), running(250_000))
    assert "━" in line
    assert "read: 250,000 of 1,000,000, 250,000/s, 3 s left" in line


def test_a_narrow_terminal_gives_the_bars_room_to_the_numbers() -> None:
    line = drawn(80, running(0), running(250_000))
    assert "━" not in line
    assert "read: 250,000 of 1,000,000" in line


def test_a_message_stands_beside_the_seconds_and_not_beyond_a_bar() -> None:
    assert "WARNING  3.0 s  1 row accepted" in drawn(130, running(0), ended("1 row accepted."))


def test_only_a_terminal_is_redrawn() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ=TERMINAL)
    assert isinstance(open_display(terminal), LiveDisplay)
    assert isinstance(open_display(Console(file=io.StringIO())), PlainDisplay)
