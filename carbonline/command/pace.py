"""How fast a step goes and how long it will take, from the progress it reported."""

from dataclasses import dataclass

from carbonline.v1 import types_pb2

# A rate over less than this says more about the first batch than about the step.
RATE_SECONDS_MIN = 0.3


@dataclass(slots=True)
class Pace:
    """One job's phase since it was first seen; `now` is any clock in seconds."""

    phase: str
    began_at: float
    done_then: int
    done: int
    total: int
    now: float

    @classmethod
    def of(cls, job: types_pb2.Job, before: "Pace | None", now: float) -> "Pace":
        """The pace of a job, going on from what was seen before; a new phase begins anew."""
        progress = job.progress
        if before is None or before.phase != progress.phase or progress.done < before.done:
            return cls(progress.phase, now, progress.done, progress.done, progress.total, now)
        return cls(
            before.phase, before.began_at, before.done_then, progress.done, progress.total, now
        )

    @property
    def per_second(self) -> float | None:
        """Items per second; None as long as it is not known."""
        seconds = self.now - self.began_at
        if seconds < RATE_SECONDS_MIN or self.done <= self.done_then:
            return None
        return (self.done - self.done_then) / seconds

    @property
    def seconds_left(self) -> float | None:
        """Until the phase is done at this rate; None as long as it is not known."""
        rate = self.per_second
        if rate is None or self.total <= 0:
            return None
        return max(0.0, (self.total - self.done) / rate)

    def words(self) -> str:
        """Such as "read: 150,000 of 336,776, 95,000/s, 2 s left"."""
        parts = []
        if self.done or self.total:
            of_total = f" of {self.total:,}" if self.total else ""
            parts.append(f"{self.done:,}{of_total}")
        if self.per_second is not None:
            parts.append(f"{self.per_second:,.0f}/s")
        if self.seconds_left is not None and self.done < self.total:
            parts.append(f"{self.seconds_left:.0f} s left")
        return ": ".join(part for part in (self.phase, ", ".join(parts)) if part)
