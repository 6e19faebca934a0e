"""A worker outlives its token: it waits for the next one, says so, and goes on."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio

from carbonline.serving.logs import open_log
from carbonline.v1 import scheduler_pb2, scheduler_pb2_grpc
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.processes import line_like, lines_to_the_end, process
from tests.carbonline.serving.token_issuer import TokenIssuer

TOKEN_SECONDS = 3.0
SECONDS = 40.0


async def final_of(stub: Any, pipeline_id: int, metadata: Any) -> Any:
    request = scheduler_pb2.WatchPipelineRequest(pipeline_id=pipeline_id)
    async with asyncio.timeout(SECONDS):
        async for message in stub.WatchPipeline(request, metadata=metadata):
            if message.HasField("final"):
                return message.final
    raise AssertionError("the stream ended before")


async def test_a_worker_whose_token_expires_waits_for_the_next_one(
    database_url: str, tmp_path: Path
) -> None:
    issuer, token_file = TokenIssuer(tmp_path), tmp_path / "token"
    token_file.write_text(issuer.token(role="worker", seconds=TOKEN_SECONDS))
    settings = Settings(database_url, "127.0.0.1:0", tokens=issuer.settings, noop=True)
    async with running_server(settings, open_log("error")) as server:
        address = f"127.0.0.1:{server.port}"
        given = {
            "SCHEDULER_ADDRESS": address,
            "TOKEN_FILE": str(token_file),
            "JOB_TYPES": "noop",
            "LEASE_SECONDS": "8",
            "BEAT_SECONDS": "1",
        }
        async with (
            process("-m", "worker_service", **given) as worker,
            grpc.aio.insecure_channel(address) as channel,
        ):
            stub: Any = scheduler_pb2_grpc.SchedulerServiceStub(channel)
            lost = await line_like(worker, lambda line: line["event"] == "worker_not_ready")
            assert lost["reason"].startswith("token: it has expired; write the next one")
            operator = issuer.bearer()
            request = scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop")
            submitted = await stub.Submit(request, metadata=operator)
            assert worker.returncode is None
            token_file.write_text(issuer.token(role="worker"))
            await line_like(worker, lambda line: line["event"] == "worker_ready")
            await final_of(stub, submitted.pipeline_id, operator)
            await lines_to_the_end(worker)
            assert worker.returncode == 0
