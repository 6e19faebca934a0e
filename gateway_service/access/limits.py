"""How many streams there may be at once: in this process, and for one caller."""

import hashlib
from collections import Counter

from gateway_service.transcode.problems import Problem

STREAMS_MAX = 2_000
STREAMS_OF_CALLER_MAX = 20
RETRY_SECONDS = 5.0


class StreamLimits:
    """Counts open streams. Callers are told apart by their tokens, which are not kept."""

    def __init__(
        self, streams_max: int = STREAMS_MAX, of_caller_max: int = STREAMS_OF_CALLER_MAX
    ) -> None:
        self._streams_max = streams_max
        self._of_caller_max = of_caller_max
        self._of_callers: Counter[bytes] = Counter()

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._of_callers.total()

    def open(self, token: str) -> bytes:
        """Counts a stream; give what it returns to `close`. Raises Problem TOO_MANY_STREAMS."""
        if self.streams >= self._streams_max:
            words = f"This gateway serves {self._streams_max:,} streams, and no more. Try later."
            raise Problem(503, "TOO_MANY_STREAMS", words, retry_seconds=RETRY_SECONDS)
        caller = hashlib.sha256(token.encode()).digest()
        if self._of_callers[caller] >= self._of_caller_max:
            words = f"You have {self._of_caller_max} streams open. Close one, or try later."
            raise Problem(429, "TOO_MANY_STREAMS", words, retry_seconds=RETRY_SECONDS)
        self._of_callers[caller] += 1
        return caller

    def close(self, caller: bytes) -> None:
        """A stream has ended."""
        self._of_callers[caller] -= 1
        if not self._of_callers[caller]:
            del self._of_callers[caller]
