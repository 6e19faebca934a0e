"""Jobs that the scheduler submits by itself."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import chain, islice
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.serving.interceptor import caller
from carbonline.v1 import operations_pb2_grpc, types_pb2
from carbonline.v1 import schedules_pb2 as pb
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.schedules import TICKS_SHOWN
from scheduler_service.jobs.ticks import fault_of_time_zone, ticks
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import TEXT_CHARACTERS_MAX
from scheduler_service.rpc.check_schedules import check_create, check_name
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.refusals import refusal
from scheduler_service.store.reads.rows import ShownScheduleRow
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_OUTCOMES = messages.numbers(pb.TickOutcome, "TICK_OUTCOME_")


class Schedules(operations_pb2_grpc.OperationsServiceServicer):
    """CreateSchedule, GetSchedule, ListSchedules, PauseSchedule, ResumeSchedule, DeleteSchedule."""

    store: Store
    job_types: Collection[str]

    async def CreateSchedule(
        self, request: pb.CreateScheduleRequest, context: Context
    ) -> pb.CreateScheduleResponse:
        answer = await self.store.create_schedule(check_create(request, caller(), self.job_types))
        if isinstance(answer, Refused):
            raise refusal(answer)
        row, coming = answer
        if row is None:
            return pb.CreateScheduleResponse(next_ticks=_timestamps(coming))
        # An earlier call may have created it, and somebody may have paused it since.
        ticking = _timestamps(_coming(row))
        return pb.CreateScheduleResponse(schedule=_schedule(row), next_ticks=ticking)

    async def GetSchedule(
        self, request: pb.GetScheduleRequest, context: Context
    ) -> pb.GetScheduleResponse:
        tenant, name = _named(request)
        row = await self.store.schedule(tenant, name)
        if isinstance(row, Refused):
            raise refusal(row)
        coming = _timestamps(_coming(row))
        return pb.GetScheduleResponse(schedule=_schedule(row), next_ticks=coming)

    async def ListSchedules(
        self, request: pb.ListSchedulesRequest, context: Context
    ) -> pb.ListSchedulesResponse:
        rows = await self.store.list_schedules(caller().tenant(request.tenant))
        return pb.ListSchedulesResponse(schedules=map(_schedule, rows))

    async def PauseSchedule(
        self, request: pb.PauseScheduleRequest, context: Context
    ) -> pb.PauseScheduleResponse:
        fields = Fields()
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        tenant, name = _named(request, fields)
        row = await self.store.pause_schedule(tenant, name, reason, caller().name)
        if isinstance(row, Refused):
            raise refusal(row)
        return pb.PauseScheduleResponse(schedule=_schedule(row))

    async def ResumeSchedule(
        self, request: pb.ResumeScheduleRequest, context: Context
    ) -> pb.ResumeScheduleResponse:
        tenant, name = _named(request)
        row = await self.store.resume_schedule(tenant, name)
        if isinstance(row, Refused):
            raise refusal(row)
        return pb.ResumeScheduleResponse(schedule=_schedule(row))

    async def DeleteSchedule(
        self, request: pb.DeleteScheduleRequest, context: Context
    ) -> pb.DeleteScheduleResponse:
        tenant, name = _named(request)
        if refused := await self.store.delete_schedule(tenant, name):
            raise refusal(refused)
        return pb.DeleteScheduleResponse()


Named: TypeAlias = (
    pb.GetScheduleRequest
    | pb.PauseScheduleRequest
    | pb.ResumeScheduleRequest
    | pb.DeleteScheduleRequest
)


def _named(request: Named, fields: Fields | None = None) -> tuple[str, str]:
    """Tenant and name. Raises RpcError FIELD_INVALID, also for what `fields` has found."""
    fields = fields or Fields()
    name = check_name(fields, request.name)
    principal = caller()
    if fault := principal.fault_of_tenant(request.tenant):
        fields.fail("tenant", fault)
    fields.done()
    return principal.tenant(request.tenant), name


def _schedule(row: ShownScheduleRow) -> pb.Schedule:
    is_on = row.paused_at is None
    return pb.Schedule(
        name=row.name,
        cron=row.cron,
        time_zone=row.time_zone,
        job_type=row.job_type,
        scope=messages.scope(row),
        payload=messages.struct(row.payload),
        priority=row.priority,
        missed=pb.MISSED_TICKS_RUN_ONCE if row.runs_late else pb.MISSED_TICKS_SKIP,
        jitter=messages.duration(row.jitter_seconds),
        created_at=messages.timestamp(row.created_at),
        created_by=row.created_by,
        next_tick_at=messages.timestamp(row.next_tick) if is_on else None,
        next_due_at=messages.timestamp(row.due_at) if is_on else None,
        last_tick_at=messages.timestamp(row.last_tick),
        last_outcome=_OUTCOMES[row.last_outcome or "UNSPECIFIED"],
        last_message=row.last_message,
        last_pipeline_id=row.shown_pipeline_id or 0,
        last_pipeline_status=_status(row),
        stuck=row.stuck or "",
        paused_at=messages.timestamp(row.paused_at),
        paused_by=row.paused_by or "",
        pause_reason=row.pause_reason or "",
    )


def _status(row: ShownScheduleRow) -> types_pb2.PipelineStatus.ValueType:
    if row.last_status is None:
        return types_pb2.PIPELINE_STATUS_UNSPECIFIED
    return messages.pipeline_status(row.last_status, has_started=bool(row.last_has_started))


def _coming(row: ShownScheduleRow) -> Iterable[datetime]:
    """The next ticks; one, if this machine does not know the time zone, as `stuck` says then."""
    if row.paused_at is not None:
        return ()
    if fault_of_time_zone(row.time_zone):
        return (row.next_tick,)
    later = ticks(row.cron, row.time_zone, row.next_tick)
    return islice(chain([row.next_tick], later), TICKS_SHOWN)


def _timestamps(moments: Iterable[datetime]) -> list[Timestamp]:
    return [one for moment in moments if (one := messages.timestamp(moment)) is not None]
