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

    def within(self, most: "CallLimits") -> "CallLimits":
        """The smaller one of each bound."""
        return CallLimits(
            min(self.calls, most.calls),
            min(self.mebibytes, most.mebibytes),
            min(self.receive_seconds, most.receive_seconds),
        )


CALL_LIMITS = CallLimits()
# Whoever reaches the port may check its health, and read its reflection. Requests are small, but
# the library receives what comes, up to the largest message.
HEALTH_LIMITS = CallLimits(calls=500, mebibytes=64)
FOREIGN_LIMITS = CallLimits(calls=50, mebibytes=32)
