"""The RPCs that say how the scheduler's jobs, queues and totals stand."""

from collections.abc import Sequence

from carbonline.client.calls import Calls
from carbonline.v1 import monitoring_pb2, operations_pb2, retention_pb2, types_pb2

# Of a thousand workers each.
WORKER_PAGES_MAX = 100
_STATES = [
    types_pb2.WORKER_STATE_LIVE,
    types_pb2.WORKER_STATE_NOT_READY,
    types_pb2.WORKER_STATE_DRAINING,
    types_pb2.WORKER_STATE_LOST,
]


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

    async def list_workers(self) -> operations_pb2.ListWorkersResponse:
        """The worker processes, and the jobs that they hold: all pages as one, live ones first.

        Its `next_page_token` is empty unless there are more than WORKER_PAGES_MAX pages.
        """
        request = operations_pb2.ListWorkersRequest()
        pages = [await self._ask_scheduler(self._operations.ListWorkers, request)]
        while pages[-1].next_page_token and len(pages) < WORKER_PAGES_MAX:
            request.page_token = pages[-1].next_page_token
            pages.append(await self._ask_scheduler(self._operations.ListWorkers, request))
        return _one_answer(pages) if len(pages) > 1 else pages[0]

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


def _one_answer(
    pages: Sequence[operations_pb2.ListWorkersResponse],
) -> operations_pb2.ListWorkersResponse:
    """All pages in one, in their order within a page. A worker of two pages is as on the later."""
    found = {worker.worker_id: worker for page in pages for worker in page.workers}
    place = {state: number for number, state in enumerate(_STATES)}
    return operations_pb2.ListWorkersResponse(
        workers=sorted(
            found.values(),
            # A later release may know a state that this one does not.
            key=lambda one: (place.get(one.state, len(place)), -one.last_seen_at.ToNanoseconds()),
        ),
        scheduler_build_id=pages[-1].scheduler_build_id,
        schema=pages[-1].schema if pages[-1].HasField("schema") else None,
        next_page_token=pages[-1].next_page_token,
    )
