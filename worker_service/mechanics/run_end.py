"""What is known of a run when its step is over, for whoever counts runs."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, assert_never

from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.scheduler import Finish, GiveBack
from worker_service.mechanics.verdict import Forget, Verdict


class RunEnd(NamedTuple):
    """`told` is the result that Finish tells, the reason that Release gives, or FORGOTTEN.

    `rows` is what the step's stats say under "rows"; 0 where they say nothing.
    """

    job_type: str
    told: str
    stop_reason: StopReason | None
    seconds: float
    rows: int


RunEnded: TypeAlias = Callable[[RunEnd], None]


def nobody_counts(_end: RunEnd) -> None:
    """For workers without metrics."""


def word_of(told: Verdict) -> str:
    """What becomes of the job, as one word."""
    match told:
        case Finish():
            return told.result.value
        case GiveBack():
            return told.reason.value
        case Forget():
            return "FORGOTTEN"
        case _:
            assert_never(told)


def rows_of(told: Verdict) -> int:
    """How many rows the step has gone through."""
    rows = told.stats.get("rows") if isinstance(told, Finish) else None
    return rows if isinstance(rows, int) and rows > 0 else 0
