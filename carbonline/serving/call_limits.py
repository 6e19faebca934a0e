"""How many calls, and how much of their messages, a server holds at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one caller may have in flight in one room: calls, and mebibytes of their requests and
    answers. All callers of the room may together have twice as many. A request must have come whole
    within `receive_seconds`.
    """

    calls: int = 2_000
    mebibytes: int = 256
    receive_seconds: float = 60.0


CALL_LIMITS = CallLimits()
