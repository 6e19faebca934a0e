"""An upload that is given up leaves nothing behind at the sender, and one that fails says why."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import Unreachable
from carbonline.client.no_answer import Server
from carbonline.client.upload import answered_upload, upload_messages
from carbonline.v1 import blobs_pb2, types_pb2
from carbonline.v1.blobs_pb2_grpc import BlobServiceServicer, add_BlobServiceServicer_to_server

OPENING_SECONDS = 0.1


async def test_an_upload_cancelled_while_its_file_is_opened_leaves_it_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "flights.csv"
    path.write_bytes(b"x" * 1_000_000)
    messages = upload_messages(path, types_pb2.Scope(), "")
    assert (await anext(messages)).header.expected_sha256
    original, opened = Path.open, []

    def slowly(self: Path, mode: str) -> Any:
        time.sleep(OPENING_SECONDS)
        opened.append(self)
        return original(self, mode)

    monkeypatch.setattr(Path, "open", slowly)
    reading = asyncio.ensure_future(anext(messages))
    await asyncio.sleep(OPENING_SECONDS / 2)
    reading.cancel()
    await asyncio.wait({reading})
    await asyncio.get_running_loop().shutdown_default_executor()
    # What is left open says so when it is collected, which is an error here.
    gc.collect()
    assert opened == [path]


class Sink(BlobServiceServicer):
    """Takes everything, and says nothing of it."""

    async def UploadBlob(  # noqa: N802  the name is the contract's
        self, request_iterator: AsyncIterator[blobs_pb2.UploadBlobRequest], _context: object
    ) -> blobs_pb2.UploadBlobResponse:
        """Reads to the end."""
        async for _ in request_iterator:
            pass
        return blobs_pb2.UploadBlobResponse()


async def test_what_an_upload_is_read_from_fails_with_its_own_error(tmp_path: Path) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"x"
        raise OSError("the disk is gone")

    server = grpc.aio.server()
    sink = Sink()  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    add_BlobServiceServicer_to_server(sink, server)
    server.add_insecure_port(f"unix:{tmp_path}/s")
    await server.start()
    try:
        async with ContractClient("unix:/nobody", f"unix:{tmp_path}/s") as client:
            with pytest.raises(OSError, match="the disk is gone"):
                await client.upload_blob(breaks(), types_pb2.Scope())
    finally:
        await server.stop(0)


async def send_and_lose(messages: AsyncIterator[blobs_pb2.UploadBlobRequest]) -> None:
    """As gRPC, whose connection is lost with the last message: it cancels the call by itself."""
    async for _ in messages:
        pass
    raise asyncio.CancelledError


async def test_an_upload_that_lost_its_server_was_interrupted_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_bytes(b"x")
    messages = upload_messages(path, types_pb2.Scope(), "")
    with pytest.raises(Unreachable, match="The connection to the ledger at host:1 was lost"):
        await answered_upload(send_and_lose, messages, Server("ledger", "host:1"), 1.0)


async def test_an_upload_that_its_caller_interrupts_is_interrupted() -> None:
    begun = asyncio.Event()

    async def never(_messages: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def nothing() -> AsyncIterator[blobs_pb2.UploadBlobRequest]:
        return
        yield

    uploading = asyncio.create_task(
        answered_upload(never, nothing(), Server("ledger", "host:1"), 1.0)
    )
    await begun.wait()
    uploading.cancel()
    await asyncio.wait({uploading})
    assert uploading.cancelled()
