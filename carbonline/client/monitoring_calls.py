"""The RPCs that say how the scheduler's jobs, queues and totals stand."""

from collections.abc import Sequence

from carbonline.client.calls import Calls
from carbonline.v1 import monitoring_pb2, operations_pb2, retention_pb2, types_pb2


class MonitoringCalls(Calls):
    """A part of ContractClient."""

    async def explain_job(self, job_id: int) -> monitoring_pb2.ExplainJobResponse:
        """Why a job does not run, and the held children of its pipeline."""
        request = monitoring_pb2.ExplainJobRequest(tenant=self.tenant, job_id=job_id)
        return await self._ask_scheduler(self._operations.ExplainJob, request)

    async def get_caller(self) -> operations_pb2.GetCallerResponse:
        """Who the caller is to the services: name, tenants, roles."""
        request = operations_pb2.GetCallerRequest()
        return await self._ask_scheduler(self._operations.GetCaller, request)

    async def list_job_types(self) -> monitoring_pb2.ListJobTypesResponse:
        """Every job type: scope, payload, stats, children, attempts."""
        request = monitoring_pb2.ListJobTypesRequest()
        return await self._ask_scheduler(self._operations.ListJobTypes, request)

    async def get_queue_stats(
        self, wanted: monitoring_pb2.GetQueueStatsRequest
    ) -> monitoring_pb2.GetQueueStatsResponse:
        """A page of queues: how many jobs wait and run. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_scheduler(self._operations.GetQueueStats, wanted)

    async def list_named_blobs(self, blobs: Sequence[str]) -> Sequence[str]:
        """Which of these files, at most 1,000 by their references, a job of the tenant names."""
        request = monitoring_pb2.ListNamedBlobsRequest(tenant=self.tenant, blobs=blobs)
        return (await self._ask_scheduler(self._operations.ListNamedBlobs, request)).blobs

    async def list_kept_pipelines(self, pipeline_ids: Sequence[int]) -> Sequence[int]:
        """Which of these pipelines, at most 1,000 by their numbers, the scheduler still has."""
        request = retention_pb2.ListKeptPipelinesRequest(
            tenant=self.tenant, pipeline_ids=pipeline_ids
        )
        return (await self._ask_scheduler(self._operations.ListKeptPipelines, request)).pipeline_ids

    async def list_active_pipelines(
        self, year: int, modules: Sequence[int] = (), *, include_last_failed: bool = False
    ) -> monitoring_pb2.ListActivePipelinesResponse:
        """The modules of a year that a pipeline works on. `modules` are enum numbers."""
        request = monitoring_pb2.ListActivePipelinesRequest(
            tenant=self.tenant,
            year=year,
            modules=map(types_pb2.Module.ValueType, modules),
            include_last_failed=include_last_failed,
        )
        return await self._ask_scheduler(self._operations.ListActivePipelines, request)

    async def list_stale_stats(
        self, wanted: monitoring_pb2.ListStaleStatsRequest
    ) -> monitoring_pb2.ListStaleStatsResponse:
        """A page of stale totals. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_scheduler(self._operations.ListStaleStats, wanted)

    async def list_slots(
        self, wanted: monitoring_pb2.ListSlotsRequest
    ) -> monitoring_pb2.ListSlotsResponse:
        """A page of slots: current jobs and last successes. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_scheduler(self._operations.ListSlots, wanted)

    async def verify_history(
        self, *, after_pipeline_id: int = 0, page_token: str = ""
    ) -> monitoring_pb2.VerifyHistoryResponse:
        """What breaks an invariant on one page of the stored history."""
        request = monitoring_pb2.VerifyHistoryRequest(
            tenant=self.tenant, after_pipeline_id=after_pipeline_id, page_token=page_token
        )
        return await self._ask_scheduler(self._operations.VerifyHistory, request)
