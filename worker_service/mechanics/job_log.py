"""Logs lines about one job. A line that is not written costs next to nothing."""

import logging

from structlog.typing import FilteringBoundLogger

from worker_service.mechanics.claimed_job import ClaimedJob


class JobLog:
    """A logger whose lines carry the fields of `fields_of`.

    Once `seconds` is set, they also carry for how long the step ran.
    """

    def __init__(self, lines: FilteringBoundLogger, job: ClaimedJob) -> None:
        """Writes lines about `job` to `lines`."""
        self._lines = lines
        self._job = job
        self.seconds: float | None = None

    def info(self, event: str, **fields: object) -> None:
        """Logs an event at level info."""
        if self._lines.is_enabled_for(logging.INFO):
            self._lines.info(event, **self._job_fields(), **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Logs an event at level warning."""
        self._lines.warning(event, **self._job_fields(), **fields)

    def error(self, event: str, **fields: object) -> None:
        """Logs an event at level error."""
        self._lines.error(event, **self._job_fields(), **fields)

    def _job_fields(self) -> dict[str, object]:
        fields = fields_of(self._job)
        if self.seconds is not None:
            fields["seconds"] = round(self.seconds, 3)
        return fields


def fields_of(job: ClaimedJob) -> dict[str, object]:
    """The fields of every log line about a job."""
    return {
        "job_id": job.job_id,
        "pipeline_id": job.pipeline_id,
        "claim_token": job.claim_token,
        "tenant": job.tenant,
        "job_type": job.job_type,
    }
