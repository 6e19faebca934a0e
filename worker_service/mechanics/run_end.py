"""What is known of a run when its step has ended, for metrics."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias, assert_never

from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.scheduler import Finish, Release
from worker_service.mechanics.verdict import Forget, Verdict


class RunEnd(NamedTuple):
    """How one run ended.

    `result` is the result of its Finish, the reason of its Release, or FORGOTTEN if another claim
    decides about the job. `seconds` is how long the step ran. `rows` is what its stats hold under
    "rows", 0 if nothing.
    """

    job_type: str
    result: str
    stop_reason: StopReason | None
    seconds: float
    rows: int


RunEnded: TypeAlias = Callable[[RunEnd], None]


def ignore_run_end(_end: RunEnd) -> None:
    """For workers without metrics."""


def result_of(decision: Verdict) -> str:
    """The value of `RunEnd.result` for a verdict."""
    match decision:
        case Finish():
            return decision.result.value
        case Release():
            return decision.reason.value
        case Forget():
            return "FORGOTTEN"
        case _:
            assert_never(decision)


def rows_of(decision: Verdict) -> int:
    """How many rows the step has processed. 0 if its stats do not say."""
    rows = decision.stats.get("rows") if isinstance(decision, Finish) else None
    return rows if isinstance(rows, int) and rows > 0 else 0
