"""Draws a running pipeline as lines that fit a terminal."""

from collections.abc import Sequence

from rich.text import Text

from carbonline.command.names import job_word, step_words
from carbonline.command.pace import Pace
from carbonline.command.safe_text import one_line
from carbonline.command.table import wrapped
from carbonline.v1 import types_pb2

JOBS_SHOWN_MAX = 20
# Beside name and state stands what fits into so much; in less it stands below.
ROOM_BESIDE_MIN = 50
# The words of a pace: what they need where they are long.
WORDS_WIDTH = 50
BAR_WIDTH_MIN, BAR_WIDTH_MAX = 10, 40
DONE, TO_DO = "━", "─"
INDENT = 2


def picture(
    jobs: Sequence[tuple[types_pb2.Job, Pace | None]], width: int, height: int, now: float
) -> list[Text]:
    """At most `height` lines of `width` columns. If there are too many jobs, the last ones."""
    shown = jobs[-JOBS_SHOWN_MAX:]
    name_width = max((len(step_words(job)) for job, _ in shown), default=0)
    blocks = [_job_lines(job, pace, name_width, width, now) for job, pace in shown]
    while len(blocks) > 1 and sum(map(len, blocks)) >= height:
        blocks.pop(0)
    hidden = len(jobs) - len(blocks)
    above = [Text(f"... and {hidden:,} more jobs"[:width])] if hidden > 0 else []
    return [*above, *(line for block in blocks for line in block)]


def seconds_of(job: types_pb2.Job, now: float) -> float | None:
    """Seconds that a job has run since its first claim; None before it."""
    if not job.HasField("started_at"):
        return None
    until = job.finished_at.ToNanoseconds() / 1e9 if job.HasField("finished_at") else now
    return max(0.0, until - job.started_at.ToNanoseconds() / 1e9)


def last_words(job: types_pb2.Job) -> str:
    """The message of a finished job. "" for an error: the summary at the end prints it."""
    finished = job.state == types_pb2.JOB_STATE_FINISHED
    if not finished or job.result == types_pb2.JOB_RESULT_ERROR:
        return ""
    return one_line(job.message)


def _job_lines(
    job: types_pb2.Job, pace: Pace | None, name_width: int, width: int, now: float
) -> list[Text]:
    seconds = seconds_of(job, now)
    took = "" if seconds is None else f"{seconds:.1f} s"
    head = Text(step_words(job).ljust(name_width))
    head.append("  ").append(f"{job_word(job):9}", style=style_of(job))
    head.append(f"  {took:>7}")
    head.rstrip()
    if head.cell_len > width:
        head = Text(step_words(job))
        head.append("\n").append(f"  {job_word(job)}", style=style_of(job)).append(f"  {took}")
        head.rstrip()
    beside = width - name_width - 22
    if beside >= ROOM_BESIDE_MIN:
        return _beside(head, _tail(job, pace, beside), width - beside)
    above = [line for line in head.split("\n") if line.plain.strip()]
    for line in above:
        line.truncate(width, overflow="crop")
    return [*above, *(_indented(line) for line in _tail(job, pace, width - INDENT))]


def _beside(head: Text, tail: Sequence[Text], column: int) -> list[Text]:
    if not tail:
        return [head]
    head.pad_right(max(0, column - head.cell_len))
    first, *others = tail
    return [head.append_text(first), *(Text(" " * column).append_text(line) for line in others)]


def _indented(line: Text) -> Text:
    return Text(" " * INDENT).append_text(line)


def _tail(job: types_pb2.Job, pace: Pace | None, room: int) -> list[Text]:
    """The message or progress of a job, in lines of at most `room` columns.

    Has a bar if the total is known.
    """
    if pace is None:
        return [Text(line) for line in wrapped(last_words(job), room)]
    words = [Text(line) for line in filled(list(map(one_line, pace.parts())), room)]
    if pace.share is None:
        return words
    bar_beside = room - max(WORDS_WIDTH, *(line.cell_len for line in words)) - 2
    if bar_beside >= BAR_WIDTH_MIN and len(words) == 1:
        line = bar(pace.share, min(bar_beside, BAR_WIDTH_MAX))
        return [line.append("  ").append_text(words[0])]
    return [*words, bar(pace.share, min(room, BAR_WIDTH_MAX + 20))]


def filled(parts: Sequence[str], room: int) -> list[str]:
    """The parts with commas between them, as many per line as fit."""
    lines: list[str] = []
    for n, part in enumerate(parts):
        piece = part + ("," if n < len(parts) - 1 else "")
        if lines and len(lines[-1]) + 1 + len(piece) <= room:
            lines[-1] += f" {piece}"
        else:
            lines += wrapped(piece, room)
    return lines


def bar(share: float, width: int) -> Text:
    """A progress bar with its percentage, `width` columns wide. Readable without colours."""
    percent = f" {share:4.0%}"
    room = max(1, width - len(percent))
    done = round(room * share)
    line = Text(DONE * done, style="green")
    return line.append(TO_DO * (room - done), style="dim").append(percent, style="none")


def style_of(job: types_pb2.Job) -> str:
    """The colour of a job's state."""
    match job.result:
        case types_pb2.JOB_RESULT_SUCCESS:
            return "green"
        case types_pb2.JOB_RESULT_WARNING | types_pb2.JOB_RESULT_CANCELLED:
            return "yellow"
        case types_pb2.JOB_RESULT_ERROR:
            return "red"
        case _:
            return "cyan"
