"""Which pipelines work on a year's totals, and which totals are stale."""

from datetime import timedelta
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import page_token
from carbonline.v1 import monitoring_pb2 as pb
from carbonline.v1 import operations_pb2_grpc, types_pb2
from scheduler_service.jobs.catalogue import TYPES_OF_MODULE
from scheduler_service.jobs.stale_stats import StaleStats, stale_stats
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import VALUES_MAX, own_tenant
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.store import Store

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 200, 1_000
OLDER_THAN_SECONDS_MAX = 10 * 366 * 86_400.0
_REASONS = messages.numbers(pb.StaleReason, "STALE_REASON_")
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Totals(operations_pb2_grpc.OperationsServiceServicer):
    """ListActivePipelines, ListStaleStats."""

    store: Store

    async def ListActivePipelines(
        self, request: pb.ListActivePipelinesRequest, context: Context
    ) -> pb.ListActivePipelinesResponse:
        fields = Fields()
        fields.year("year", request.year)
        fields.count("modules", len(request.modules), VALUES_MAX, least=0)
        modules = [
            fields.known(f"modules[{number}]", module, types_pb2.Module, needed=True)
            for number, module in enumerate(request.modules[:VALUES_MAX])
        ]
        fields.done()
        chosen = sorted({module for module in modules if module is not None} or TYPES_OF_MODULE)
        tenant = own_tenant(caller(), request.tenant)
        found = await self.store.active_pipelines(
            tenant, request.year, chosen, with_failed=request.include_last_failed
        )
        answer = pb.ListActivePipelinesResponse(
            year_wide_pipelines=map(messages.pipeline, found.year_wide)
        )
        for module in sorted({*found.active, *found.failed}):
            one = answer.modules.add(module=types_pb2.Module.ValueType(module))
            if module in found.active:
                one.active.CopyFrom(messages.pipeline(found.active[module]))
            if module in found.failed:
                one.last_failed.CopyFrom(messages.pipeline(found.failed[module]))
        return answer

    async def ListStaleStats(
        self, request: pb.ListStaleStatsRequest, context: Context
    ) -> pb.ListStaleStatsResponse:
        fields = Fields()
        year = fields.optional_year("year", request.year)
        seconds = fields.seconds("older_than", request.older_than, OLDER_THAN_SECONDS_MAX)
        size = fields.page_size("page_size", request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = tuple(fields.page_keys("page_token", request.page_token, int, int))
        fields.done()
        states, now = await self.store.module_states(own_tenant(caller(), request.tenant), year)
        found = [
            stale
            for state in states
            if now is not None
            and (state.year, state.module) > after
            and (
                stale := stale_stats(state, now, timedelta(seconds=seconds), by_age=request.by_age)
            )
        ]
        page = found[:size]
        more = len(found) > size
        return pb.ListStaleStatsResponse(
            stats=map(_stale, page),
            next_page_token=(
                page_token(page[-1].state.year, page[-1].state.module) if more else ""
            ),
        )


def _stale(found: StaleStats) -> pb.StaleStats:
    job = found.job
    return pb.StaleStats(
        module=types_pb2.Module.ValueType(found.state.module),
        year=found.state.year,
        reason=_REASONS[found.reason],
        stale_types=map(types_pb2.DataEntryType.ValueType, found.stale_types),
        stale_since=messages.timestamp(found.since),
        aggregated_at=messages.timestamp(found.state.aggregated_at),
        job_id=job.job_id if job is not None else 0,
        pipeline_id=job.pipeline_id if job is not None else 0,
    )
