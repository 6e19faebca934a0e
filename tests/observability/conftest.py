"""A scheduler with metrics on a port and its log lines in a list; scrapes as Prometheus reads."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from structlog.typing import FilteringBoundLogger

from carbonline.client.channel import open_channel
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.serving.metrics_port import Probes, metrics_served
from carbonline.v1 import operations_pb2_grpc, scheduler_pb2_grpc
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.ports import free_ports
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

SAMPLES_SECONDS = 20.0


@dataclass
class LogLines:
    """What was logged, as it would be written, and how to find it."""

    lines: list[MutableMapping[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def logger(self, level: int) -> FilteringBoundLogger:
        """A logger that keeps its lines here."""
        logger: FilteringBoundLogger = structlog.wrap_logger(
            structlog.ReturnLogger(),
            processors=[structlog.processors.add_log_level, self._keep],
            wrapper_class=structlog.make_filtering_bound_logger(level),
        )
        return logger

    def _keep(self, _log: object, _method: str, line: MutableMapping[str, Any]) -> str:
        self.lines.append(line)
        self.news.set()
        return ""

    def of(self, event: str) -> list[MutableMapping[str, Any]]:
        """The lines of one event, in order."""
        return [line for line in self.lines if line["event"] == event]

    async def first(self, event: str) -> MutableMapping[str, Any]:
        """The first line of an event, as soon as it is there."""
        async with asyncio.timeout(20):
            while not self.of(event):
                self.news.clear()
                await self.news.wait()
        return self.of(event)[0]


class Scrapes:
    """Reads a process's metrics over HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def value(self, name: str, **labels: str) -> float:
        """A sample's value now; 0 where there is no such sample."""
        text = await asyncio.to_thread(self._read)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return 0.0

    async def becomes(self, wanted: Callable[[float], bool], name: str, **labels: str) -> float:
        """The value as soon as it is as wanted."""
        async with asyncio.timeout(SAMPLES_SECONDS):
            while not wanted(value := await self.value(name, **labels)):
                pass
            return value

    def _read(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text


@dataclass
class Observed:
    """A client of a scheduler that is watched from outside."""

    client: Client
    scrapes: Scrapes
    log: LogLines


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(
        database_url=database_url,
        address=f"unix:{tmp_path}/s",
        lease_seconds=2.0,
        beat_seconds=0.5,
        sweep_seconds=0.2,
        noop=True,
        drain_grace_seconds=0.5,
        build_id="test",
        metrics=MetricsAddress(free_ports(1)),
    )


@asynccontextmanager
async def metrics_at(registry: CollectorRegistry, address: MetricsAddress) -> AsyncIterator[None]:
    """As a process has it."""
    with metrics_served(registry, address, Probes()):
        yield


@pytest.fixture
def log_level(request: pytest.FixtureRequest) -> int:
    """info, unless a test asks for debug."""
    return int(getattr(request, "param", 20))


@pytest.fixture
async def observed(settings: Settings, log_level: int) -> AsyncIterator[Observed]:
    log = LogLines()
    async with (
        running_server(settings, log.logger(log_level), ByTenantToken()) as server,
        metrics_at(server.metrics.registry, settings.metrics),
        open_channel(settings.address, retries=False) as channel,
    ):
        client = Client(
            channel,
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            server,
            str(uuid4()),
        )
        yield Observed(client, Scrapes(settings.metrics.port), log)
