"""What holds a pipeline or its watcher up just now, as one sentence that changes with time."""

# A connection that comes back within this was never worth a word.
LOST_SECONDS_MIN = 2.0


class HeldUp:
    """Times are of any clock in seconds."""

    def __init__(self) -> None:
        self._pipeline_id = 0
        self._lost_at: float | None = None
        self._waits = ""

    def lost(self, pipeline_id: int, now: float) -> None:
        """The scheduler does not answer; said again and again, it counts from the first time."""
        self._pipeline_id = pipeline_id
        if self._lost_at is None:
            self._lost_at = now

    def found(self, now: float) -> str:
        """The scheduler answers: a sentence where it had been missed."""
        missed = 0.0 if self._lost_at is None else now - self._lost_at
        self._lost_at = None
        return f"The scheduler answers again after {missed:.0f} s." if _matters(missed) else ""

    def waits(self, why: str) -> None:
        """The pipeline waits, and why; "" when it does not."""
        self._waits = why

    def sentence(self, now: float) -> str:
        """What to show; "" when nothing holds it up."""
        if self._lost_at is not None and _matters(now - self._lost_at):
            return (
                f"The scheduler has not answered for {now - self._lost_at:.0f} s; retrying. "
                f"Pipeline {self._pipeline_id} continues."
            )
        return self._waits


def _matters(missed_seconds: float) -> bool:
    return missed_seconds >= LOST_SECONDS_MIN
