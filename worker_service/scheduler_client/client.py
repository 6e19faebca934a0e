"""The scheduler over gRPC: one method per RPC, each with its deadline."""

from collections.abc import Sequence
from typing import TypeVar

import grpc.aio

from carbonline.client.channel import Credentials, Metadata
from carbonline.client.errors import server_error
from carbonline.v1 import monitoring_pb2, retention_pb2, scheduler_pb2
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub
from worker_service.mechanics.scheduler import (
    Beat,
    ChildRequest,
    ClaimReply,
    ClaimRequest,
    Finish,
    FinishAnswer,
    HeartbeatReply,
    NotReady,
    Release,
    SchedulerRefused,
    SchedulerUnreachable,
)
from worker_service.scheduler_client import messages
from worker_service.scheduler_client.identity import WorkerIdentity

Request = TypeVar("Request")
Answer = TypeVar("Answer")

TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 - a reason of the contract

CALL_SECONDS = 10.0
# Beyond the wait of a long poll: for the network, and for a busy scheduler.
POLL_EXTRA_SECONDS = 5.0


class SchedulerClient:
    """Implements worker_service.mechanics.scheduler.Scheduler, which documents each method."""

    def __init__(
        self, channel: grpc.aio.Channel, identity: WorkerIdentity, credentials: Credentials
    ) -> None:
        self._stub = SchedulerServiceStub(channel)
        self._operations = OperationsServiceStub(channel)
        self._identity = identity
        self._credentials = credentials
        # What was sent when the scheduler said so.
        self._expired: Metadata | None = None

    @property
    def token_fault(self) -> str:
        """Why the scheduler takes no calls with the token of now; "" if it is not known to."""
        if self._expired is None or self._credentials.metadata != self._expired:
            return ""
        return "it has expired; write the next one into its file (CARBONLINE_TOKEN_FILE)"

    async def claim(self, request: ClaimRequest) -> ClaimReply:
        """Claims up to `max_jobs` jobs, and waits for the first of them."""
        message = messages.claim_request(request, self._identity)
        timeout = request.wait_seconds + POLL_EXTRA_SECONDS
        answer = await self._ask(self._stub.Claim, message, timeout)
        drain = answer.directive == scheduler_pb2.WORKER_DIRECTIVE_DRAIN
        return ClaimReply([messages.claimed_job(job) for job in answer.jobs], drain)

    async def heartbeat(
        self,
        beats: Sequence[Beat],
        draining: bool,
        timeout_seconds: float,
        not_ready: NotReady | None = None,
    ) -> HeartbeatReply:
        """Renew leases and carry progress. Return what the scheduler says of each claim."""
        request = messages.heartbeat_request(beats, draining, not_ready, self._identity)
        answer = await self._ask(self._stub.Heartbeat, request, timeout_seconds)
        return messages.heartbeat_reply(answer)

    async def chain(self, job_id: int, claim_token: int, children: Sequence[ChildRequest]) -> int:
        """Stages children under the claim. Returns how many are staged in all."""
        request = scheduler_pb2.ChainRequest(
            worker_id=self._identity.worker_id,
            job_id=job_id,
            claim_token=claim_token,
            children=[messages.child_spec(child) for child in children],
        )
        answer = await self._ask(self._stub.Chain, request, CALL_SECONDS)
        return answer.staged_children

    async def finish(self, finishes: Sequence[Finish]) -> Sequence[FinishAnswer | None]:
        """Ends jobs. One answer for each, in order; None for one to ask again."""
        request = scheduler_pb2.BatchFinishRequest(
            requests=[
                messages.finish_request(finish, self._identity.worker_id) for finish in finishes
            ]
        )
        answer = await self._ask(self._stub.BatchFinish, request, CALL_SECONDS)
        return [messages.finish_answer(result) for result in answer.results]

    async def release(self, releases: Sequence[Release]) -> Sequence[bool]:
        """Releases claims. One answer for each, in order: true if it held the job until now."""
        request = scheduler_pb2.ReleaseRequest(
            worker_id=self._identity.worker_id,
            releases=[messages.claim_release(release) for release in releases],
        )
        answer = await self._ask(self._stub.Release, request, CALL_SECONDS)
        return list(answer.released)

    async def named_blobs(self, tenant: str, blobs: Sequence[str]) -> Sequence[str]:
        """Which of at most 1,000 blobs, given by their references, a job of the tenant names.

        Raises SchedulerUnreachable, or SchedulerRefused for a tenant that the worker does not act
        for.
        """
        request = monitoring_pb2.ListNamedBlobsRequest(tenant=tenant, blobs=blobs)
        answer = await self._ask(self._operations.ListNamedBlobs, request, CALL_SECONDS)
        return answer.blobs

    async def kept_pipelines(self, tenant: str, pipelines: Sequence[int]) -> Sequence[int]:
        """Which of at most 1,000 pipelines of the tenant, given by their numbers, exist.

        Raises as `named_blobs`.
        """
        request = retention_pb2.ListKeptPipelinesRequest(tenant=tenant, pipeline_ids=pipelines)
        answer = await self._ask(self._operations.ListKeptPipelines, request, CALL_SECONDS)
        return answer.pipeline_ids

    async def _ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        seconds_max: float,
    ) -> Answer:
        metadata = self._credentials.metadata
        try:
            return await method(request, timeout=seconds_max, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            refusal = server_error(error)
            if refusal.reason == TOKEN_EXPIRED:
                # The next one may come at any moment, and with it the same call is right.
                self._expired = metadata
                raise SchedulerUnreachable(f"{refusal.code} {refusal.message}") from None
            if refusal.code in messages.REFUSALS or refusal.too_large:
                raise SchedulerRefused(refusal.code, refusal.reason, refusal.message) from None
            raise SchedulerUnreachable(f"{refusal.code} {refusal.message}") from None
