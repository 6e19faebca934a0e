"""How long to wait before a call is repeated: longer each time, with jitter."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Waits of about `first_seconds`, twice that, four times that, up to `max_seconds`.

    Each wait is between half of its value and all of it. The maximum is short by default: a call
    costs little, and jobs wait for its answer.
    """

    first_seconds: float = 0.1
    max_seconds: float = 1.0
    tries: int = 0

    def next_seconds(self) -> float:
        """Seconds to wait before the next try."""
        whole = min(self.max_seconds, self.first_seconds * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing

    def reset(self) -> None:
        """Starts again with `first_seconds`. Call it after an answer."""
        self.tries = 0
