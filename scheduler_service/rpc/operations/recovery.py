"""What people do about jobs that hang, and about pipelines that failed."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.requests import Refused, RetriedJob
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_interventions import check_recovery, check_retry
from scheduler_service.rpc.gradually import gradually
from scheduler_service.rpc.limited_callers import check_job, check_pipeline, job_of
from scheduler_service.rpc.refusals import refusal_with_days
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Recovery(operations_pb2_grpc.OperationsServiceServicer):
    """RecoverJob, RetryPipeline."""

    store: Store

    async def RecoverJob(
        self, request: pb.RecoverJobRequest, context: Context
    ) -> pb.RecoverJobResponse:
        wanted = check_recovery(request, caller())
        await check_job(self.store, wanted.job_id)
        answer = await self.store.recover_job(wanted)
        if isinstance(answer, Refused):
            raise refusal_with_days(answer, self.store.retention_days)
        recovered, job = answer
        seconds = recovered.drain_seconds
        return pb.RecoverJobResponse(
            job=job_of(job),
            claim_token=recovered.claim_token,
            drains_for=messages.duration(seconds) if seconds > 0 else None,
        )

    async def RetryPipeline(
        self, request: pb.RetryPipelineRequest, context: Context
    ) -> pb.RetryPipelineResponse:
        wanted = check_retry(request, caller())
        await check_pipeline(self.store, wanted.pipeline_id)
        answer = await self.store.retry_pipeline(wanted)
        if isinstance(answer, Refused):
            raise refusal_with_days(answer, self.store.retention_days)
        return pb.RetryPipelineResponse(
            pipeline_id=answer.pipeline_id,
            jobs=await gradually(answer.jobs, _retried),
            replayed=answer.is_replay,
        )


def _retried(job: RetriedJob) -> pb.RetriedJob:
    return pb.RetriedJob(
        failed_job_id=job.failed_job_id,
        job_id=job.job_id,
        job_type=job.job_type,
        disposition=messages.disposition(job.disposition),
    )
