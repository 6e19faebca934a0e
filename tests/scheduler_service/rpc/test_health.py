"""Health as a probe sees it: who is alive, who is ready, and who is not known."""

import asyncio
import logging
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.serving.health import LIVENESS
from carbonline.v1 import scheduler_pb2
from tests.scheduler_service.rpc.conftest import Client

SECONDS = 30.0
HEALTH = "carbonline scheduler health"
READY = "carbonline.v1.SchedulerService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
Connection = asyncpg.Connection


class Operator:
    """What an operator does to the database of a running scheduler, from another database."""

    def __init__(self, connection: "Connection[asyncpg.Record]", database: str) -> None:
        self._connection = connection
        self._database = database

    async def alter(self, what: str) -> None:
        await self._connection.execute(f'ALTER DATABASE "{self._database}" {what}')

    async def end_sessions(self, name: str = "") -> None:
        """All of the database, or those of this application."""
        await self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1 AND ($2 = '' OR application_name = $2)",
            *(self._database, name),
        )


@pytest.fixture
async def operator(cluster: EmbeddedPostgres, database_url: str) -> AsyncIterator[Operator]:
    asked = await asyncpg.connect(database_url)
    database = await asked.fetchval("SELECT current_database()")
    await asked.close()
    connection = await asyncpg.connect(cluster.url("postgres"))
    try:
        yield Operator(connection, database)
    finally:
        await connection.close()


async def becomes(client: Client, service: str, status: int) -> None:
    """Wait for the status. Raises TimeoutError."""
    watch = health_pb2_grpc.HealthStub(client.channel).Watch(
        health_pb2.HealthCheckRequest(service=service)
    )
    async with asyncio.timeout(SECONDS):
        async for told in watch:
            if told.status == status:
                break
    watch.cancel()


async def health(client: Client, service: str) -> int:
    request = health_pb2.HealthCheckRequest(service=service)
    answer = await health_pb2_grpc.HealthStub(client.channel).Check(request)
    return int(answer.status)


def a_job() -> scheduler_pb2.SubmitRequest:
    return scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop")


async def test_a_service_that_is_not_known_is_not_found_and_nothing_is_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(grpc.aio.AioRpcError) as raised:
        await health(client, "a.Stranger")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    assert caplog.records == []


async def test_a_scheduler_without_its_database_is_alive_and_not_ready(
    client: Client, operator: Operator
) -> None:
    await becomes(client, READY, SERVING)
    await operator.alter("ALLOW_CONNECTIONS false")
    await operator.end_sessions()
    await becomes(client, READY, NOT_SERVING)
    assert await health(client, "") == NOT_SERVING
    assert await health(client, LIVENESS) == SERVING
    await operator.alter("ALLOW_CONNECTIONS true")
    await becomes(client, READY, SERVING)
    await client.scheduler.Submit(a_job())


async def test_a_read_only_database_is_unavailable_until_it_accepts_writes_again(
    client: Client, operator: Operator
) -> None:
    await operator.alter("SET default_transaction_read_only = on")
    await operator.end_sessions()
    await becomes(client, READY, NOT_SERVING)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(a_job())
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    # Sessions that were opened meanwhile stay read-only unless they are replaced.
    await operator.alter("SET default_transaction_read_only = off")
    await becomes(client, READY, SERVING)
    await client.scheduler.Submit(a_job())


async def test_a_scheduler_is_ready_while_others_take_every_connection_of_its_pool(
    client: Client, operator: Operator
) -> None:
    pool = client.server.store.pool
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    try:
        await operator.alter("ALLOW_CONNECTIONS false")
        await operator.end_sessions(HEALTH)
        await becomes(client, READY, NOT_SERVING)
        await operator.alter("ALLOW_CONNECTIONS true")
        await becomes(client, READY, SERVING)
    finally:
        for connection in held:
            await pool.release(connection)
