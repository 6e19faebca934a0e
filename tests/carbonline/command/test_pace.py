"""A pace is the rate of progress within one phase."""

from carbonline.command.pace import Pace
from carbonline.v1 import types_pb2


def running(done: int, total: int = 0, phase: str = "read") -> types_pb2.Job:
    job = types_pb2.Job(job_id=1, state=types_pb2.JOB_STATE_RUNNING)
    job.progress.done, job.progress.total, job.progress.phase = done, total, phase
    return job


def test_a_pace_is_the_rate_since_the_phase_began() -> None:
    first = Pace.of(running(100, 1000), None, 10.0)
    assert (first.per_second, first.seconds_left) == (None, None)
    later = Pace.of(running(300, 1000), first, 12.0)
    assert later.per_second == 100.0
    assert later.seconds_left == 7.0
    assert later.words() == "read: 300 of 1,000, 100/s, 7 s left"


def test_a_new_phase_has_a_pace_of_its_own() -> None:
    first = Pace.of(running(900, 1000), None, 10.0)
    second = Pace.of(running(10, 0, "publish"), first, 20.0)
    assert second.began_at == 20.0
    assert second.words() == "publish: 10"
