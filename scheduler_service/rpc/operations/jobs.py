"""What people ask about jobs."""

from collections.abc import Collection
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import monitoring_pb2, operations_pb2_grpc
from carbonline.v1 import operations_pb2 as pb
from scheduler_service.jobs.requests import Refused
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import (
    check_identifier,
    check_jobs,
)
from scheduler_service.rpc.explanations import explanation
from scheduler_service.rpc.limited_callers import (
    check_job,
    check_pipeline,
    explained_to_caller,
    job_of,
    without_details,
    without_words,
)
from scheduler_service.rpc.refusals import refusal_with_days
from scheduler_service.rpc.timelines import timeline_beside
from scheduler_service.store.store import Store

JOINERS_SHOWN_MAX = 1_000
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Jobs(operations_pb2_grpc.OperationsServiceServicer):
    """GetJob, ListJobs, ExplainJob."""

    store: Store
    job_types: Collection[str]

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        job_id = check_identifier("job_id", request.job_id)
        await check_job(self.store, job_id)
        found = await self.store.read_job(job_id, caller().tenant(request.tenant))
        if isinstance(found, Refused):
            raise refusal_with_days(found, self.store.retention_days)
        job = job_of(found.job)
        timeline, left_out = await timeline_beside(found.timeline, [job])
        without_words(timeline, [job])
        is_covered = caller().covers(job.scope.module, job.scope.unit)
        return pb.GetJobResponse(
            job=job,
            payload=messages.struct(found.job.payload) if is_covered else None,
            timeline=timeline,
            joined_by_pipeline_ids=found.joined_by[:JOINERS_SHOWN_MAX],
            events_left_out=left_out,
            joined_by_left_out=max(len(found.joined_by) - JOINERS_SHOWN_MAX, 0),
        )

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        wanted = check_jobs(request, caller())
        if wanted.pipeline_id is not None:
            await check_pipeline(self.store, wanted.pipeline_id)
        found = await self.store.list_jobs(wanted)
        if isinstance(found, Refused):
            raise refusal_with_days(found, self.store.retention_days)
        summaries = [messages.job_summary(row, joined=row.is_joined) for row in found.jobs]
        page, before = first_page(summaries), found.before
        if len(page) < len(summaries):
            before = page[-1].pipeline_id, page[-1].job_id
        without_details(page)
        return pb.ListJobsResponse(jobs=page, next_page_token=page_token(*before) if before else "")

    async def ExplainJob(
        self, request: monitoring_pb2.ExplainJobRequest, context: Context
    ) -> monitoring_pb2.ExplainJobResponse:
        job_id = check_identifier("job_id", request.job_id)
        await check_job(self.store, job_id)
        found = await self.store.explain_job(caller().tenant(request.tenant), job_id)
        if isinstance(found, Refused):
            raise refusal_with_days(found, self.store.retention_days)
        answer = explanation(explained_to_caller(found), self.job_types)
        without_details([answer.job])
        return answer
