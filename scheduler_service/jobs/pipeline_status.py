"""A pipeline's status, from its counters and its root."""

from enum import StrEnum

from scheduler_service.jobs.states import JobResult


class PipelineStatus(StrEnum):
    """As stored; LIVE is NOT_STARTED or RUNNING on the wire."""

    LIVE = "LIVE"
    SUCCESS = "SUCCESS"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


def pipeline_status(
    *, live_jobs: int, failed_jobs: int, cancelled: bool, root_result: JobResult | None
) -> PipelineStatus:
    """LIVE while anything is live; then cancelled, failed root, failed step, or success."""
    if live_jobs > 0:
        return PipelineStatus.LIVE
    if cancelled:
        return PipelineStatus.CANCELLED
    if root_result is JobResult.ERROR:
        return PipelineStatus.FAILED
    if failed_jobs > 0:
        return PipelineStatus.PARTIAL
    return PipelineStatus.SUCCESS
