"""How a scheduler ends: told so, it waits for nobody who only looks on."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from carbonline.client.errors import ServerError, server_error
from carbonline.serving.background import BackgroundTaskEnded
from carbonline.serving.logs import open_log
from carbonline.v1 import (
    interventions_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
    scheduler_pb2_grpc,
)
from scheduler_service.metrics import PREFIX
from scheduler_service.rpc.watch import Watches
from scheduler_service.server import running_server, serve
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.test_readers import hidden

SECONDS = 20.0
REPOSITORY = Path(__file__).parents[3]


async def watch_health(channel: grpc.aio.Channel) -> Any:
    """A watch that has been told of a server that serves."""
    stub = health_pb2_grpc.HealthStub(channel)
    watch = aiter(stub.Watch(health_pb2.HealthCheckRequest()))
    async with asyncio.timeout(SECONDS):
        while (await anext(watch)).status != health_pb2.HealthCheckResponse.SERVING:
            pass
    return watch


async def question() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
    """A question, and then silence on an open stream."""
    yield reflection_pb2.ServerReflectionRequest(list_services="")
    await asyncio.Event().wait()


async def ask_reflection(channel: grpc.aio.Channel) -> Any:
    """A stream that has been answered once and waits for more questions."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    answers = aiter(stub.ServerReflectionInfo(question()))
    assert (await anext(answers)).list_services_response.service
    return answers


async def end_of(answers: Any) -> ServerError:
    """How a stream ended."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await anext(answers)
    return server_error(raised.value)


async def test_streams_that_would_go_on_for_ever_hold_up_no_end(settings: Settings) -> None:
    patient = replace(settings, drain_grace_seconds=10 * SECONDS)
    async with (
        grpc.aio.insecure_channel(settings.address) as channel,
        AsyncExitStack() as server,
    ):
        await server.enter_async_context(running_server(patient, open_log("error")))
        health, reflection = await watch_health(channel), await ask_reflection(channel)
        await asyncio.wait_for(server.aclose(), SECONDS)
        told = await anext(health)
        assert told.status == health_pb2.HealthCheckResponse.NOT_SERVING
        for stream in (health, reflection):
            error = await end_of(stream)
            assert (error.code, error.reason) == ("UNAVAILABLE", "DRAINING"), error


async def until_waiting(database_url: str) -> None:
    """A statement waits for what is locked."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(SECONDS), asyncpg.create_pool(database_url, min_size=1) as pool:
        while not await pool.fetchval(waiting):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_call_that_waits_for_the_database_is_told_that_the_server_ends(
    settings: Settings, database_url: str
) -> None:
    async with (
        grpc.aio.insecure_channel(settings.address) as channel,
        AsyncExitStack() as server,
    ):
        hasty = replace(settings, drain_grace_seconds=0.5)
        running = await server.enter_async_context(running_server(hasty, open_log("error")))
        stub: Any = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        operations: Any = operations_pb2_grpc.OperationsServiceStub(channel)
        async with hidden(database_url, "pauses"):
            pause = interventions_pb2.PauseJobTypeRequest(job_type="noop", reason="it hangs")
            waiting = [
                operations.PauseJobType(pause),
                operations.ListJobTypePauses(interventions_pb2.ListJobTypePausesRequest()),
                stub.Claim(
                    scheduler_pb2.ClaimRequest(
                        worker_id=str(uuid4()),
                        request_id=str(uuid4()),
                        job_types=["noop"],
                        max_jobs=1,
                        build_id="test",
                    )
                ),
            ]
            left = operations.PauseJobType(pause)
            await until_waiting(database_url)
            left.cancel()
            await asyncio.wait_for(server.aclose(), SECONDS)
            for call in waiting:
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await call
                error = server_error(raised.value)
                assert (error.code, error.reason) == ("UNAVAILABLE", "DRAINING"), error
                status = rpc_status.from_call(raised.value)
                assert "google.rpc.RetryInfo" in {one.TypeName() for one in status.details}
        # The caller that hung up is not counted among those that were told.
        for code in ("UNAVAILABLE", "CANCELLED"):
            labels = {"method": "carbonline.v1.OperationsService/PauseJobType", "code": code}
            registry = running.metrics.registry
            assert registry.get_sample_value(f"{PREFIX}rpc_calls_total", labels) == 1, code


async def test_a_background_task_that_ends_ends_the_server(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def defect(_self: Watches) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(Watches, "run", defect)
    with pytest.raises(BackgroundTaskEnded, match="'watches' ended"):
        async with running_server(settings, open_log("error")) as server:
            await asyncio.wait_for(server.background.run_until(asyncio.Event()), SECONDS)
    # In order: whoever comes next finds the address free.
    monkeypatch.undo()
    async with running_server(settings, open_log("error")):
        pass


async def test_a_scheduler_that_serves_ends_with_the_task(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def defect(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("scheduler_service.server.sweep_forever", defect)
    with pytest.raises(BackgroundTaskEnded, match="'sweeps' ended") as raised:
        await asyncio.wait_for(serve(settings, ()), SECONDS)
    assert isinstance(raised.value.__cause__, ValueError)


ENDED = """
import sys
from carbonline.serving.background import BackgroundTaskEnded
from scheduler_service import server
from scheduler_service.__main__ import main

async def serve(_settings, _exposed):
    raise BackgroundTaskEnded("its background task 'sweeps' ended; the log says why")

server.serve = serve
sys.exit(main([]))
"""


def test_the_process_then_ends_with_1_and_names_the_task(tmp_path: Path) -> None:
    environment = {
        "CARBONLINE_DATABASE_URL": "postgresql://user@host/name",
        "CARBONLINE_SCHEDULER_ADDRESS": f"unix:{tmp_path}/s",
    }
    ended = subprocess.run(
        [sys.executable, "-c", ENDED],
        env=environment,
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 1
    assert ended.stderr == "scheduler: its background task 'sweeps' ended; the log says why\n"
