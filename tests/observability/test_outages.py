"""An outage of PostgreSQL is told in few lines, however many calls it fails."""

import asyncio
import logging
import time
from pathlib import Path

import grpc
import grpc.aio
import pytest

from carbonline.client.channel import open_channel
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from carbonline.serving.throttled_log import SECONDS
from carbonline.v1 import operations_pb2, operations_pb2_grpc
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.observability.conftest import LogLines
from tests.scheduler_service.rpc.conftest import ByTenantToken

CALLS = 200


async def call(channel: grpc.aio.Channel) -> grpc.StatusCode:
    stub = operations_pb2_grpc.OperationsServiceStub(channel)
    try:
        await stub.GetYear(operations_pb2.GetYearRequest(year=2024))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def test_lines_of_an_outage_are_few_and_count_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler_service.store.notify.listener.CHECK_SECONDS", 0.1)
    log, address = LogLines(), f"unix:{tmp_path}/s"
    postgres = await EmbeddedPostgres.open(tmp_path / "postgres")
    try:
        url = await postgres.create_database("outage")
        await migrate_all(url)
        settings = Settings(url, address, drain_grace_seconds=0.1)
        async with (
            running_server(settings, log.logger(logging.INFO), ByTenantToken()),
            open_channel(address, retries=False) as channel,
        ):
            assert await call(channel) is grpc.StatusCode.OK
            began_at = time.monotonic()
            postgres.child.kill()
            codes = await asyncio.gather(*(call(channel) for _ in range(CALLS)))
            assert set(codes) == {grpc.StatusCode.UNAVAILABLE}
            await log.first("listener_disconnected")
            await postgres.start()
            await log.first("listener_reconnected")
            assert await call(channel) is grpc.StatusCode.OK
        lines = log.of("database_unavailable")
        assert sum(line["calls"] for line in lines) == CALLS
        assert {line["level"] for line in lines} == {"warning"}
        assert len(lines) <= 2 + (time.monotonic() - began_at) / SECONDS
        assert len(log.of("listener_disconnected")) == 1
    finally:
        await postgres.close()
