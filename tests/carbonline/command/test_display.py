"""What a person sees while a pipeline runs: redrawn on a terminal, line by line elsewhere."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from carbonline.client.view import PipelineView
from carbonline.client.watch import Activity, Snapshot
from carbonline.command.display import LiveDisplay, PlainDisplay, open_display
from carbonline.command.pace import Pace
from carbonline.command.picture import picture
from carbonline.command.waiting import waiting_types, why_it_waits
from carbonline.v1 import interventions_pb2, types_pb2

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
    view.apply(Snapshot(types_pb2.Pipeline(pipeline_id=1), (one,)))
    return view


def terminal(screen: io.StringIO, width: int, height: int = 25) -> Console:
    return Console(
        file=screen,
        force_terminal=True,
        width=width,
        height=height,
        color_system=None,
        _environ=TERMINAL,
    )


def drawn(width: int, *jobs: types_pb2.Job) -> str:
    """The last lines on a terminal of that width, a second between two of the jobs."""
    screen, clock = io.StringIO(), Clock()
    with LiveDisplay(terminal(screen, width), clock) as display:
        for one in jobs:
            display.show(view_of(one))
            clock.now += 1.0
    return on_screen(screen)


def on_screen(screen: io.StringIO) -> str:
    """What stands there after all that was written over."""
    last = screen.getvalue().rpartition("\x1b[2K")[2]
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", last).strip("\n")


def test_each_report_of_a_long_phase_is_a_line_with_rate_and_time_left() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said, width=40), clock)
    view = view_of(running(0))
    display.show(view)
    for done in (50_000, 100_000, 150_000):
        clock.now += 1.0
        view.apply(Activity((running(done),)))
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


def test_a_wide_terminal_shows_bar_rate_and_time_left_on_one_line() -> None:
    assert drawn(130, running(0), running(250_000)) == (
        "csv_ingest plane  RUNNING             "
        "━━━━━━━━━──────────────────────────  25%  "
        "read: 250,000 of 1,000,000, 250,000/s, 3 s left"
    )


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            80,
            [
                "csv_ingest plane  RUNNING",
                "  ━━━━━────────────────  25%  read: 250,000 of 1,000,000, 250,000/s, 3 s left",
            ],
        ),
        (
            40,
            [
                "csv_ingest plane  RUNNING",
                "  read: 250,000 of 1,000,000, 250,000/s,",
                "  3 s left",
                "  ━━━━━━━━─────────────────────────  25%",
            ],
        ),
        (
            20,
            [
                "csv_ingest plane",
                "  RUNNING",
                "  read: 250,000 of",
                "  1,000,000,",
                "  250,000/s,",
                "  3 s left",
                "  ━━━──────────  25%",
            ],
        ),
    ],
)
def test_a_narrow_terminal_shows_all_of_it_below(width: int, lines: list[str]) -> None:
    assert drawn(width, running(0), running(250_000)).splitlines() == lines


@given(st.integers(20, 200), st.integers(0, 10**7), st.integers(1, 30))
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(
    width: int, done: int, jobs: int
) -> None:
    several = [running(done) for _ in range(jobs)]
    pace = Pace("read", 0.0, 0, done, 10**7, 3.0)
    lines = picture([(one, pace) for one in several], width, 25, 0.0)
    assert all(line.cell_len <= width for line in lines)
    assert len(lines) <= 25
    words = " ".join(line.plain for line in lines).replace(", ", " ").split()
    assert {f"{done:,}", "10,000,000"} <= set(words)


def test_of_very_many_jobs_the_last_are_shown() -> None:
    jobs = [(types_pb2.Job(job_id=n, job_type=f"step_{n}"), None) for n in range(1, 101)]
    lines = [line.plain.strip() for line in picture(jobs, 80, 25, 0.0)]
    assert lines[0] == "... and 80 more jobs"
    assert (lines[1], lines[-1]) == ("step_81", "step_100")


def test_a_message_stands_beside_the_seconds_or_below_them() -> None:
    line = drawn(130, running(0), ended("1 row accepted."))
    assert "WARNING      3.0 s  1 row accepted." in line
    below = drawn(40, running(0), ended("1 row accepted, 2 rejected; the first: row 2, note: bad."))
    assert below.splitlines() == [
        "csv_ingest plane  WARNING      3.0 s",
        "  1 row accepted, 2 rejected; the first:",
        "  row 2, note: bad.",
    ]


def test_one_line_says_for_how_long_the_scheduler_has_not_answered() -> None:
    screen, clock = io.StringIO(), Clock()
    with LiveDisplay(terminal(screen, 80), clock) as display:
        display.show(view_of(running(0)))
        for _ in range(13):
            display.lost(7)
            clock.now += 1.0
        live = "\n".join(text.plain for text in display._drawn().renderables)  # type: ignore[union-attr]
        assert live.rstrip("\n").splitlines()[-1] == (
            "The scheduler has not answered for 13 s; retrying. Pipeline 7 continues."
        )
        display.show(view_of(running(900_000)))
    assert "The scheduler answers again after 13 s." in screen.getvalue()
    assert "has not answered" not in on_screen(screen)


def test_what_a_terminal_echoes_stands_on_a_line_of_its_own() -> None:
    screen = io.StringIO()
    with LiveDisplay(terminal(screen, 40), Clock()) as display:
        display.show(view_of(running(250_000)))
        lines = [text.plain for text in display._drawn().renderables]  # type: ignore[union-attr]
        assert lines[-1] == ""
        assert max(map(len, lines)) == 40, "a longer last line would begin a new one"
    assert not screen.getvalue().rstrip("\x1b[?25h").endswith("\n\n")


def test_no_rate_is_made_of_what_was_missed() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said, width=40), clock)
    display.show(view_of(running(100_000)))
    for _ in range(3):
        display.lost(7)
        clock.now += 5.0
    # The first that is heard may be of any moment; so is the step to what comes after it.
    for done in (0, 800_000, 810_000):
        display.show(view_of(running(done)))
        clock.now += 1.0
    assert said.getvalue().splitlines() == [
        "csv_ingest plane: RUNNING, read: 100,000 of 1,000,000",
        "The scheduler has not answered for 5 s; retrying. Pipeline 7 continues.",
        "The scheduler answers again after 15 s.",
        "csv_ingest plane: RUNNING, read: 0 of 1,000,000",
        "csv_ingest plane: RUNNING, read: 800,000 of 1,000,000",
        "csv_ingest plane: RUNNING, read: 810,000 of 1,000,000, 10,000/s, 19 s left",
    ]


def test_a_silence_noticed_late_is_counted_from_its_beginning() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said, width=80), clock)
    display.lost(7, 25.0)
    clock.now += 1.0
    display.lost(7, 26.0)
    display.show(view_of(ended("")))
    first, again, *_ = said.getvalue().splitlines()
    assert first == "The scheduler has not answered for 25 s; retrying. Pipeline 7 continues."
    assert again == "The scheduler answers again after 26 s."


def test_a_short_break_is_not_worth_a_word() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said), clock)
    display.lost(7)
    clock.now += 1.0
    display.show(view_of(ended("")))
    assert "scheduler" not in said.getvalue()


def test_elsewhere_what_holds_up_is_said_now_and_then() -> None:
    said, clock = io.StringIO(), Clock()
    display = PlainDisplay(Console(file=said), clock)
    for _ in range(21):
        display.waits("No worker is running: the jobs wait for one.")
        clock.now += 1.0
    assert said.getvalue().count("No worker is running") == 3


QUEUED, RUNNING = types_pb2.JOB_STATE_QUEUED, types_pb2.JOB_STATE_RUNNING
LIVE, LOST = types_pb2.WORKER_STATE_LIVE, types_pb2.WORKER_STATE_LOST


@pytest.mark.parametrize(
    ("states", "workers", "why"),
    [
        ([QUEUED], [], "No worker is running: the jobs wait for one."),
        ([QUEUED], [(LOST, "csv_ingest")], "No worker is running: the jobs wait for one."),
        ([QUEUED], [(LIVE, "noop")], "No worker that is running takes csv_ingest: the jobs wait."),
        ([QUEUED], [(LIVE, "csv_ingest")], ""),
        ([QUEUED, RUNNING], [], ""),
        ([types_pb2.JOB_STATE_FINISHED], [], ""),
    ],
)
def test_a_pipeline_waits_when_no_live_worker_takes_its_jobs(
    states: list[types_pb2.JobState.ValueType],
    workers: list[tuple[types_pb2.WorkerState.ValueType, str]],
    why: str,
) -> None:
    types = waiting_types([job(state) for state in states])
    there = [types_pb2.Worker(state=state, job_types=[takes]) for state, takes in workers]
    assert (why_it_waits(types, there) if types else "") == why


def test_a_pipeline_waits_when_the_type_of_its_jobs_is_paused() -> None:
    pause = interventions_pb2.JobTypePause(
        job_type="csv_ingest", paused_by="ann", reason="disk\x1b full"
    )
    pause.paused_at.FromJsonString("2026-11-24T18:40:35Z")
    there = [types_pb2.Worker(state=LIVE, job_types=["csv_ingest"])]
    assert why_it_waits({"csv_ingest"}, there, [pause]) == (
        "csv_ingest is paused since 2026-11-24 18:40:35 UTC, by ann: disk\\x1b full. "
        "The jobs wait until it is resumed."
    )
    assert why_it_waits({"noop"}, [types_pb2.Worker(state=LIVE, job_types=["noop"])], [pause]) == ""


def test_only_a_terminal_is_redrawn() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ=TERMINAL)
    assert isinstance(open_display(terminal), LiveDisplay)
    assert isinstance(open_display(Console(file=io.StringIO())), PlainDisplay)
