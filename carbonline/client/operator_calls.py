"""The RPCs by which an operator intervenes."""

import uuid

from carbonline.client.calls import Calls
from carbonline.v1 import interventions_pb2, operations_pb2

PAUSES_MAX = 10_000


class OperatorCalls(Calls):
    """A part of ContractClient."""

    async def get_job(self, job_id: int) -> operations_pb2.GetJobResponse:
        """A job with its payload and its timeline."""
        request = operations_pb2.GetJobRequest(tenant=self.tenant, job_id=job_id)
        return await self._ask_scheduler(self._operations.GetJob, request)

    async def retry_pipeline(
        self, pipeline_id: int, *, request_id: str = "", validate_only: bool = False
    ) -> interventions_pb2.RetryPipelineResponse:
        """Runs again what failed in a pipeline, as a new pipeline.

        Repeating the call with the same `request_id` makes no second one.
        """
        request = interventions_pb2.RetryPipelineRequest(
            tenant=self.tenant,
            pipeline_id=pipeline_id,
            request_id=request_id or str(uuid.uuid4()),
            validate_only=validate_only,
        )
        return await self._ask_scheduler(self._operations.RetryPipeline, request)

    async def recover_job(
        self, job_id: int, *, claim_token: int = 0, force: bool = False, reason: str = ""
    ) -> interventions_pb2.RecoverJobResponse:
        """Takes a job from its claim: `claim_token`, or whichever holds it.

        A live claim loses the job only with `force`.
        """
        request = interventions_pb2.RecoverJobRequest(
            tenant=self.tenant, job_id=job_id, claim_token=claim_token, force=force, reason=reason
        )
        return await self._ask_scheduler(self._operations.RecoverJob, request)

    async def pause_job_type(
        self, job_type: str, reason: str = "", *, all_tenants: bool = False
    ) -> interventions_pb2.PauseJobTypeResponse:
        """Stops jobs of a type from being claimed, until it is resumed."""
        request = interventions_pb2.PauseJobTypeRequest(
            tenant="" if all_tenants else self.tenant,
            all_tenants=all_tenants,
            job_type=job_type,
            reason=reason,
        )
        return await self._ask_scheduler(self._operations.PauseJobType, request)

    async def drain_worker(
        self, worker_id: str, reason: str = ""
    ) -> interventions_pb2.DrainWorkerResponse:
        """Tells a worker to finish what it runs, and to end."""
        request = interventions_pb2.DrainWorkerRequest(worker_id=worker_id, reason=reason)
        return await self._ask_scheduler(self._operations.DrainWorker, request)

    async def resume_job_type(
        self, job_type: str, *, all_tenants: bool = False
    ) -> interventions_pb2.ResumeJobTypeResponse:
        """Lets jobs of a paused type be claimed again."""
        request = interventions_pb2.ResumeJobTypeRequest(
            tenant="" if all_tenants else self.tenant, all_tenants=all_tenants, job_type=job_type
        )
        return await self._ask_scheduler(self._operations.ResumeJobType, request)

    async def list_job_type_pauses(
        self, *, include_resumed: bool = False
    ) -> interventions_pb2.ListJobTypePausesResponse:
        """The job types that are paused; also those that were, if `include_resumed`.

        All pages as one, at most PAUSES_MAX pauses: then `next_page_token` leads to the others.
        """
        request = interventions_pb2.ListJobTypePausesRequest(
            tenant=self.tenant, include_resumed=include_resumed
        )
        answer = await self._ask_scheduler(self._operations.ListJobTypePauses, request)
        while answer.next_page_token and len(answer.pauses) < PAUSES_MAX:
            request.page_token = answer.next_page_token
            page = await self._ask_scheduler(self._operations.ListJobTypePauses, request)
            answer.pauses.extend(page.pauses)
            answer.next_page_token = page.next_page_token
        return answer

    async def lock_period(
        self, year: int, reason: str = ""
    ) -> interventions_pb2.LockPeriodResponse:
        """Locks a year: its numbers do not change any more."""
        request = interventions_pb2.LockPeriodRequest(tenant=self.tenant, year=year, reason=reason)
        return await self._ask_scheduler(self._operations.LockPeriod, request)

    async def unlock_period(self, year: int) -> interventions_pb2.UnlockPeriodResponse:
        """Lets the numbers of a locked year change again."""
        request = interventions_pb2.UnlockPeriodRequest(tenant=self.tenant, year=year)
        return await self._ask_scheduler(self._operations.UnlockPeriod, request)
