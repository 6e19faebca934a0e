"""Who is let in, what is served, and what is said of a server that cannot serve."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from carbonline.postgres.errors import DatabaseUnavailable
from carbonline.serving.logs import open_log
from carbonline.serving.settings import SettingsWrong
from carbonline.v1 import ledger_pb2, ledger_pb2_grpc
from tests.worker_service.ledger_api.conftest import ALL_RPCS, Client, refused, serving, settings_of
from worker_service.ledger.errors import SchemaMissing
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import Settings

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LEDGER, BLOBS = "carbonline.v1.LedgerService", "carbonline.v1.BlobService"
TOO_DEEP = b"\x0b" * 200


@pytest.mark.parametrize("method", ALL_RPCS)
@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", TOO_DEEP])
async def test_bytes_that_do_not_decode_are_an_invalid_argument(
    client: Client, method: str, data: bytes
) -> None:
    error = await refused(client.send_bytes(method, data))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")


@pytest.mark.parametrize("method", ALL_RPCS)
async def test_an_unknown_caller_is_not_let_in(client: Client, method: str) -> None:
    error = await refused(client.send_bytes(method, b"", caller="nobody"))
    assert (error.code, error.reason) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_a_port_is_opened_by_the_token_only(
    unwritten_database_url: str, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("a-secret\n")
    settings = settings_of(
        unwritten_database_url,
        tmp_path,
        LEDGER_ADDRESS="127.0.0.1:0",
        TOKEN_FILE=str(token),
    )
    request = ledger_pb2.ListModulesRequest()
    async with (
        running_ledger(settings, open_log("error")) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = ledger_pb2_grpc.LedgerServiceStub(channel)
        for wrong in ("", "a-secret", "Bearer", "Bearer a-secre", "Bearer b-secret"):
            metadata = (("authorization", wrong),) if wrong else ()
            error = await refused(stub.ListModules(request, metadata=metadata))
            assert error.code == "UNAUTHENTICATED"
            assert "authorization: Bearer TOKEN" in error.message
        right = (("authorization", "Bearer a-secret"),)
        assert (await stub.ListModules(request, metadata=right)).modules


async def test_a_private_socket_needs_no_token(settings: Settings) -> None:
    async with (
        running_ledger(settings, open_log("error")),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        stub = ledger_pb2_grpc.LedgerServiceStub(channel)
        assert (await stub.ListModules(ledger_pb2.ListModulesRequest())).modules


async def test_reflection_lists_the_services_and_knows_their_files(client: Client) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    questions = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=BLOBS),
    ]
    listed, found = [answer async for answer in stub.ServerReflectionInfo(iter(questions))]
    names = {service.name for service in listed.list_services_response.service}
    assert {LEDGER, BLOBS, "grpc.health.v1.Health"} <= names
    assert found.file_descriptor_response.file_descriptor_proto


@pytest.mark.parametrize("service", ["", LEDGER, BLOBS])
async def test_health_is_told_and_watched_per_service(client: Client, service: str) -> None:
    async for status in statuses(client, service):
        if status == SERVING:
            break
    stub = health_pb2_grpc.HealthStub(client.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    assert answer.status == SERVING


async def statuses(client: Client, service: str) -> AsyncIterator[int]:
    """What a watcher of the health is told."""
    stub = health_pb2_grpc.HealthStub(client.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=30)
    async for answer in watch:
        yield answer.status


async def test_without_postgresql_it_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    postgres = await EmbeddedPostgres.open(tmp_path / "postgres")
    try:
        url = await postgres.create_database("ledger")
        await migrate_all(url)
        async with serving(settings_of(url, tmp_path)) as client:
            watched = statuses(client, LEDGER)
            while await anext(watched) != SERVING:
                pass
            postgres.child.kill()
            assert await anext(watched) == NOT_SERVING
            request = ledger_pb2.GetTotalsRequest(year=2024)
            error = await refused(client.ledger.GetTotals(request))
            assert (error.code, error.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
            # Files are served without it.
            blob = (await client.upload([b"x"])).blob
            assert await client.download(blob) == [b"x"]
            check = health_pb2.HealthCheckRequest(service=BLOBS)
            health = health_pb2_grpc.HealthStub(client.channel)
            assert (await health.Check(check)).status == SERVING
            await postgres.start()
            assert await anext(watched) == SERVING
            assert not (await client.ledger.GetTotals(request)).module_totals
    finally:
        await postgres.close()


async def test_a_deadline_that_is_hardly_there_harms_nobody(client: Client) -> None:
    request = ledger_pb2.GetTotalsRequest(year=2024)
    calls = [client.ledger.GetTotals(request, timeout=0.0001 * (i % 20)) for i in range(200)]
    codes = {await call.code() for call in calls}
    assert grpc.StatusCode.DEADLINE_EXCEEDED in codes
    assert codes <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.OK}
    assert not (await client.ledger.GetTotals(request)).module_totals


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"LEDGER_ADDRESS": ""}, "CARBONLINE_LEDGER_ADDRESS is missing"),
        ({"LEDGER_ADDRESS": "0.0.0.0:7401"}, "only loopback addresses"),
        ({"LEDGER_ADDRESS": "127.0.0.1:0"}, "needs CARBONLINE_TOKEN_FILE"),
        ({"LEDGER_DATABASE_URL": ""}, "CARBONLINE_LEDGER_DATABASE_URL is missing"),
        ({"TENANT": "../x"}, "CARBONLINE_TENANT"),
    ],
)
async def test_wrong_settings_are_refused_in_a_sentence(
    unwritten_database_url: str, tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsWrong, match=said):
        async with running_ledger(
            settings_of(unwritten_database_url, tmp_path, **wrong), open_log("error")
        ):
            pass


async def test_a_database_that_is_not_migrated_is_refused_in_a_sentence(
    empty_database_url: str, tmp_path: Path
) -> None:
    with pytest.raises(SchemaMissing, match="carbonline migrate"):
        async with running_ledger(settings_of(empty_database_url, tmp_path), open_log("error")):
            pass


async def test_a_database_that_is_not_there_is_refused(tmp_path: Path) -> None:
    settings = settings_of(f"postgresql:///x?host={tmp_path}", tmp_path)
    with pytest.raises(DatabaseUnavailable):
        async with running_ledger(settings, open_log("error")):
            pass
