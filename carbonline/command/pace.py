"""Speed and remaining time of a job, from the progress that it reports."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from carbonline.v1 import types_pb2

# A rate over less than this says more about the first batch than about the step.
RATE_SECONDS_MIN = 0.3


@dataclass(frozen=True, slots=True)
class Pace:
    """The phase of a job since it was first seen. `now` is in seconds of any one clock.

    If `is_old`, the numbers may be of an earlier moment, such as after a lost connection; the rate
    is then counted from the next report on.
    """

    phase: str
    began_at: float
    done_then: int
    done: int
    total: int
    now: float
    is_old: bool = False

    @classmethod
    def of(cls, job: types_pb2.Job, before: "Pace | None", now: float) -> "Pace":
        """The pace of a job, continued from `before`. A new phase starts again."""
        progress = job.progress
        began = cls(progress.phase, now, progress.done, progress.done, progress.total, now)
        if before is None or before.phase != progress.phase or progress.done < before.done:
            return began
        if before.is_old:
            return began if progress.done != before.done else replace(began, is_old=True)
        return replace(before, done=progress.done, total=progress.total, now=now)

    @property
    def per_second(self) -> float | None:
        """Items per second; None if unknown."""
        seconds = self.now - self.began_at
        if seconds < RATE_SECONDS_MIN or self.done <= self.done_then:
            return None
        return (self.done - self.done_then) / seconds

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the phase ends at this rate; None if unknown."""
        rate = self.per_second
        if rate is None or self.total <= 0:
            return None
        return max(0.0, (self.total - self.done) / rate)

    @property
    def share(self) -> float | None:
        """The finished part of the phase, 0 to 1; None if the total is unknown."""
        return min(1.0, self.done / self.total) if self.total > 0 else None

    def parts(self) -> Sequence[str]:
        """Such as ["read: 150,000 of 336,776", "95,000/s", "2 s left"]."""
        of_total = f" of {self.total:,}" if self.total else ""
        counted = f"{self.done:,}{of_total}" if self.done or self.total else ""
        parts = [": ".join(part for part in (self.phase, counted) if part)]
        if self.per_second is not None:
            parts.append(f"{self.per_second:,.0f}/s")
        if self.seconds_left is not None and self.done < self.total:
            parts.append(f"{self.seconds_left:.0f} s left")
        return [part for part in parts if part]

    def words(self) -> str:
        """The parts as one text."""
        return ", ".join(self.parts())


class Paces:
    """The paces of all jobs of a pipeline."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of_job: dict[int, Pace] = {}
        self._broke = False

    def of(self, job: types_pb2.Job) -> Pace | None:
        """The pace of a running job."""
        if job.state != types_pb2.JOB_STATE_RUNNING or not job.HasField("progress"):
            return None
        before = self._of_job.get(job.job_id)
        pace = Pace.of(job, before, self._clock())
        if before is None and self._broke:
            pace = replace(pace, is_old=True)
        self._of_job[job.job_id] = pace
        return pace

    def grow_old(self) -> None:
        """Mark all paces as old, because the connection is lost."""
        self._of_job.clear()
        self._broke = True
