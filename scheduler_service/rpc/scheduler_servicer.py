"""SchedulerService: each RPC checks, calls one method of the store, and answers."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

import grpc.aio
from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.admission import log_denial
from carbonline.serving.errors import RpcError
from carbonline.serving.interceptor import caller
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import scheduler_pb2_grpc, types_pb2
from scheduler_service.jobs.requests import (
    FinishAnswer,
    FinishRequest,
    Refused,
    Submission,
    Submitted,
)
from scheduler_service.jobs.stored_types import JobTypeUnknown
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_claims import (
    JOBS_MAX,
    check_chain,
    check_claim,
    check_finish,
    check_heartbeat,
    check_release,
)
from scheduler_service.rpc.check_submit import check_submit
from scheduler_service.rpc.fields import Fields
from scheduler_service.rpc.gathered_calls import GatheredCalls
from scheduler_service.rpc.limited_callers import (
    check_pipeline,
    seen_by_caller,
    shown_to_caller,
    without_details,
)
from scheduler_service.rpc.long_poll import LongPolls, Queue
from scheduler_service.rpc.refusals import refusal
from scheduler_service.rpc.tenant_feed import ENDED_MAX
from scheduler_service.rpc.tenant_watches import TenantWatches, WantedPipelines
from scheduler_service.rpc.watch import SnapshotPosition, Watches
from scheduler_service.store.store import Store

# How long a message of a watch may wait for its reader.
WRITE_SECONDS_MAX = 30.0
# Pipelines that have ended, with which WatchPipelines begins.
ENDED_DEFAULT = 50
Answer = TypeVar("Answer")
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class SchedulerServicer(scheduler_pb2_grpc.SchedulerServiceServicer):
    """Serves SchedulerService; see the proto for what each RPC promises."""

    def __init__(
        self,
        store: Store,
        gathered: GatheredCalls,
        long_polls: LongPolls,
        watches: Watches,
        tenant_watches: TenantWatches,
        log: FilteringBoundLogger,
        *,
        job_types: Collection[str],
        declared: str,
    ) -> None:
        """`job_types` are the enabled ones, `declared` the digest of those that the deployment
        declares; `log` gets failures of ours.
        """
        self._store = store
        self._gathered = gathered
        self._long_polls = long_polls
        self._watches = watches
        self._tenant_watches = tenant_watches
        self._log = log
        self._enabled = job_types
        self._declared = declared

    async def Submit(self, request: pb.SubmitRequest, context: Context) -> pb.SubmitResponse:
        submission = check_submit(request, caller(), self._enabled)
        [answer] = await self._gathered.submit([submission])
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Refused):
            raise refusal(answer)
        return messages.submitted(answer)

    async def BatchSubmit(
        self, request: pb.BatchSubmitRequest, context: Context
    ) -> pb.BatchSubmitResponse:
        _check_batch(request.requests)
        checked: list[Submission | RpcError] = []
        for item in request.requests:
            try:
                checked.append(check_submit(item, caller(), self._enabled))
            except RpcError as error:
                log_denial(self._log, "BatchSubmit", error, caller())
                checked.append(error)
        good = [item for item in checked if isinstance(item, Submission)]
        answers = self._with_failures_told("BatchSubmit", await self._gathered.submit(good))
        response = pb.BatchSubmitResponse()
        for one in checked:
            if isinstance(one, RpcError):
                _fill_submitted(response.results.add(), one)
            else:
                _fill_submitted(response.results.add(), next(answers))
        return response

    async def Claim(self, request: pb.ClaimRequest, context: Context) -> pb.ClaimResponse:
        claim, wait_seconds = check_claim(request, caller(), self._enabled, self._declared)
        claims = await self._long_polls.first(
            lambda: self._store.claim_jobs(claim),
            Queue(claim.job_types, claim.tenants),
            wait_seconds,
            caller().name,
            leaves_some=lambda claimed: claimed.leaves_some,
            is_to_drain=lambda: self._store.is_to_drain(claim.worker_id, claim.principal),
        )
        drains = self._store.is_to_drain(claim.worker_id, claim.principal)
        return messages.claimed(claims, drains=drains)

    async def Heartbeat(
        self, request: pb.HeartbeatRequest, context: Context
    ) -> pb.HeartbeatResponse:
        one = check_heartbeat(request, caller(), self._enabled, self._declared)
        answers = await self._store.heartbeat(one)
        return pb.HeartbeatResponse(
            answers=[
                pb.BeatAnswer(
                    job_id=answer.job_id,
                    claim_token=answer.claim_token,
                    directive=pb.ClaimDirective.Value(f"CLAIM_DIRECTIVE_{answer.directive}"),
                    lease_left=messages.duration(answer.lease_seconds_left),
                )
                for answer in answers
            ],
            directive=pb.WORKER_DIRECTIVE_DRAIN
            if self._store.is_to_drain(one.worker_id, one.principal)
            else pb.WORKER_DIRECTIVE_CONTINUE,
        )

    async def Chain(self, request: pb.ChainRequest, context: Context) -> pb.ChainResponse:
        worker_id, job_id, claim_token, children = check_chain(request, self._enabled)
        answer = await self._store.chain_children(
            worker_id, caller().name, caller().tenants, job_id, claim_token, children
        )
        if isinstance(answer, Refused):
            raise refusal(answer)
        return pb.ChainResponse(
            staged_children=answer.staged_children,
            provisional=[messages.child(one) for one in answer.provisional],
        )

    async def Finish(self, request: pb.FinishRequest, context: Context) -> pb.FinishResponse:
        [answer] = await self._gathered.finish([check_finish(request, caller())])
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Refused):
            raise refusal(answer)
        return messages.finish_answer(answer)

    async def BatchFinish(
        self, request: pb.BatchFinishRequest, context: Context
    ) -> pb.BatchFinishResponse:
        _check_batch(request.requests)
        checked: list[FinishRequest | RpcError] = []
        for item in request.requests:
            try:
                checked.append(check_finish(item, caller()))
            except RpcError as error:
                checked.append(error)
        good = [item for item in checked if isinstance(item, FinishRequest)]
        answers = self._with_failures_told("BatchFinish", await self._gathered.finish(good))
        response = pb.BatchFinishResponse()
        for one in checked:
            if isinstance(one, RpcError):
                _fill_finished(response.results.add(), one)
            else:
                _fill_finished(response.results.add(), next(answers))
        return response

    async def Release(self, request: pb.ReleaseRequest, context: Context) -> pb.ReleaseResponse:
        releases = check_release(request, caller())
        answers = await self._gathered.release(releases)
        for answer in answers:
            if isinstance(answer, Exception):
                # It has no place in the answer. The others are released, and a repeat finds that.
                raise answer
        return pb.ReleaseResponse(released=map(bool, answers))

    def _with_failures_told(self, method: str, answers: Sequence[Answer]) -> Iterator[Answer]:
        for answer in answers:
            if isinstance(answer, Exception) and not isinstance(answer, JobTypeUnknown):
                self._log.error("item_failed", method=method, exc_info=answer)
        return iter(answers)

    async def WatchPipeline(  # type: ignore[override]
        self, request: pb.WatchPipelineRequest, context: Context
    ) -> None:
        # It writes for itself: only so can it tell how long a message waits for its reader.
        fields = Fields()
        pipeline_id = fields.identifier("pipeline_id", request.pipeline_id)
        fields.number("after_version", request.after_version, 0, 2**63 - 1)
        broken_off = _broken_off(fields, request)
        fields.done()
        principal = caller()
        tenant = principal.tenant(request.tenant)
        await check_pipeline(self._store, pipeline_id)
        watch = self._watches.watch(
            pipeline_id, tenant, request.after_version, broken_off, caller=principal.name
        )
        async with aclosing(watch) as messages:
            async for message in messages:
                await _write(context, seen_by_caller(message))

    async def WatchPipelines(  # type: ignore[override]
        self, request: pb.WatchPipelinesRequest, context: Context
    ) -> None:
        watch = self._tenant_watches.watch(_wanted(request), caller().name)
        async with aclosing(watch) as messages:
            async for message in messages:
                await _write(context, message)


def _wanted(request: pb.WatchPipelinesRequest) -> WantedPipelines:
    fields = Fields()
    ended = request.ended_max if request.HasField("ended_max") else ENDED_DEFAULT
    wanted = WantedPipelines(
        caller().tenant(request.tenant),
        shown_to_caller,
        without_details,
        module=fields.known("module", request.module, types_pb2.Module),
        year=fields.optional_year("year", request.year),
        ended_max=fields.number("ended_max", ended, 0, ENDED_MAX),
        with_jobs=request.with_activity,
    )
    fields.done()
    return wanted


def _broken_off(fields: Fields, request: pb.WatchPipelineRequest) -> SnapshotPosition | None:
    if not request.HasField("broken_off"):
        return None
    position = request.broken_off
    return SnapshotPosition(
        fields.number("broken_off.version", position.version, 1, 2**63 - 1),
        fields.identifier("broken_off.after_job_id", position.after_job_id),
    )


async def _write(
    context: Context, message: pb.WatchPipelineResponse | pb.WatchPipelinesResponse
) -> None:
    """Send a message. Raises RpcError READER_TOO_SLOW if the caller does not make room in time."""
    try:
        async with asyncio.timeout(WRITE_SECONDS_MAX):
            await context.write(message)
    except TimeoutError:
        raise RpcError(
            "READER_TOO_SLOW",
            f"you have not read a message for {WRITE_SECONDS_MAX:g} s;"
            " watch again from the last version you have seen",
        ) from None


def _check_batch(requests: Sequence[object]) -> None:
    fields = Fields()
    fields.count("requests", len(requests), JOBS_MAX)
    fields.done()


def _fill_submitted(result: pb.BatchSubmitResult, answer: Submitted | Refused | Exception) -> None:
    match answer:
        case Submitted():
            messages.fill_submitted(result.response, answer)
        case _:
            result.error.CopyFrom(messages.item_error(answer))


def _fill_finished(
    result: pb.BatchFinishResult, answer: FinishAnswer | Refused | Exception
) -> None:
    match answer:
        case FinishAnswer():
            messages.fill_finish_answer(result.response, answer)
        case _:
            result.error.CopyFrom(messages.item_error(answer))
