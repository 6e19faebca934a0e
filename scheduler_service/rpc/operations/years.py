"""What people ask about an accounting year."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.freshness import TypeTokens, stale_types
from scheduler_service.jobs.pending import keys_of_changes, pending_types
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.reads.rows import FreshnessRow, LiveJobRow
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Years(operations_pb2_grpc.OperationsServiceServicer):
    """GetYear."""

    store: Store

    async def GetYear(self, request: pb.GetYearRequest, context: Context) -> pb.GetYearResponse:
        fields = Fields()
        fields.year("year", request.year)
        fields.done()
        tenant = caller().tenant(request.tenant)
        keys = keys_of_changes(tenant, request.year)
        row, freshness, live = await self.store.read_year(tenant, request.year, keys)
        modules = caller().modules
        answer = pb.GetYearResponse(
            year=request.year,
            modules=[
                one
                for one in _modules(freshness, live, request.year)
                if modules is None or one.module in modules
            ],
        )
        if row is not None:
            answer.provisioned = True
            answer.provisioned_at.FromDatetime(row.provisioned_at)
            answer.locked = row.locked_at is not None
        if row is not None and row.locked_at is not None:
            answer.locked_at.FromDatetime(row.locked_at)
            answer.locked_by = row.locked_by or ""
            answer.lock_reason = row.lock_reason or ""
        return answer


def _modules(
    rows: Sequence[FreshnessRow], live: Sequence[LiveJobRow], year: int
) -> list[pb.ModuleFreshness]:
    claims = {row.module: row.agg_claim for row in rows if row.module is not None}
    types = [
        TypeTokens(row.data_entry_type, row.changed_token, row.recalc_claim, row.recalc_end)
        for row in rows
        if row.data_entry_type is not None
    ]
    pending = pending_types(
        [(job.job_type, job.scope) for job in live],
        year,
        {tokens.data_entry_type for tokens in types},
    )
    return [
        pb.ModuleFreshness(
            module=module,  # type: ignore[arg-type]
            fresh=not stale,
            stale_types=stale,  # type: ignore[arg-type]
        )
        for module, stale in stale_types(types, claims, pending).items()
    ]
