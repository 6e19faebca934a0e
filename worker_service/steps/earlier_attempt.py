"""What to say if an attempt finds its work done: an earlier one may have been killed after it."""

from worker_service.mechanics.claimed_job import ClaimedJob

SAVED_BEFORE = "An earlier attempt of this job may have saved them."


def with_earlier_attempt(job: ClaimedJob, sentence: str, *, changed: int) -> str:
    """The sentence, and a second one if this attempt, not being the first, `changed` nothing."""
    return f"{sentence} {SAVED_BEFORE}" if job.attempt > 1 and not changed else sentence
