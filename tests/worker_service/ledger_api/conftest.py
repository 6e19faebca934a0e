"""A ledger process that serves on a unix socket, and a client's stubs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import ServerError, server_error
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.serving.auth.principals import Principal
from carbonline.serving.logs import open_log
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc, ledger_pb2, ledger_pb2_grpc, types_pb2
from tests.conftest import to_its_end
from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.blobs.folder_lock import LOCK
from worker_service.blobs.store import BlobStore
from worker_service.ledger.fences import Publication, publication
from worker_service.ledger.pool import open_ledger
from worker_service.ledger.units import save_units
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import Settings, read_settings

BYTES_MAX = 3_000_000
IDLE_SECONDS = 1.0
ALL_RPCS = [
    f"/{service.full_name}/{method.name}"
    for file in (ledger_pb2, blobs_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


class ByTenantToken:
    """Who sends `Bearer NAME` is the principal of tenant NAME; without it, of tenant local."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        name = authorization.removeprefix("Bearer ") or "local"
        return None if name == "nobody" else Principal(name, (name,))


@dataclass(frozen=True)
class Client:
    """Stubs on one channel, and the files that the server keeps."""

    channel: grpc.aio.Channel
    # One class for sync and async stubs at run time; what comes back is asserted anyway.
    ledger: Any
    blobs: Any
    folder: Path

    async def upload(
        self,
        pieces: Iterable[bytes],
        *,
        caller: str = "local",
        scope: types_pb2.Scope | None = None,
        **header: str,
    ) -> blobs_pb2.UploadBlobResponse:
        """A whole upload: the header, then the pieces."""
        first = blobs_pb2.BlobHeader(scope=scope, **header)
        requests = [
            blobs_pb2.UploadBlobRequest(header=first),
            *(blobs_pb2.UploadBlobRequest(chunk=piece) for piece in pieces),
        ]
        answer: blobs_pb2.UploadBlobResponse = await self.blobs.UploadBlob(
            iter(requests), metadata=as_caller(caller)
        )
        return answer

    async def download(self, blob: str, *, tenant: str = "", caller: str = "local") -> list[bytes]:
        """The chunks of a file."""
        request = blobs_pb2.DownloadBlobRequest(tenant=tenant, blob=blob)
        answers = self.blobs.DownloadBlob(request, metadata=as_caller(caller))
        return [answer.chunk async for answer in answers]

    async def send_bytes(self, method: str, data: bytes, caller: str = "local") -> Any:
        """Call a method with bytes as they are; the first answer, if it streams."""
        call: Any
        metadata = as_caller(caller)
        match method.rpartition("/")[2]:
            case "DownloadBlob":
                call = self.channel.unary_stream(method)
                return await anext(aiter(call(data, metadata=metadata)))
            case "UploadBlob":
                call = self.channel.stream_unary(method)
                return await call(iter([data]), metadata=metadata)
            case _:
                call = self.channel.unary_unary(method)
                return await call(data, metadata=metadata)

    def files(self) -> list[str]:
        """The names of all files that the server keeps, however they came to be; no locks."""
        files = (path.name for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in files if name != LOCK)

    def arriving(self) -> int:
        """Bytes of uploads that are not whole yet; -1 where no upload is on its way."""
        sizes = [path.stat().st_size for path in self.folder.glob("*/.incoming/*")]
        return sum(sizes) if sizes else -1


def as_caller(name: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a caller."""
    return (("authorization", f"Bearer {name}"),)


async def refused(call: Any) -> ServerError:
    """How a call was refused, never as our own fault."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error = server_error(raised.value)
    assert error.code not in {"INTERNAL", "UNKNOWN"}, error
    return error


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Looks until it holds; TimeoutError after the given time."""
    async with asyncio.timeout(seconds):
        # Files and servers of other processes tell nobody.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
def unwritten_database_url(cluster: EmbeddedPostgres, migrated_template: str) -> str:
    """A migrated database with a unit, for all tests that write nothing into it."""
    url = to_its_end(cluster.create_database("ledger", migrated_template))
    to_its_end(_with_a_unit(url))
    return url


async def _with_a_unit(database_url: str) -> None:
    ledger = await open_ledger(database_url, application_name="test")
    try:
        wanted = Publication("local", ["units"], claim_token=1, seconds_left=lambda: 30.0)
        async with publication(ledger, wanted) as conn:
            await save_units(conn, "local", ["0828"], ["Physics"], claim_token=1)
    finally:
        await ledger.close()


@pytest.fixture
def settings(unwritten_database_url: str, tmp_path: Path) -> Settings:
    """Settings of a ledger process whose drain waits for nobody."""
    return settings_of(unwritten_database_url, tmp_path)


def settings_of(database_url: str, folder: Path, **more: str) -> Settings:
    """Settings of a ledger process below a folder."""
    given = {
        "LEDGER_DATABASE_URL": database_url,
        "LEDGER_ADDRESS": f"unix:{folder}/s",
        "BLOB_FOLDER": str(folder / "blobs"),
        "DRAIN_GRACE_SECONDS": "0",
        **more,
    }
    environment = {f"CARBONLINE_{name}": value for name, value in given.items()}
    return read_settings(environment, "ledger")


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[Client]:
    """A client of a serving ledger process."""
    async with serving(settings) as client:
        yield client


@pytest.fixture
async def driver(database_url: str) -> AsyncIterator[LedgerDriver]:
    """Drives the ledger that a process serves."""
    ledger = await open_ledger(database_url, application_name="test")
    driver = LedgerDriver(ledger)
    await driver.publish(1, "units", lambda c: save_units(c, TENANT, ["0828"], ["Physics"], 1))
    yield driver
    await ledger.close()


@pytest.fixture
async def book_client(
    driver: LedgerDriver, database_url: str, tmp_path: Path
) -> AsyncIterator[Client]:
    """A client of a ledger process on the same database as `driver`."""
    async with serving(settings_of(database_url, tmp_path)) as client:
        yield client


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Client]:
    """A ledger process and a client of it."""
    async with outlasting(settings) as (client, _):
        yield client


@asynccontextmanager
async def outlasting(
    settings: Settings,
) -> AsyncIterator[tuple[Client, Callable[[], Awaitable[None]]]]:
    """A client that outlasts its ledger process, and how that is told to end."""
    blobs = BlobStore(settings.blob_folder, bytes_max=BYTES_MAX)
    log = open_log("error")
    async with (
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
        AsyncExitStack() as stack,
    ):
        await stack.enter_async_context(
            running_ledger(settings, log, ByTenantToken(), blobs, IDLE_SECONDS)
        )
        client = Client(
            channel,
            ledger_pb2_grpc.LedgerServiceStub(channel),
            blobs_pb2_grpc.BlobServiceStub(channel),
            settings.blob_folder,
        )
        yield client, stack.aclose
