"""A worker's mechanics, running against a scripted scheduler over a unix socket."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import structlog

from carbonline.client.channel import Credentials, open_channel
from carbonline.v1.scheduler_pb2_grpc import add_SchedulerServiceServicer_to_server
from tests.worker_service.mechanics.scripted_scheduler import ScriptedScheduler
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.readiness import NoNeeds
from worker_service.mechanics.registry import Step, check_registry
from worker_service.mechanics.serve import Served, Surroundings, WorkerLimits, serve_jobs
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity


class LogLines(list[MutableMapping[str, Any]]):
    """What was logged, from whichever thread, and a way to wait for it."""

    def names(self) -> list[str]:
        """The events in order."""
        return [line["event"] for line in self]

    def one(self, event: str) -> MutableMapping[str, Any]:
        """The only line of an event."""
        (line,) = [line for line in self if line["event"] == event]
        return line

    def keep(self, _log: object, _method: str, line: MutableMapping[str, Any]) -> str:
        """A structlog processor."""
        self.append(line)
        return ""


@dataclass
class RunningWorker:
    """A worker that serves, and the order to end."""

    drain: Drain
    serving: asyncio.Task[Served]
    log: LogLines

    async def drained(self) -> Served:
        """Asks it to end, and how it ended."""
        self.drain.request_once()
        async with asyncio.timeout(10):
            return await self.serving


@pytest.fixture
async def scheduler(tmp_path: Path) -> AsyncIterator[ScriptedScheduler]:
    scripted = ScriptedScheduler()  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    server = grpc.aio.server()
    add_SchedulerServiceServicer_to_server(scripted, server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    yield scripted
    await server.stop(0)


StartWorker = Callable[..., RunningWorker]


@pytest.fixture
async def start_worker(scheduler: ScriptedScheduler, tmp_path: Path) -> AsyncIterator[StartWorker]:
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(open_channel(f"unix:{tmp_path}/s", retries=False))
        workers: list[RunningWorker] = []

        def start(step: Step, **limits: Any) -> RunningWorker:
            beat_seconds = limits.pop("beat_seconds", 0.2)
            around = Surroundings(limits.pop("needs", NoNeeds()), tasks=limits.pop("tasks", ()))
            log = LogLines()
            logger = structlog.wrap_logger(
                structlog.ReturnLogger(),
                processors=[structlog.processors.add_log_level, log.keep],
                wrapper_class=structlog.make_filtering_bound_logger(0),
            )
            drain = Drain()
            client = SchedulerClient(
                channel, WorkerIdentity("w-1", "build", "host"), Credentials(None)
            )
            serving = asyncio.create_task(
                serve_jobs(
                    client,
                    check_registry([("work", step)], ["work"]),
                    WorkerLimits(
                        **{
                            "lease_seconds": scheduler.lease_seconds,
                            "beat": BeatTiming(
                                beat_seconds, progress_seconds=0.1, phase_seconds=0.02
                            ),
                            "drain_grace_seconds": 5.0,
                            **limits,
                        }
                    ),
                    drain,
                    logger,
                    around=around,
                )
            )
            workers.append(RunningWorker(drain, serving, log))
            return workers[-1]

        yield start
        for worker in workers:
            worker.drain.request()
            worker.drain.request()
            await asyncio.wait({worker.serving}, timeout=10)
            assert worker.serving.done()
