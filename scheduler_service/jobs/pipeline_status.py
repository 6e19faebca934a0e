"""A pipeline's status, from its counters and its root."""

from enum import StrEnum

from scheduler_service.jobs.states import JobResult


class PipelineStatus(StrEnum):
    """How a pipeline stands; stored as its name. It follows from counters at every change.

    LIVE: a job of it, own, joined or held, has not ended. On the wire this is NOT_STARTED until a
    job has started, then RUNNING. The other four are final, and the row stays for good.

    SUCCESS: no job failed. PARTIAL: a job failed, but not the root. FAILED: the root failed.
    CANCELLED: CancelPipeline ended it.
    """

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
