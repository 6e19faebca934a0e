"""Whether the numbers of a year may still change."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.requests import PeriodLock, Refused
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import TEXT_CHARACTERS_MAX
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.refusals import refusal
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Periods(operations_pb2_grpc.OperationsServiceServicer):
    """LockPeriod, UnlockPeriod."""

    store: Store

    async def LockPeriod(
        self, request: pb.LockPeriodRequest, context: Context
    ) -> pb.LockPeriodResponse:
        fields = Fields()
        tenant = _tenant(fields, request.tenant)
        fields.year("year", request.year)
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        fields.done()
        answer = await self.store.lock_period(tenant, request.year, reason, caller().name)
        if isinstance(answer, Refused):
            raise refusal(answer)
        return pb.LockPeriodResponse(lock=_lock(answer))

    async def UnlockPeriod(
        self, request: pb.UnlockPeriodRequest, context: Context
    ) -> pb.UnlockPeriodResponse:
        fields = Fields()
        tenant = _tenant(fields, request.tenant)
        fields.year("year", request.year)
        fields.done()
        ended = await self.store.unlock_period(tenant, request.year, caller().name)
        return pb.UnlockPeriodResponse(lock=_lock(ended) if ended is not None else None)


def _tenant(fields: Fields, asked: str) -> str:
    if fault := caller().fault_of_tenant(asked):
        fields.fail("tenant", fault)
        return ""
    return caller().tenant(asked)


def _lock(lock: PeriodLock) -> pb.PeriodLock:
    return pb.PeriodLock(
        tenant=lock.tenant,
        year=lock.year,
        locked_at=messages.timestamp(lock.locked_at),
        locked_by=lock.locked_by,
        reason=lock.reason,
    )
