"""A scheduler that serves on a unix socket, and a client's stubs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.json_struct import struct_of
from carbonline.serving.auth.principals import Principal
from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2_grpc, scheduler_pb2, scheduler_pb2_grpc, types_pb2
from scheduler_service.server import RunningScheduler, running_server
from scheduler_service.settings import Settings

BLOB = "blob:sha256:" + "0" * 64


class ByTenantToken:
    """Who sends `Bearer NAME` is the principal of tenant NAME; without it, of tenant local. A name
    like `north+south` is that of several tenants.
    """

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        name, _, tenant = authorization.removeprefix("Bearer ").partition("@")
        name = name or "local"
        return None if name == "nobody" else Principal(name, tuple((tenant or name).split("+")))


@dataclass
class Client:
    """Stubs on one channel, and the metadata of one caller."""

    channel: grpc.aio.Channel
    # One class for sync and async stubs at run time; what comes back is asserted anyway.
    scheduler: Any
    operations: Any
    server: RunningScheduler
    worker_id: str

    async def send_bytes(self, method: str, data: bytes, caller: str = "local") -> Any:
        """Call a method with bytes as they are; the first answer, if it streams."""
        call: Any
        metadata = (("authorization", f"Bearer {caller}"),)
        if "/Watch" in method:
            call = self.channel.unary_stream(method)
            return await anext(aiter(call(data, metadata=metadata)))
        call = self.channel.unary_unary(method)
        return await call(data, metadata=metadata)

    async def provision(self, year: int = 2024) -> None:
        await self.submit("unit_sync", types_pb2.Scope(year=year), {"blob": BLOB})
        (job,) = await self.claim("unit_sync")
        await self.finish(job)

    async def submit(
        self, job_type: str, scope: types_pb2.Scope, payload: dict[str, object] | None = None
    ) -> scheduler_pb2.SubmitResponse:
        request = scheduler_pb2.SubmitRequest(
            request_id=str(uuid4()), job_type=job_type, scope=scope
        )
        if payload is not None:
            request.payload.CopyFrom(struct_of(payload))
        answer: scheduler_pb2.SubmitResponse = await self.scheduler.Submit(request)
        return answer

    async def claim(
        self, *job_types: str, wait_seconds: int = 0, max_jobs: int = 1
    ) -> list[scheduler_pb2.ClaimedJob]:
        request = scheduler_pb2.ClaimRequest(
            worker_id=self.worker_id,
            request_id=str(uuid4()),
            job_types=job_types,
            max_jobs=max_jobs,
            build_id="test",
        )
        request.wait.seconds = wait_seconds
        return list((await self.scheduler.Claim(request)).jobs)

    async def finish(
        self,
        job: scheduler_pb2.ClaimedJob,
        result: types_pb2.JobResult.ValueType = types_pb2.JOB_RESULT_SUCCESS,
    ) -> scheduler_pb2.FinishResponse:
        answer: scheduler_pb2.FinishResponse = await self.scheduler.Finish(self.ending(job, result))
        return answer

    def ending(
        self,
        job: scheduler_pb2.ClaimedJob,
        result: types_pb2.JobResult.ValueType = types_pb2.JOB_RESULT_SUCCESS,
    ) -> scheduler_pb2.FinishRequest:
        return scheduler_pb2.FinishRequest(
            worker_id=self.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=result,
            error_cause="broken" if result == types_pb2.JOB_RESULT_ERROR else "",
            # Nothing follows but what was staged.
            written=types_pb2.WRITTEN_UNKNOWN
            if result == types_pb2.JOB_RESULT_ERROR
            else types_pb2.WRITTEN_NOTHING,
        )


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A scheduler's settings for tests: short polls and keepalives."""
    return Settings(
        database_url=database_url,
        address=f"unix:{tmp_path}/s",
        lease_seconds=8.0,
        beat_seconds=2.0,
        sweep_seconds=0.5,
        noop=True,
        keepalive_seconds=0.3,
        drain_grace_seconds=1.0,
        build_id="test",
    )


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    """A client of a serving scheduler."""
    log = open_log("error")
    async with (
        running_server(settings, log, ByTenantToken()) as server,
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        yield Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            server,
            str(uuid4()),
        )
