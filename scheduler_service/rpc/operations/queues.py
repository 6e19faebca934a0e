"""How much waits, and how much runs."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import page_token
from carbonline.v1 import monitoring_pb2, operations_pb2_grpc
from scheduler_service.rpc import messages
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.reads.queue_stats import QueueStats
from scheduler_service.store.store import Store

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 200, 1_000
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Queues(operations_pb2_grpc.OperationsServiceServicer):
    """GetQueueStats."""

    store: Store

    async def GetQueueStats(
        self, request: monitoring_pb2.GetQueueStatsRequest, context: Context
    ) -> monitoring_pb2.GetQueueStatsResponse:
        fields = Fields()
        size = fields.page_size("page_size", request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = tuple(fields.page_keys("page_token", request.page_token, str, str))
        fields.done()
        principal = caller()
        tenants = (principal.tenant(request.tenant),) if request.tenant else principal.tenants
        found = await self.store.queue_stats(tenants)
        rest = [one for one in found if (one.tenant, one.job_type) > after]
        page = rest[:size]
        more = len(rest) > size
        return monitoring_pb2.GetQueueStatsResponse(
            queues=map(_queue, page),
            next_page_token=page_token(page[-1].tenant, page[-1].job_type) if more else "",
        )


def _queue(stats: QueueStats) -> monitoring_pb2.QueueStats:
    return monitoring_pb2.QueueStats(
        tenant=stats.tenant,
        job_type=stats.job_type,
        claimable=stats.claimable,
        oldest_wait=messages.duration(stats.oldest_seconds) if stats.claimable else None,
        running=stats.running,
        live_workers=stats.live_workers,
        paused=stats.paused,
    )
