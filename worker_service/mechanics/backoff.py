"""How long to wait before a call is repeated: longer each time, and never in step with others."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Waits of about first, 2 x first, 4 x first ... up to a maximum, each spread by half.

    The maximum is short: a call of a process's costs little, and what waits for it holds up others.
    """

    first_seconds: float = 0.1
    max_seconds: float = 1.0
    tries: int = 0

    def next_seconds(self) -> float:
        """The wait before the next try."""
        whole = min(self.max_seconds, self.first_seconds * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing

    def reset(self) -> None:
        """An answer came: begin anew."""
        self.tries = 0
