"""What a lost worker is: one that the scheduler has not heard of for longer than a lease."""

from enum import StrEnum


class WorkerState(StrEnum):
    """How a worker process stands; the names of the proto enum without its prefix."""

    LIVE = "LIVE"
    DRAINING = "DRAINING"
    LOST = "LOST"


def worker_state(*, silent_seconds: float, lease_seconds: float, draining: bool) -> WorkerState:
    """The state of a worker that has been silent for so long.

    Within a lease, its last Claim or Heartbeat still speaks for it. After a lease it can hold no
    claim any more, and whether it was draining does not matter.
    """
    if silent_seconds > lease_seconds:
        return WorkerState.LOST
    return WorkerState.DRAINING if draining else WorkerState.LIVE
