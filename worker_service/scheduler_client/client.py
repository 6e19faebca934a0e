"""The scheduler over gRPC: one method per call, with its deadline and its errors as values."""

from collections.abc import Awaitable, Sequence
from typing import TypeVar

import grpc.aio

from carbonline.client.channel import Metadata
from carbonline.client.errors import server_error
from carbonline.v1 import scheduler_pb2
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.scheduler import (
    Beat,
    ChildRequest,
    ClaimWish,
    Finish,
    FinishAnswer,
    GiveBack,
    Pulse,
    SchedulerRefused,
    SchedulerUnreachable,
)
from worker_service.scheduler_client import messages
from worker_service.scheduler_client.identity import WorkerIdentity

Answer = TypeVar("Answer")

CALL_SECONDS = 10.0
# A long poll's answer is late by the way there and back, and by a busy scheduler.
POLL_EXTRA_SECONDS = 5.0
# An answer of these codes says that the call, as it stands, is wrong or forbidden.
REFUSALS = frozenset(
    {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    }
)


class SchedulerClient:
    """Implements worker_service.mechanics.scheduler.Scheduler."""

    def __init__(
        self, channel: grpc.aio.Channel, identity: WorkerIdentity, metadata: Metadata
    ) -> None:
        self._stub = SchedulerServiceStub(channel)
        self._identity = identity
        self._metadata = metadata

    async def claim(self, wish: ClaimWish) -> Sequence[ClaimedJob]:
        """Up to max_jobs; empty when nothing came within the wait."""
        request = messages.claim_request(wish, self._identity)
        timeout = wish.wait_seconds + POLL_EXTRA_SECONDS
        answer = await _answer(self._stub.Claim(request, timeout=timeout, metadata=self._metadata))
        return [messages.claimed_job(job) for job in answer.jobs]

    async def heartbeat(
        self, beats: Sequence[Beat], draining: bool, timeout_seconds: float
    ) -> Pulse:
        """Renews the leases."""
        request = scheduler_pb2.HeartbeatRequest(
            worker_id=self._identity.worker_id,
            beats=[messages.claim_beat(beat) for beat in beats],
            draining=draining,
        )
        answer = await _answer(
            self._stub.Heartbeat(request, timeout=timeout_seconds, metadata=self._metadata)
        )
        return messages.pulse(answer)

    async def chain(self, job_id: int, claim_token: int, children: Sequence[ChildRequest]) -> int:
        """Stages children under the claim; how many are staged in all."""
        request = scheduler_pb2.ChainRequest(
            worker_id=self._identity.worker_id,
            job_id=job_id,
            claim_token=claim_token,
            children=[messages.child_spec(child) for child in children],
        )
        answer = await _answer(
            self._stub.Chain(request, timeout=CALL_SECONDS, metadata=self._metadata)
        )
        return answer.staged_children

    async def finish(self, endings: Sequence[Finish]) -> Sequence[FinishAnswer]:
        """One answer for each, in order."""
        request = scheduler_pb2.BatchFinishRequest(
            requests=[
                messages.finish_request(ending, self._identity.worker_id) for ending in endings
            ]
        )
        answer = await _answer(
            self._stub.BatchFinish(request, timeout=CALL_SECONDS, metadata=self._metadata)
        )
        return [messages.finish_answer(result) for result in answer.results]

    async def give_back(self, releases: Sequence[GiveBack]) -> Sequence[bool]:
        """One for each: true when this claim held the job until now."""
        request = scheduler_pb2.ReleaseRequest(
            worker_id=self._identity.worker_id,
            releases=[messages.claim_release(release) for release in releases],
        )
        answer = await _answer(
            self._stub.Release(request, timeout=CALL_SECONDS, metadata=self._metadata)
        )
        return list(answer.released)


async def _answer(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        said = server_error(error)
        if said.code in REFUSALS or said.too_large:
            raise SchedulerRefused(said.code, said.reason, said.message) from None
        raise SchedulerUnreachable(f"{said.code} {said.message}") from None
