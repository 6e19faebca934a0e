"""Services without workers, in a thread: a test decides what becomes of each job, and who looks."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio

from carbonline.v1 import operations_pb2_grpc, scheduler_pb2_grpc, types_pb2
from tests.gateway.conftest import both_services, gateway_before
from tests.gateway.test_rights import ByRole
from tests.scheduler_service.rpc.conftest import Client

WORKER = "22222222-2222-2222-2222-222222222222"
SECONDS_MAX = 30
SCOPE = types_pb2.Scope(tenant="local")

T = TypeVar("T")


@dataclass
class Scripted:
    """Where the console is, and a driver that submits, claims and finishes.

    A browser whose cookie is `ROLE@local` has one role; `@local` has all.
    """

    url: str
    driver: Client
    loop: asyncio.AbstractEventLoop
    database_url: str

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the driver returns, from the test's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS_MAX)


@contextmanager
def scripted_stack(database_url: str, folder: Path) -> Iterator[Scripted]:
    """A scheduler, a ledger process and a gateway, for as long as the block runs."""
    begun = threading.Event()
    told: list[Scripted] = []
    stop: list[Callable[[], object]] = []

    async def live() -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        async with (
            both_services(database_url, folder, ByRole()) as services,
            gateway_before(services.scheduler_address, services.ledger_address) as gateway,
            grpc.aio.insecure_channel(services.scheduler_address) as channel,
        ):
            driver = Client(
                channel,
                scheduler_pb2_grpc.SchedulerServiceStub(channel),
                operations_pb2_grpc.OperationsServiceStub(channel),
                services.scheduler,
                WORKER,
            )
            url = f"http://127.0.0.1:{gateway.port}"
            told.append(Scripted(url, driver, loop, database_url))
            begun.set()
            await ended.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        finally:
            begun.set()

    thread = threading.Thread(target=run, name="scripted-stack")
    thread.start()
    begun.wait(SECONDS_MAX)
    assert told, "the services did not start"
    try:
        yield told[0]
    finally:
        stop[0]()
        thread.join(SECONDS_MAX)
