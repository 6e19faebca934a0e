"""Why a pipeline or its watcher makes no progress, as a sentence that changes with time."""

# A connection that comes back within this was never worth a word.
LOST_SECONDS_MIN = 2.0


class HeldUp:
    """Records outages of the scheduler, and what the pipeline waits for.

    Times are in seconds of any one clock.
    """

    def __init__(self) -> None:
        self._pipeline_id = 0
        self._lost_at: float | None = None
        self._waits = ""

    def lost(self, pipeline_id: int, now: float, silent_seconds: float = 0.0) -> None:
        """Record that the scheduler does not answer. Repeated calls keep the first time.

        `silent_seconds`: for how long it had been silent when that was noticed.
        """
        self._pipeline_id = pipeline_id
        if self._lost_at is None:
            self._lost_at = now - silent_seconds

    def found(self, now: float) -> str:
        """Record that the scheduler answers. Returns a sentence if it was missed for long."""
        missed = 0.0 if self._lost_at is None else now - self._lost_at
        self._lost_at = None
        return f"The scheduler answers again after {missed:.0f} s." if _matters(missed) else ""

    def waits(self, why: str) -> None:
        """Record why the pipeline waits. "" if it does not wait."""
        self._waits = why

    def sentence(self, now: float) -> str:
        """The sentence to show; "" if nothing holds the pipeline up."""
        if self._lost_at is not None and _matters(now - self._lost_at):
            return (
                f"The scheduler has not answered for {now - self._lost_at:.0f} s; retrying. "
                f"Pipeline {self._pipeline_id} continues."
            )
        return self._waits


def _matters(missed_seconds: float) -> bool:
    return missed_seconds >= LOST_SECONDS_MIN
