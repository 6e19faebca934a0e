"""Which pipelines work on a year's totals, and which totals are stale."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import monitoring_pb2 as pb
from carbonline.v1 import operations_pb2_grpc, types_pb2
from scheduler_service.jobs.catalogue import TYPES_OF_MODULE
from scheduler_service.jobs.stale_stats import StaleStats, stale_stats
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import VALUES_MAX, listed
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.limited_callers import job_of, pipeline_of
from scheduler_service.store.reads.filters import ActiveFilter
from scheduler_service.store.reads.slots import Slot
from scheduler_service.store.store import Store

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 200, 1_000
# Each has two jobs, which may be large.
SLOTS_DEFAULT = 50
OLDER_THAN_SECONDS_MAX = 10 * 366 * 86_400.0
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Totals(operations_pb2_grpc.OperationsServiceServicer):
    """ListActivePipelines, ListSlots, ListStaleStats."""

    store: Store

    async def ListActivePipelines(
        self, request: pb.ListActivePipelinesRequest, context: Context
    ) -> pb.ListActivePipelinesResponse:
        fields = Fields()
        fields.year("year", request.year)
        chosen = _modules(fields, request.modules) or sorted(TYPES_OF_MODULE)
        fields.done()
        principal = caller()
        found = await self.store.active_pipelines(
            ActiveFilter(
                principal.tenant(request.tenant),
                request.year,
                chosen,
                with_failed=request.include_last_failed,
                own_modules=listed(principal.modules),
                own_units=listed(principal.units),
            )
        )
        covers = principal.covers
        answer = pb.ListActivePipelinesResponse(
            year_wide_pipelines=[
                pipeline_of(row) for row in found.year_wide if covers(row.module, row.unit)
            ]
        )
        active = {i: row for i, row in found.active.items() if covers(row.module, row.unit)}
        failed = {}
        for module, rows in found.failed.items():
            if own := [row for row in rows if covers(row.module, row.unit)]:
                failed[module] = own[0]
        for module in sorted({*active, *failed}):
            one = answer.modules.add(module=types_pb2.Module.ValueType(module))
            if module in active:
                one.active.CopyFrom(pipeline_of(active[module]))
            if module in failed:
                one.last_failed.CopyFrom(pipeline_of(failed[module]))
        return answer

    async def ListSlots(
        self, request: pb.ListSlotsRequest, context: Context
    ) -> pb.ListSlotsResponse:
        fields = Fields()
        fields.year("year", request.year)
        modules = _modules(fields, request.modules)
        size = fields.page_size("page_size", request.page_size, SLOTS_DEFAULT, PAGE_SIZE_MAX)
        after = fields.page_keys("page_token", request.page_token, str)
        fields.done()
        found = await self.store.slots(
            caller().tenant(request.tenant),
            request.year,
            modules,
            after=after[0] if after else "",
            slots_max=size + 1,
        )
        page = first_page([_slot(one) for one in found[:size]])
        more = len(page) < len(found)
        covers = caller().covers
        return pb.ListSlotsResponse(
            slots=[one for one in page if covers(one.scope.module, one.scope.unit)],
            next_page_token=page_token(found[len(page) - 1].slot_key) if more else "",
        )

    async def ListStaleStats(
        self, request: pb.ListStaleStatsRequest, context: Context
    ) -> pb.ListStaleStatsResponse:
        fields = Fields()
        year = fields.optional_year("year", request.year)
        seconds = fields.seconds("older_than", request.older_than, OLDER_THAN_SECONDS_MAX)
        size = fields.page_size("page_size", request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        after = tuple(fields.page_keys("page_token", request.page_token, int, int))
        fields.done()
        states, now = await self.store.module_states(caller().tenant(request.tenant), year)
        modules = caller().modules
        found = [
            stale
            for state in states
            if now is not None
            and (modules is None or state.module in modules)
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


def _modules(fields: Fields, asked: Sequence[int]) -> list[int]:
    fields.count("modules", len(asked), VALUES_MAX, least=0)
    known = [
        fields.known(f"modules[{number}]", module, types_pb2.Module, needed=True)
        for number, module in enumerate(asked[:VALUES_MAX])
    ]
    return sorted({module for module in known if module is not None})


def _slot(slot: Slot) -> pb.Slot:
    current = job_of(slot.current)
    last = slot.last_success
    return pb.Slot(
        job_type=current.job_type,
        scope=current.scope,
        current=current,
        last_success=job_of(last) if last is not None else None,
    )


def _stale(found: StaleStats) -> pb.StaleStats:
    job = found.job
    return pb.StaleStats(
        module=types_pb2.Module.ValueType(found.state.module),
        year=found.state.year,
        reason=messages.STALE_REASONS[found.reason],
        stale_types=map(types_pb2.DataEntryType.ValueType, found.stale_types),
        stale_since=messages.timestamp(found.since),
        aggregated_at=messages.timestamp(found.state.aggregated_at),
        job_id=job.job_id if job is not None else 0,
        pipeline_id=job.pipeline_id if job is not None else 0,
    )
