"""Whether a type of job is claimed at all."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import page_token
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2_grpc
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Pause
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import TEXT_CHARACTERS_MAX
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.pause.pause_job_types import PAGE_MAX
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class PausedJobTypes(operations_pb2_grpc.OperationsServiceServicer):
    """PauseJobType, ResumeJobType, ListJobTypePauses."""

    store: Store

    async def PauseJobType(
        self, request: pb.PauseJobTypeRequest, context: Context
    ) -> pb.PauseJobTypeResponse:
        fields = Fields()
        tenants = _tenants(fields, request)
        job_type = fields.job_type("job_type", request.job_type, tuple(JOB_TYPES))
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        fields.done()
        pauses = await self.store.pause_job_type(tenants, job_type, reason, caller().name)
        return pb.PauseJobTypeResponse(pauses=map(_pause, pauses))

    async def ResumeJobType(
        self, request: pb.ResumeJobTypeRequest, context: Context
    ) -> pb.ResumeJobTypeResponse:
        fields = Fields()
        tenants = _tenants(fields, request)
        # A paused type may be gone from this release.
        known = [*JOB_TYPES, *await self._paused(tenants)]
        job_type = fields.job_type("job_type", request.job_type, known)
        fields.done()
        pauses = await self.store.resume_job_type(tenants, job_type, caller().name)
        return pb.ResumeJobTypeResponse(pauses=map(_pause, pauses))

    async def ListJobTypePauses(
        self, request: pb.ListJobTypePausesRequest, context: Context
    ) -> pb.ListJobTypePausesResponse:
        fields = Fields()
        size = fields.page_size("page_size", request.page_size, PAGE_MAX, PAGE_MAX)
        keys = fields.page_keys("page_token", request.page_token, int)
        fields.done()
        page = await self.store.list_pauses(
            caller().tenant(request.tenant),
            keys[0] if keys else None,
            size,
            include_resumed=request.include_resumed,
        )
        before = page.before_pause_id
        return pb.ListJobTypePausesResponse(
            pauses=map(_pause, page.pauses),
            next_page_token=page_token(before) if before is not None else "",
        )

    async def _paused(self, tenants: tuple[str, ...]) -> set[str]:
        """The paused types that are not known here."""
        found = [await self.store.list_pauses(one, include_resumed=False) for one in tenants]
        return {one.job_type for page in found for one in page.pauses} - JOB_TYPES.keys()


def _tenants(
    fields: Fields, request: pb.PauseJobTypeRequest | pb.ResumeJobTypeRequest
) -> tuple[str, ...]:
    """The tenant that is asked for, or all of the caller's."""
    principal = caller()
    if request.all_tenants:
        if request.tenant:
            fields.fail("tenant", "must be left out: all_tenants is set")
        return principal.tenants
    if fault := principal.fault_of_tenant(request.tenant):
        fields.fail("tenant", fault)
        return ()
    return (principal.tenant(request.tenant),)


def _pause(pause: Pause) -> pb.JobTypePause:
    return pb.JobTypePause(
        tenant=pause.tenant,
        job_type=pause.job_type,
        paused_at=messages.timestamp(pause.paused_at),
        paused_by=pause.paused_by,
        reason=pause.reason,
        resumed_at=messages.timestamp(pause.resumed_at),
        resumed_by=pause.resumed_by or "",
    )
