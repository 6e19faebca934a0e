"""What an operator has changed, as it is now: read in the transaction that changes it."""

from scheduler_service.jobs.requests import Cancelled, Recovered, Refused
from scheduler_service.store.core.statements import Connection, statement
from scheduler_service.store.reads.rows import JobSummaryRow, PipelineRow


async def with_pipeline(
    conn: Connection, answer: Cancelled | Refused, pipeline_id: int
) -> tuple[Cancelled, PipelineRow] | Refused:
    """The answer and the pipeline, or why nothing was done."""
    if isinstance(answer, Refused):
        return answer
    (row,) = await statement("pipelines_by_id").rows(conn, PipelineRow, pipeline_ids=[pipeline_id])
    return answer, row


async def with_job(
    conn: Connection, answer: Recovered | Refused, job_id: int
) -> tuple[Recovered, JobSummaryRow] | Refused:
    """The answer and the job, or why nothing was done."""
    if isinstance(answer, Refused):
        return answer
    (row,) = await statement("job_by_id").rows(conn, JobSummaryRow, job_id=job_id)
    return answer, row
