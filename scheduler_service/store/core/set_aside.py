"""What a sweep failed at, and leaves alone for a while."""

from enum import StrEnum
from typing import NamedTuple


class Step(StrEnum):
    """What of a sweep failed, as it is stored."""

    EXPIRE = "expire"
    PROMOTE = "promote"
    BACKSTOP = "backstop"
    REMOVE = "remove"


class SetAside(NamedTuple):
    """One thing that a sweep leaves alone for `seconds`: a claim by its token, a job or a pipeline
    by its number, or an exclusive key. `job_id` is None for a pipeline and for a key.
    """

    step: Step
    item: str
    job_id: int | None
    failures: int
    reason: str
    seconds: float
