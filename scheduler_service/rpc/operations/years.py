"""What people ask about accounting years."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import page_token
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.freshness import stale_types
from scheduler_service.jobs.pending import keys_of_changes, pending_types
from scheduler_service.jobs.stale_stats import ModuleState, StaleStats, stale_stats
from scheduler_service.rpc import messages
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.reads.years import YearState
from scheduler_service.store.store import Store

YEARS_DEFAULT, YEARS_MAX = 20, 200
# An aggregation that takes longer is told as stuck.
STUCK_AFTER = timedelta(hours=1)
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Years(operations_pb2_grpc.OperationsServiceServicer):
    """GetYear, ListYears."""

    store: Store

    async def GetYear(self, request: pb.GetYearRequest, context: Context) -> pb.GetYearResponse:
        fields = Fields()
        fields.year("year", request.year)
        fields.done()
        tenant = caller().tenant(request.tenant)
        keys = keys_of_changes(tenant, request.year)
        return _answer(await self.store.year(tenant, request.year, keys))

    async def ListYears(
        self, request: pb.ListYearsRequest, context: Context
    ) -> pb.ListYearsResponse:
        fields = Fields()
        size = fields.page_size("page_size", request.page_size, YEARS_DEFAULT, YEARS_MAX)
        before = fields.page_keys("page_token", request.page_token, int)
        fields.done()
        tenant = caller().tenant(request.tenant)
        found = await self.store.years(
            tenant, before[0] if before else None, size + 1, partial(keys_of_changes, tenant)
        )
        return pb.ListYearsResponse(
            years=map(_answer, found[:size]),
            next_page_token=page_token(found[size - 1].year) if len(found) > size else "",
        )


def _answer(found: YearState) -> pb.GetYearResponse:
    modules = caller().modules
    answer = pb.GetYearResponse(
        year=found.year,
        modules=[one for one in _modules(found) if modules is None or one.module in modules],
    )
    row = found.row
    if row is not None:
        answer.provisioned = True
        answer.provisioned_at.FromDatetime(row.provisioned_at)
        answer.locked = row.locked_at is not None
    if row is not None and row.locked_at is not None:
        answer.locked_at.FromDatetime(row.locked_at)
        answer.locked_by = row.locked_by or ""
        answer.lock_reason = row.lock_reason or ""
    return answer


def _modules(found: YearState) -> list[pb.ModuleFreshness]:
    states = {state.module: state for state in found.modules}
    types = [one.tokens for state in found.modules for one in state.types]
    pending = pending_types(
        [(job.job_type, job.scope) for job in found.live],
        found.year,
        {tokens.data_entry_type for tokens in types},
    )
    claims = {state.module: state.claim for state in found.modules}
    return [
        _freshness(module, stale, states.get(module), found.now)
        for module, stale in stale_types(types, claims, pending).items()
    ]


def _freshness(
    module: int, stale: tuple[int, ...], state: ModuleState | None, now: datetime | None
) -> pb.ModuleFreshness:
    message = pb.ModuleFreshness(
        module=module,  # type: ignore[arg-type]
        fresh=not stale,
        stale_types=stale,  # type: ignore[arg-type]
    )
    if state is None or now is None:
        return message
    message.totals_token = state.claim
    if state.aggregated_at is not None:
        message.computed_at.FromDatetime(state.aggregated_at)
    if stale and (why := _why_stale(state, now)) is not None:
        message.reason = messages.STALE_REASONS[why.reason]
        if why.since is not None:
            message.stale_since.FromDatetime(why.since)
    return message


def _why_stale(state: ModuleState, now: datetime) -> StaleStats | None:
    """A change counts at once; an aggregation that has just begun does not count as stuck."""
    live = state.live
    if live is not None and live.created_at > now - STUCK_AFTER:
        live = None
    return stale_stats(replace(state, live=live), now, timedelta(0), by_age=False)
