"""Who is let in, what is served beside the contract, and what is refused at the start."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from carbonline.serving.logs import open_log
from carbonline.serving.settings import SettingsWrong
from carbonline.v1 import operations_pb2, operations_pb2_grpc
from scheduler_service.server import NotMigrated, running_server
from scheduler_service.settings import Settings
from scheduler_service.store.core.schema_revision import SCHEMA_REVISION
from tests.scheduler_service.rpc.conftest import Client

SERVING = health_pb2.HealthCheckResponse.SERVING
SERVICES = ("carbonline.v1.SchedulerService", "carbonline.v1.OperationsService")
SECONDS = 20.0


def settings_of(database_url: str, address: str, token_file: Path | None = None) -> Settings:
    return Settings(
        database_url=database_url,
        address=address,
        token_file=token_file,
        drain_grace_seconds=0.1,
    )


async def code_of(call: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code()


@pytest.mark.parametrize("service", ["", *SERVICES])
async def test_health_is_told_and_watched_per_service(client: Client, service: str) -> None:
    stub = health_pb2_grpc.HealthStub(client.channel)
    request = health_pb2.HealthCheckRequest(service=service)
    watch = stub.Watch(request)
    async with asyncio.timeout(SECONDS):
        async for told in watch:
            if told.status == SERVING:
                break
    assert (await stub.Check(request)).status == SERVING
    watch.cancel()


async def test_reflection_lists_the_services_and_knows_their_files(client: Client) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICES[0]),
    ]
    listed, found = [answer async for answer in stub.ServerReflectionInfo(iter(questions))]
    names = {service.name for service in listed.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= names
    assert found.file_descriptor_response.file_descriptor_proto


async def test_a_port_is_opened_by_the_token_only(database_url: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-secret\n")
    settings = settings_of(database_url, "127.0.0.1:0", token)
    request = operations_pb2.ListWorkersRequest()
    async with (
        running_server(settings, open_log("error")) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = operations_pb2_grpc.OperationsServiceStub(channel)
        for wrong in ("", "a-secret", "Bearer", "Bearer a-secre", "Bearer b-secret"):
            metadata = (("authorization", wrong),) if wrong else ()
            code = await code_of(stub.ListWorkers(request, metadata=metadata))
            assert code is grpc.StatusCode.UNAUTHENTICATED
        right = (("authorization", "Bearer a-secret"),)
        assert not (await stub.ListWorkers(request, metadata=right)).workers


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("0.0.0.0:7400", "only loopback addresses"),
        ("127.0.0.1:0", "needs CARBONLINE_TOKEN_FILE"),
    ],
)
async def test_an_address_that_must_not_be_served_is_refused_in_a_sentence(
    database_url: str, address: str, said: str
) -> None:
    with pytest.raises(SettingsWrong, match=said):
        async with running_server(settings_of(database_url, address), open_log("error")):
            pass


async def test_a_database_of_an_older_release_is_refused_in_a_sentence(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(database_url, f"unix:{tmp_path}/s")
    conn = await asyncpg.connect(database_url)
    await conn.execute("UPDATE scheduler.alembic_version SET version_num = '0009'")
    with pytest.raises(NotMigrated, match=f"revision 0009, not {SCHEMA_REVISION}: run `carbonline"):
        async with running_server(settings, open_log("error")):
            pass
    # The next release migrates first, while schedulers of this one still run and start.
    await conn.execute("UPDATE scheduler.alembic_version SET version_num = '9999'")
    await conn.close()
    async with running_server(settings, open_log("error")):
        pass


async def test_the_schema_that_is_asked_for_is_the_newest(database_url: str) -> None:
    conn = await asyncpg.connect(database_url)
    found = await conn.fetchval("SELECT version_num FROM scheduler.alembic_version")
    await conn.close()
    assert found == SCHEMA_REVISION


async def test_a_database_that_is_not_migrated_is_refused_in_a_sentence(
    empty_database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(empty_database_url, f"unix:{tmp_path}/s")
    with pytest.raises(NotMigrated, match="carbonline migrate"):
        async with running_server(settings, open_log("error")):
            pass


@pytest.mark.parametrize(
    ("token", "sent", "code"),
    [
        ("secret", "", "OK"),
        ("secret", "Bearer secret", "OK"),
        ("secret", "Bearer other", "UNAUTHENTICATED"),
        ("secret", "Bearer ", "UNAUTHENTICATED"),
        ("", "Bearer other", "UNAUTHENTICATED"),
    ],
)
async def test_a_token_that_comes_over_a_socket_is_checked(
    database_url: str, tmp_path: Path, token: str, sent: str, code: str
) -> None:
    token_file = tmp_path / "token" if token else None
    if token_file is not None:
        token_file.write_text(token)
    settings = settings_of(database_url, f"unix:{tmp_path}/s", token_file)
    request = operations_pb2.ListPipelinesRequest()
    async with (
        running_server(settings, open_log("error")),
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        stub: Any = operations_pb2_grpc.OperationsServiceStub(channel)
        call = stub.ListPipelines(request, metadata=(("authorization", sent),) if sent else ())
        assert (await call.code()).name == code
