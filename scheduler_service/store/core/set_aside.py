"""What a sweep or a Claim failed at, and leaves alone for a while."""

from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    """What failed, as it is stored: a step of a sweep, or a Claim."""

    EXPIRE = "expire"
    PROMOTE = "promote"
    BACKSTOP = "backstop"
    REMOVE = "remove"
    CLAIM = "claim"
    SCHEDULE = "schedule"


class SetAside(NamedTuple):
    """One thing that is left alone for `seconds`: a claim by its token, a job, a pipeline
    or a schedule by its number, or an exclusive key. `job_id` is None unless it is about a job.
    """

    step: Step
    item: str
    job_id: int | None
    failures: int
    reason: str
    seconds: float
