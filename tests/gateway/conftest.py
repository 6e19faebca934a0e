"""A gateway before a real scheduler and a real ledger process, on a database of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.auth.principals import Authenticator
from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2_grpc, scheduler_pb2_grpc
from gateway_service.server import RunningGateway, running_gateway
from gateway_service.settings import Settings
from scheduler_service.server import RunningScheduler, running_server
from scheduler_service.settings import Settings as SchedulerSettings
from tests.gateway.http_client import HttpClient
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import read_settings as read_ledger_settings

WORKER = "11111111-1111-1111-1111-111111111111"


@dataclass
class Services:
    """A scheduler and a ledger process, and where they listen."""

    scheduler: RunningScheduler
    scheduler_address: str
    ledger_address: str


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """Both services; whoever sends `Bearer NAME` is the principal of tenant NAME."""
    async with both_services(database_url, tmp_path, ByTenantToken()) as running:
        yield running


@asynccontextmanager
async def both_services(
    database_url: str, tmp_path: Path, callers: Authenticator
) -> AsyncIterator[Services]:
    """A scheduler and a ledger process that know these callers."""
    log = open_log("error")
    wanted = scheduler_settings(database_url, tmp_path)
    ledger = read_ledger_settings(
        {
            "CARBONLINE_LEDGER_DATABASE_URL": database_url,
            "CARBONLINE_LEDGER_ADDRESS": f"unix:{tmp_path}/l",
            "CARBONLINE_BLOB_FOLDER": str(tmp_path / "blobs"),
            "CARBONLINE_DRAIN_GRACE_SECONDS": "0",
        },
        "ledger",
    )
    async with (
        running_server(wanted, log, callers) as scheduler,
        running_ledger(ledger, log, callers),
    ):
        yield Services(scheduler, wanted.address, ledger.ledger_address)


def scheduler_settings(database_url: str, folder: Path) -> SchedulerSettings:
    """Short polls and keepalives."""
    return SchedulerSettings(
        database_url=database_url,
        address=f"unix:{folder}/s",
        lease_seconds=8.0,
        beat_seconds=2.0,
        sweep_seconds=0.5,
        noop=True,
        keepalive_seconds=0.3,
        drain_grace_seconds=1.0,
        build_id="test",
    )


@asynccontextmanager
async def gateway_before(
    scheduler_address: str, ledger_address: str, **more: Any
) -> AsyncIterator[RunningGateway]:
    """A gateway on any free port."""
    settings = Settings("127.0.0.1", 0, scheduler_address, ledger_address, build_id="test", **more)
    async with running_gateway(settings, open_log("error")) as running:
        yield running


@pytest.fixture
async def gateway(services: Services) -> AsyncIterator[RunningGateway]:
    """A gateway before both services."""
    addresses = (services.scheduler_address, services.ledger_address)
    async with gateway_before(*addresses, hosts=("carbon.example",)) as running:
        yield running


@pytest.fixture
def http(gateway: RunningGateway) -> HttpClient:
    """A program of tenant local."""
    return HttpClient(gateway.port)


@pytest.fixture
async def driver(services: Services) -> AsyncIterator[Client]:
    """Submits, claims and finishes over gRPC, beside the gateway."""
    async with grpc.aio.insecure_channel(services.scheduler_address) as channel:
        yield Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            services.scheduler,
            WORKER,
        )
