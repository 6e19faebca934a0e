"""A logger of one job's lines, which costs next to nothing while none is written."""

import logging

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.claimed_job import ClaimedJob


class JobLog:
    """Its lines carry the job's names, and once it is known for how many seconds the step ran."""

    def __init__(self, lines: FilteringBoundLogger, job: ClaimedJob) -> None:
        """`lines` gets them."""
        self._lines = lines
        self._job = job
        self.seconds: float | None = None

    def info(self, event: str, **said: object) -> None:
        """As a logger's."""
        if self._lines.is_enabled_for(logging.INFO):
            self._lines.info(event, **self._names(), **said)

    def warning(self, event: str, **said: object) -> None:
        """As a logger's."""
        self._lines.warning(event, **self._names(), **said)

    def error(self, event: str, **said: object) -> None:
        """As a logger's."""
        self._lines.error(event, **self._names(), **said)

    def _names(self) -> dict[str, object]:
        names = names_of(self._job)
        if self.seconds is not None:
            names["seconds"] = round(self.seconds, 3)
        return names


def names_of(job: ClaimedJob) -> dict[str, object]:
    """What every log line about a job carries."""
    return {
        "job_id": job.job_id,
        "pipeline_id": job.pipeline_id,
        "claim_token": job.claim_token,
        "tenant": job.tenant,
        "job_type": job.job_type,
    }
