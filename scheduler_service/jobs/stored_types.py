"""The types of jobs that are stored. A newer release, or a file of declared job types that is gone,
may have named one that this release does not know.
"""

from scheduler_service.jobs.job_types import JOB_TYPES, JobType


class JobTypeUnknown(Exception):
    """What follows from a job of this type, or how one is made, this release does not know."""

    def __init__(self, name: str) -> None:
        """`name` is the job type."""
        super().__init__(f"this release does not know the job type {name}")
        self.name = name


def job_type_of(name: str) -> JobType:
    """The row of a type that jobs are made of, or whose work is to be told as done.

    Raises JobTypeUnknown: whoever guessed would lose what follows, or run two at once.
    """
    job_type = JOB_TYPES.get(name)
    if job_type is None:
        raise JobTypeUnknown(name)
    return job_type


def ending_type(name: str) -> JobType:
    """The row of a type whose job an operator ends or takes from its claim. Of one that is not
    known it may have written, but not where, and nothing follows from it.
    """
    return JOB_TYPES.get(name) or JobType(name, needs=frozenset())


def may_write(name: str) -> bool:
    """Whether a claim of such a job that ends in doubt may have changed the ledger."""
    return name not in JOB_TYPES or JOB_TYPES[name].writes_data
