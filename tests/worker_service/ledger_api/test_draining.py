"""How a ledger process ends: told so, it finishes what it can and says to come again."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from carbonline.serving.background import BackgroundTaskEnded
from carbonline.serving.logs import open_log
from carbonline.v1 import blobs_pb2, ledger_pb2
from tests.carbonline.serving import processes
from tests.worker_service.ledger_api.conftest import Client, outlasting, refused, settings_of, until
from worker_service.blobs.store import BlobStore
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import Settings

# More than all the buffers between the server and a reader that does not read.
LARGE_BYTES = 64_000_000
SECONDS = 20.0


async def begin_upload(client: Client) -> Any:
    call = client.blobs.UploadBlob()
    await call.write(blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader()))
    await call.write(blobs_pb2.UploadBlobRequest(chunk=b"a,b\n"))
    await until(lambda: client.arriving() >= 0)
    return call


async def watch_health(client: Client) -> Any:
    """A watch that has been told of a server that serves."""
    stub = health_pb2_grpc.HealthStub(client.channel)
    watch = aiter(stub.Watch(health_pb2.HealthCheckRequest()))
    async with asyncio.timeout(SECONDS):
        while (await anext(watch)).status != health_pb2.HealthCheckResponse.SERVING:
            pass
    return watch


async def test_an_upload_under_way_is_told_to_come_again_and_leaves_nothing(
    settings: Settings,
) -> None:
    async with outlasting(settings) as (client, end):
        call = await begin_upload(client)
        async with asyncio.timeout(SECONDS):
            await end()
            error = await refused(call)
        assert (error.code, error.reason) == ("UNAVAILABLE", "DRAINING")
        assert client.files() == []


async def test_an_upload_that_ends_in_time_is_kept(
    unwritten_database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(unwritten_database_url, tmp_path, DRAIN_GRACE_SECONDS="60")
    async with outlasting(settings) as (client, end):
        call = await begin_upload(client)
        health = await watch_health(client)
        ending = asyncio.ensure_future(end())
        told = await anext(health)
        assert told.status == health_pb2.HealthCheckResponse.NOT_SERVING
        await refused(anext(health))
        await call.write(blobs_pb2.UploadBlobRequest(chunk=b"1,2\n"))
        await call.done_writing()
        assert (await call).size_bytes == 8
        await asyncio.wait_for(ending, SECONDS)
        assert len(client.files()) == 2


async def test_a_download_that_nobody_reads_holds_up_no_end(settings: Settings) -> None:
    async with outlasting(settings) as (client, end):
        with BlobStore(client.folder).begin("local") as upload:
            upload.write(bytes(LARGE_BYTES))
            blob = str(upload.keep().reference)
        call = client.blobs.DownloadBlob(blobs_pb2.DownloadBlobRequest(blob=blob))
        chunks = aiter(call)
        await anext(chunks)
        await asyncio.wait_for(end(), SECONDS)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in chunks:
                pass
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_watchers_of_the_health_are_told_first(settings: Settings) -> None:
    async with outlasting(settings) as (client, end):
        watch = await watch_health(client)
        await asyncio.wait_for(end(), SECONDS)
        told = await anext(watch)
        assert told.status == health_pb2.HealthCheckResponse.NOT_SERVING
        error = await refused(anext(watch))
        assert (error.code, error.reason) == ("UNAVAILABLE", "DRAINING")


async def test_a_new_call_is_told_to_come_again(settings: Settings) -> None:
    async with outlasting(settings) as (client, end):
        await client.ledger.ListModules(ledger_pb2.ListModulesRequest())
        await end()
        error = await refused(client.ledger.ListModules(ledger_pb2.ListModulesRequest()))
        assert error.code == "UNAVAILABLE"


async def test_the_process_serves_until_sigterm_and_ends_with_0(
    unwritten_database_url: str, tmp_path: Path
) -> None:
    settings = processes.settings_of(unwritten_database_url, tmp_path)
    address = settings["LEDGER_ADDRESS"]
    async with processes.process(*processes.PROGRAMS["ledger"], **settings) as started:
        line = await processes.line_like(started, lambda line: line["event"] == "ledger_started")
        assert line["address"] == address
        async with grpc.aio.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        lines = await processes.lines_to_the_end(started)
        assert lines[-1]["event"] == "ledger_stopped"
        assert started.returncode == 0


async def test_a_process_that_cannot_serve_says_why_in_a_line_and_ends_with_2(
    unwritten_database_url: str, tmp_path: Path
) -> None:
    settings = processes.settings_of(unwritten_database_url, tmp_path)
    settings["LEDGER_ADDRESS"] = "1.2.3.4:5"
    async with processes.process(*processes.PROGRAMS["ledger"], **settings) as started:
        _, said = await asyncio.wait_for(started.communicate(), SECONDS)
        assert started.returncode == 2
        assert said.decode().count("\n") == 1
        assert "only loopback addresses" in said.decode()


async def test_a_background_task_that_ends_ends_the_process(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(_self: BlobStore) -> int:
        raise ValueError("a defect")

    monkeypatch.setattr(BlobStore, "collect_abandoned_uploads", defect)
    settings = settings_of(database_url, tmp_path)
    with pytest.raises(BackgroundTaskEnded, match="'collect' ended"):
        async with running_ledger(settings, open_log("error")) as running:
            await asyncio.wait_for(running.background.run_until(asyncio.Event()), SECONDS)
