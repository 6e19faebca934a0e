"""A scheduler that plays a script over a real socket: a peer of the worker, not a part of it."""

# ruff: noqa: N802  the names are the contract's

import asyncio
import itertools
from collections.abc import Callable
from typing import TypeAlias

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from carbonline.v1 import scheduler_pb2, types_pb2
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceServicer

Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"
INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT.value[0]


class ScriptedScheduler(SchedulerServiceServicer):
    """Hands out the jobs it is given, and keeps every request."""

    def __init__(self, lease_seconds: float = 45.0) -> None:
        self.lease_seconds = lease_seconds
        self.jobs: list[scheduler_pb2.ClaimedJob] = []
        self.claims_refused = False
        self.new_claims_refused = False
        self.answered_claims: dict[str, list[scheduler_pb2.ClaimedJob]] = {}
        self.claims: list[scheduler_pb2.ClaimRequest] = []
        self.claims_open = 0
        self.beats: list[scheduler_pb2.HeartbeatRequest] = []
        self.finish_batches: list[scheduler_pb2.BatchFinishRequest] = []
        self.finishes: dict[int, scheduler_pb2.FinishRequest] = {}
        self.releases: dict[int, scheduler_pb2.ClaimRelease] = {}
        self.chained: list[scheduler_pb2.ChainRequest] = []
        self.directives: dict[int, scheduler_pb2.ClaimDirective.ValueType] = {}
        self.claim_directive = scheduler_pb2.WORKER_DIRECTIVE_UNSPECIFIED
        self.worker_directive = scheduler_pb2.WORKER_DIRECTIVE_CONTINUE
        self.beats_unanswered = False
        self.last_beat_gate = asyncio.Event()
        self.last_beat_gate.set()
        self.claim_answers_to_lose = 0
        self.claim_seconds = 0.0
        self.finish_tries_to_lose = 0
        self.release_tries = 0
        self.release_tries_to_lose = 0
        self.release_gate = asyncio.Event()
        self.release_gate.set()
        self.finish_gate = asyncio.Event()
        self.finish_gate.set()
        self.outcome = scheduler_pb2.FINISH_OUTCOME_APPLIED
        self.refuse_stats = False
        self.chain_stale = False
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()

    async def give(
        self,
        job_type: str = "work",
        lease_seconds: float | None = None,
        heartbeat_interval_seconds: float = 0.0,
    ) -> int:
        """Makes a job claimable; its claim token, which is its id too."""
        number = next(self._numbers)
        job = types_pb2.Job(job_id=number, pipeline_id=100 + number, job_type=job_type, attempts=1)
        job.scope.tenant = "epfl"
        claimed = scheduler_pb2.ClaimedJob(job=job, claim_token=number)
        claimed.lease.FromMilliseconds(int(1000 * (lease_seconds or self.lease_seconds)))
        claimed.heartbeat_interval.FromMilliseconds(int(1000 * heartbeat_interval_seconds))
        self.jobs.append(claimed)
        await self._notify()
        return number

    async def until(self, true: Callable[[], object], seconds: float = 10.0) -> None:
        """Waits until the condition holds after some call."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(true)

    @property
    def last_beats(self) -> list[scheduler_pb2.HeartbeatRequest]:
        """Those by which a worker says that it has ended."""
        return [beat for beat in self.beats if beat.draining and not beat.beats]

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def Claim(
        self, request: scheduler_pb2.ClaimRequest, context: Context
    ) -> scheduler_pb2.ClaimResponse:
        self.claims.append(request)
        await self._notify()
        if self.claims_refused:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no worker of ours")
        if self.new_claims_refused and request.request_id not in self.answered_claims:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no worker of ours")
        if request.request_id in self.answered_claims:
            return scheduler_pb2.ClaimResponse(jobs=self.answered_claims[request.request_id])
        self.claims_open += 1
        await self._notify()
        try:
            await self.until(
                lambda: self.jobs or self.claim_directive, request.wait.ToNanoseconds() / 1e9
            )
        except TimeoutError:
            return scheduler_pb2.ClaimResponse()
        finally:
            self.claims_open -= 1
        if self.claim_directive:
            return scheduler_pb2.ClaimResponse(directive=self.claim_directive)
        taken = [self.jobs.pop(0) for _ in range(min(request.max_jobs, len(self.jobs)))]
        self.answered_claims[request.request_id] = taken
        if self.claim_answers_to_lose > 0:
            self.claim_answers_to_lose -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "lost on the way")
        await asyncio.sleep(self.claim_seconds)
        return scheduler_pb2.ClaimResponse(jobs=taken)

    async def Heartbeat(
        self, request: scheduler_pb2.HeartbeatRequest, context: Context
    ) -> scheduler_pb2.HeartbeatResponse:
        self.beats.append(request)
        await self._notify()
        if self.beats_unanswered:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not available")
        if request.draining and not request.beats:
            await self.last_beat_gate.wait()
        answer = scheduler_pb2.HeartbeatResponse(directive=self.worker_directive)
        for beat in request.beats:
            directive = self.directives.get(
                beat.claim_token, scheduler_pb2.CLAIM_DIRECTIVE_CONTINUE
            )
            item = answer.answers.add(
                job_id=beat.job_id, claim_token=beat.claim_token, directive=directive
            )
            item.lease_left.FromMilliseconds(int(1000 * self.lease_seconds))
        return answer

    async def Chain(
        self, request: scheduler_pb2.ChainRequest, context: Context
    ) -> scheduler_pb2.ChainResponse:
        self.chained.append(request)
        if self.chain_stale:
            await abort_stale(context)
        return scheduler_pb2.ChainResponse(staged_children=len(request.children))

    async def BatchFinish(
        self, request: scheduler_pb2.BatchFinishRequest, context: Context
    ) -> scheduler_pb2.BatchFinishResponse:
        self.finish_batches.append(request)
        await self._notify()
        await self.finish_gate.wait()
        if self.finish_tries_to_lose > 0:
            self.finish_tries_to_lose -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "lost on the way")
        answer = scheduler_pb2.BatchFinishResponse()
        for finish in request.requests:
            if self.refuse_stats and finish.HasField("stats"):
                error = answer.results.add().error
                error.code, error.reason = INVALID_ARGUMENT, "TOO_LARGE"
                continue
            self.finishes[finish.claim_token] = finish
            response = answer.results.add().response
            response.outcome = self.outcome
        await self._notify()
        return answer

    async def Release(
        self, request: scheduler_pb2.ReleaseRequest, context: Context
    ) -> scheduler_pb2.ReleaseResponse:
        self.release_tries += 1
        await self._notify()
        await self.release_gate.wait()
        if self.release_tries <= self.release_tries_to_lose:
            await self._notify()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "lost on the way")
        self.releases.update({release.claim_token: release for release in request.releases})
        await self._notify()
        return scheduler_pb2.ReleaseResponse(released=[True] * len(request.releases))


async def abort_stale(context: Context) -> None:
    """FAILED_PRECONDITION STALE_CLAIM as the contract words it."""
    detail = Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason="STALE_CLAIM", domain="carbonline"))
    code = grpc.StatusCode.FAILED_PRECONDITION
    status = status_pb2.Status(code=code.value[0], message="stale", details=[detail])
    await context.abort_with_status(rpc_status.to_status(status))
