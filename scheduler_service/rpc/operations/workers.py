"""What people ask about worker processes, and tell them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import interventions_pb2, operations_pb2_grpc, types_pb2
from carbonline.v1 import operations_pb2 as pb
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.worker_state import WorkerState, worker_state
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import TEXT_CHARACTERS_MAX
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.gradually import gradually
from scheduler_service.rpc.refusals import refusal
from scheduler_service.store.core.schema_revision import SCHEMA_REVISION
from scheduler_service.store.reads.filters import AfterWorker
from scheduler_service.store.reads.rows import HeldClaimRow, WorkerRow
from scheduler_service.store.store import Store

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
WORKERS_MAX = 1_000
_ORDER = [messages.WORKER_STATES[state] for state in WorkerState]


class Workers(operations_pb2_grpc.OperationsServiceServicer):
    """ListWorkers, DrainWorker."""

    store: Store
    build_id: str

    async def ListWorkers(
        self, request: pb.ListWorkersRequest, context: Context
    ) -> pb.ListWorkersResponse:
        fields = Fields()
        size = fields.page_size("page_size", request.page_size, WORKERS_MAX, WORKERS_MAX)
        keys = fields.page_keys("page_token", request.page_token, int, int, int, str)
        fields.done()
        after = AfterWorker(*keys) if keys else None
        rows, held = await self.store.read_workers(caller().tenants, after, size + 1)
        found = await gradually(
            rows[:size], lambda row: self._worker(row, held.get(row.worker_id, ()))
        )
        workers = list(first_page(found))
        last = AfterWorker.of(rows[len(workers) - 1]) if len(workers) < len(rows) else None
        workers.sort(key=lambda one: (_ORDER.index(one.state), -one.last_seen_at.ToNanoseconds()))
        revision = await self.store.read_schema_revision()
        return pb.ListWorkersResponse(
            workers=workers,
            scheduler_build_id=self.build_id,
            schema=types_pb2.SchemaRevision(needed=SCHEMA_REVISION, found=revision),
            next_page_token=page_token(*last) if last else "",
        )

    async def DrainWorker(
        self, request: interventions_pb2.DrainWorkerRequest, context: Context
    ) -> interventions_pb2.DrainWorkerResponse:
        fields = Fields()
        worker_id = fields.uuid("worker_id", request.worker_id)
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        fields.done()
        principal = caller()
        told = await self.store.drain_worker(worker_id, principal.tenants, reason, principal.name)
        if isinstance(told, Refused):
            raise refusal(told)
        return interventions_pb2.DrainWorkerResponse(
            drain=_drain(told.asked_at, told.asked_by, told.reason)
        )

    def _worker(self, row: WorkerRow, held: Sequence[HeldClaimRow]) -> types_pb2.Worker:
        state = worker_state(
            silent_seconds=row.seconds_ago,
            lease_seconds=self.store.lease_seconds,
            draining=row.draining,
            not_ready=row.not_ready,
        )
        return types_pb2.Worker(
            worker_id=str(row.worker_id),
            build_id=row.build_id,
            host=row.host,
            job_types=row.job_types,
            state=messages.WORKER_STATES[state],
            last_seen_at=messages.timestamp(row.last_seen_at),
            held=map(_held, held),
            held_left_out=held[0].held - len(held) if held else 0,
            build_skew=row.build_id != self.build_id,
            not_ready=row.not_ready if state is WorkerState.NOT_READY else "",
            drain=_drain(row.drain_asked_at, row.drain_asked_by or "", row.drain_reason or "")
            if row.drain_asked_at is not None
            else None,
        )


def _drain(asked_at: datetime, asked_by: str, reason: str) -> types_pb2.WorkerDrain:
    return types_pb2.WorkerDrain(
        asked_at=messages.timestamp(asked_at), asked_by=asked_by, reason=reason
    )


def _held(claim: HeldClaimRow) -> types_pb2.HeldClaim:
    return types_pb2.HeldClaim(
        job_id=claim.job_id,
        job_type=claim.job_type,
        claim_token=claim.claim_token,
        lease_left=messages.duration(claim.seconds_left),
        draining=claim.draining,
    )
