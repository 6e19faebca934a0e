"""What a lost worker is: one that the scheduler has not heard of for longer than a lease."""

from enum import StrEnum


class WorkerState(StrEnum):
    """How a worker process stands; the names of the proto enum without its prefix."""

    LIVE = "LIVE"
    NOT_READY = "NOT_READY"
    DRAINING = "DRAINING"
    LOST = "LOST"


def worker_state(
    *, silent_seconds: float, lease_seconds: float, draining: bool, not_ready: str
) -> WorkerState:
    """The state of a worker that has been silent for so long.

    Within a lease, its last Claim or Heartbeat still speaks for it. After a lease it can hold no
    claim any more, and what it said last does not matter.
    """
    if silent_seconds > lease_seconds:
        return WorkerState.LOST
    if draining:
        return WorkerState.DRAINING
    return WorkerState.NOT_READY if not_ready else WorkerState.LIVE
