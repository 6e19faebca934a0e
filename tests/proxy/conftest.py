"""A scheduler that serves, one client beside it, and one behind a proxy that fails on demand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from carbonline.client.channel import open_channel
from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2_grpc, scheduler_pb2_grpc
from scheduler_service.server import RunningScheduler, running_server
from scheduler_service.settings import Settings
from tests.proxy.faulty_proxy import FaultyProxy, faulty_proxy
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

WORKER_ID = str(uuid4())


@asynccontextmanager
async def _client(server: RunningScheduler, address: str) -> AsyncIterator[Client]:
    async with open_channel(address, retries=False) as channel:
        yield Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            server,
            WORKER_ID,
        )


@pytest.fixture
def lease_seconds(request: pytest.FixtureRequest) -> float:
    """Short, for tests in which one expires; others ask for another one."""
    return float(getattr(request, "param", 4.0))


@pytest.fixture
async def server(
    database_url: str, tmp_path: Path, lease_seconds: float
) -> AsyncIterator[RunningScheduler]:
    settings = Settings(
        database_url=database_url,
        address=f"unix:{tmp_path}/s",
        lease_seconds=lease_seconds,
        beat_seconds=1.0,
        sweep_seconds=0.5,
        noop=True,
        keepalive_seconds=0.3,
        drain_grace_seconds=0.5,
        build_id="test",
    )
    async with running_server(settings, open_log("critical"), ByTenantToken()) as running:
        yield running


@pytest.fixture
async def proxy(server: RunningScheduler, tmp_path: Path) -> AsyncIterator[FaultyProxy]:
    async with faulty_proxy(tmp_path / "s", tmp_path / "p") as proxy:
        yield proxy


@pytest.fixture
async def beside(server: RunningScheduler, tmp_path: Path) -> AsyncIterator[Client]:
    """A client that nothing happens to."""
    async with _client(server, f"unix:{tmp_path}/s") as client:
        yield client


@pytest.fixture
async def behind(
    server: RunningScheduler, proxy: FaultyProxy, tmp_path: Path
) -> AsyncIterator[Client]:
    """The same worker's client, through the proxy; gRPC repeats nothing by itself."""
    async with _client(server, f"unix:{tmp_path}/p") as client:
        yield client
