"""What people ask about pipelines, and the only cancel."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc, types_pb2
from scheduler_service.jobs.requests import Refused
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import (
    TEXT_CHARACTERS_MAX,
    check_identifier,
    check_pipelines,
)
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.gradually import gradually
from scheduler_service.rpc.limited_callers import (
    check_pipeline,
    pipeline_of,
    without_details,
    without_words,
)
from scheduler_service.rpc.refusals import refusal_with_days
from scheduler_service.rpc.timelines import timeline_beside
from scheduler_service.store.store import Store

JOBS_SHOWN_MAX = 1000
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Pipelines(operations_pb2_grpc.OperationsServiceServicer):
    """GetPipeline, ListPipelines, CancelPipeline."""

    store: Store

    async def GetPipeline(
        self, request: pb.GetPipelineRequest, context: Context
    ) -> pb.GetPipelineResponse:
        pipeline_id = check_identifier("pipeline_id", request.pipeline_id)
        await check_pipeline(self.store, pipeline_id)
        shown = await self.store.read_pipeline(
            pipeline_id, caller().tenant(request.tenant), jobs_max=JOBS_SHOWN_MAX
        )
        if isinstance(shown, Refused):
            raise refusal_with_days(shown, self.store.retention_days)
        jobs = first_page(
            await gradually(shown.jobs, lambda row: messages.job_summary(row, joined=row.is_joined))
        )
        without_details(jobs)
        timeline, left_out = await timeline_beside(shown.timeline, jobs)
        without_words(timeline, jobs)
        return pb.GetPipelineResponse(
            pipeline=pipeline_of(shown.pipeline),
            jobs=jobs,
            edges=[edge for job in jobs for edge in _edges(job)],
            timeline=timeline,
            events_left_out=left_out,
            has_more_jobs=shown.has_more_jobs or len(jobs) < len(shown.jobs),
        )

    async def ListPipelines(
        self, request: pb.ListPipelinesRequest, context: Context
    ) -> pb.ListPipelinesResponse:
        wanted = check_pipelines(request, caller())
        page = await self.store.list_pipelines(wanted)
        answer = pb.ListPipelinesResponse(
            pipelines=[pipeline_of(row) for row in page.pipelines],
            next_page_token=page_token(page.before_id) if page.before_id is not None else "",
        )
        if request.with_status_counts:
            counts = await self.store.count_pipelines(wanted)
            answer.status_counts.CopyFrom(messages.status_counts(counts))
        return answer

    async def CancelPipeline(
        self, request: pb.CancelPipelineRequest, context: Context
    ) -> pb.CancelPipelineResponse:
        fields = Fields()
        pipeline_id = fields.identifier("pipeline_id", request.pipeline_id)
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        fields.done()
        tenants = (caller().tenant(request.tenant),)
        await check_pipeline(self.store, pipeline_id)
        answer = await self.store.cancel_pipeline(tenants, pipeline_id, reason, caller().name)
        if isinstance(answer, Refused):
            raise refusal_with_days(answer, self.store.retention_days)
        cancelled, pipeline = answer
        return pb.CancelPipelineResponse(
            pipeline=pipeline_of(pipeline),
            cancelled_job_ids=cancelled.cancelled_job_ids,
            unlinked_job_ids=cancelled.unlinked_job_ids,
        )


def _edges(job: types_pb2.Job) -> list[pb.JobEdge]:
    edges = []
    if job.parent_job_id:
        edge = pb.JobEdge(from_job_id=job.parent_job_id, to_job_id=job.job_id, kind="chained")
        edges.append(edge)
    if job.superseded_by:
        edge = pb.JobEdge(from_job_id=job.job_id, to_job_id=job.superseded_by, kind="superseded")
        edges.append(edge)
    return edges
