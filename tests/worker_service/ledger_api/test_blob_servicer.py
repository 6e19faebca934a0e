"""Files go in whole or not at all, and come out as they went in."""

import asyncio
import errno
import hashlib
import os
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest

from carbonline.serving.receiving import RESTS_OF_STRANGERS_MAX
from carbonline.v1 import blobs_pb2, types_pb2
from tests.worker_service.ledger_api.conftest import (
    BYTES_MAX,
    IDLE_SECONDS,
    Client,
    as_caller,
    refused,
    serving,
    until,
)
from worker_service.blobs.store import BlobStore
from worker_service.ledger_api import blob_servicer
from worker_service.settings import Settings

CONTENT = os.urandom(1_500_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PIECES = [CONTENT[start : start + 400_000] for start in range(0, len(CONTENT), 400_000)]
UNKNOWN = "blob:sha256:" + "0" * 64
SENDS_A_PART_AND_WAITS = """
import asyncio, sys, grpc.aio
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc

async def send():
    async with grpc.aio.insecure_channel(sys.argv[1]) as channel:
        call = blobs_pb2_grpc.BlobServiceStub(channel).UploadBlob()
        await call.write(blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader()))
        await call.write(blobs_pb2.UploadBlobRequest(chunk=b"half"))
        await asyncio.Event().wait()

asyncio.run(send())
"""


def stat(client: Client, blob: str, tenant: str = "", caller: str = "local") -> Any:
    request = blobs_pb2.StatBlobRequest(tenant=tenant, blob=blob)
    return client.blobs.StatBlob(request, metadata=as_caller(caller))


async def begun(client: Client) -> Any:
    """An upload of which a part has arrived at the server."""
    call = client.blobs.UploadBlob()
    await call.write(blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader()))
    await call.write(blobs_pb2.UploadBlobRequest(chunk=b"half"))
    await until(lambda: client.arriving() >= 0)
    return call


async def test_one_caller_transfers_so_many_files_and_another_still_can(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_servicer, "STREAMS_MAX", 1)
    async with serving(settings) as client:
        call = await begun(client)
        error = await refused(client.upload(PIECES))
        assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_STREAMS")
        assert error.retry_seconds > 0
        assert (await client.upload(PIECES, caller="other")).size_bytes == len(CONTENT)
        call.cancel()


async def test_a_message_of_more_than_two_chunks_is_not_even_received(client: Client) -> None:
    error = await refused(client.upload([bytes(3 * blob_servicer.CHUNK_BYTES_MAX)]))
    assert error.too_large
    assert client.files() == []


async def test_what_was_uploaded_is_told_of_and_comes_back(client: Client) -> None:
    scope = types_pb2.Scope(
        tenant="local", module=types_pb2.MODULE_PROFESSIONAL_TRAVEL, year=2024, unit="U1"
    )
    uploaded = await client.upload(PIECES, scope=scope, file_name="trips.csv")
    assert uploaded.blob == f"blob:sha256:{SHA256}"
    assert (uploaded.size_bytes, uploaded.already_stored) == (len(CONTENT), False)
    chunks = await client.download(uploaded.blob)
    assert b"".join(chunks) == CONTENT
    assert max(map(len, chunks)) <= 1 << 20
    summary = await stat(client, uploaded.blob)
    assert (summary.blob, summary.size_bytes) == (uploaded.blob, len(CONTENT))
    assert (summary.file_name, summary.scope) == ("trips.csv", scope)
    assert summary.created_at.ToDatetime().year >= 2024


async def test_an_empty_file_is_a_file(client: Client) -> None:
    uploaded = await client.upload([])
    assert uploaded.size_bytes == 0
    assert b"".join(await client.download(uploaded.blob)) == b""


async def test_the_same_bytes_give_the_same_reference(client: Client) -> None:
    first = await client.upload(PIECES, file_name="first.csv")
    again = await client.upload([CONTENT[:1_000_000], CONTENT[1_000_000:]], file_name="again.csv")
    assert (again.blob, again.already_stored) == (first.blob, True)
    assert (await stat(client, first.blob)).file_name == "first.csv"


async def test_the_same_file_twice_at_once_is_kept_once(client: Client) -> None:
    answers = await asyncio.gather(*[client.upload(PIECES) for _ in range(8)])
    assert {answer.blob for answer in answers} == {f"blob:sha256:{SHA256}"}
    assert client.files() == [SHA256, f"{SHA256}.json"]
    assert b"".join(await client.download(answers[0].blob)) == CONTENT


async def test_other_bytes_than_announced_are_refused_and_not_kept(client: Client) -> None:
    error = await refused(client.upload(PIECES[1:], expected_sha256=SHA256))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert list(error.fields) == ["header.expected_sha256"]
    assert client.files() == []
    assert (await client.upload(PIECES, expected_sha256=SHA256.upper())).size_bytes == len(CONTENT)


async def test_a_file_over_the_limit_is_refused_and_not_kept(client: Client) -> None:
    error = await refused(client.upload([b"x" * 1_000_000] * 3 + [b"x"]))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "TOO_LARGE")
    assert error.metadata == {"limit": str(BYTES_MAX)}
    assert client.files() == []
    assert (await client.upload([b"x" * 1_000_000] * 3)).size_bytes == BYTES_MAX


async def test_a_chunk_over_the_limit_is_refused_and_not_kept(client: Client) -> None:
    error = await refused(client.upload([b"x" * ((1 << 20) + 1)]))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "TOO_LARGE")
    assert error.metadata == {"limit": "1048576", "size": "1048577"}
    assert client.files() == []


async def test_a_cancelled_upload_leaves_nothing(client: Client) -> None:
    # Now and then a cancellation looks like the stream's end first.
    for _ in range(40):
        (await begun(client)).cancel()
        await until(lambda: client.arriving() < 0)
        assert client.files() == []


async def test_an_upload_whose_sender_is_killed_leaves_nothing(
    client: Client, settings: Settings
) -> None:
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDS_A_PART_AND_WAITS, settings.ledger_address
    )
    try:
        await until(lambda: client.arriving() >= 0, seconds=20)
    finally:
        sender.kill()
        await sender.wait()
    await until(lambda: client.arriving() < 0)
    assert client.files() == []


async def test_a_sender_that_falls_silent_is_let_go(client: Client) -> None:
    async def silent() -> AsyncIterator[blobs_pb2.UploadBlobRequest]:
        yield blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader())
        await asyncio.Event().wait()

    async with asyncio.timeout(IDLE_SECONDS + 10):
        error = await refused(client.blobs.UploadBlob(silent()))
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "UPLOAD_IDLE")
    assert client.files() == []


@pytest.mark.parametrize("tenant", ["", "local"])
async def test_an_unknown_file_is_not_found(client: Client, tenant: str) -> None:
    for call in (stat(client, UNKNOWN, tenant), client.download(UNKNOWN, tenant=tenant)):
        error = await refused(call)
        assert (error.code, error.reason) == ("NOT_FOUND", "BLOB_NOT_FOUND")
        assert UNKNOWN in error.message


async def test_another_tenants_file_is_as_unknown_as_one_that_is_not_there(client: Client) -> None:
    blob = (await client.upload(PIECES, caller="mine")).blob
    for tenant in ("", "mine", "../mine"):
        for call in (
            stat(client, blob, tenant, caller="yours"),
            client.download(blob, tenant=tenant, caller="yours"),
        ):
            error = await refused(call)
            assert (error.code, error.reason) == ("NOT_FOUND", "BLOB_NOT_FOUND")
            assert error.message == f"there is no {blob}"
    await client.upload(PIECES, caller="yours")
    assert (await refused(stat(client, blob, "mine", caller="yours"))).code == "NOT_FOUND"
    assert b"".join(await client.download(blob, tenant="mine", caller="mine")) == CONTENT


async def test_nobody_uploads_for_another_tenant(client: Client) -> None:
    error = await refused(client.upload(PIECES, scope=types_pb2.Scope(tenant="yours")))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")
    assert client.files() == []


@pytest.mark.parametrize("blob", ["", "trips.csv", "../../etc/passwd", "blob:sha256:12", "a\0b"])
async def test_what_names_no_file_is_a_wrong_field(client: Client, blob: str) -> None:
    for call in (stat(client, blob), client.download(blob)):
        error = await refused(call)
        assert (error.code, list(error.fields)) == ("INVALID_ARGUMENT", ["blob"])


async def test_all_that_is_wrong_with_a_header_is_said_at_once(client: Client) -> None:
    scope = types_pb2.Scope(year=24, unit="a\0b", reference_kind="x" * 65)
    scope.module = 99  # type: ignore[assignment]
    scope.data_entry_type = -1  # type: ignore[assignment]
    error = await refused(
        client.upload(PIECES, scope=scope, file_name="n" * 256, expected_sha256="12")
    )
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert set(error.fields) == {
        "header.scope.module",
        "header.scope.data_entry_type",
        "header.scope.year",
        "header.scope.unit",
        "header.scope.reference_kind",
        "header.file_name",
        "header.expected_sha256",
    }


HEADER = blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader())
CHUNK = blobs_pb2.UploadBlobRequest(chunk=b"x")


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([], "header"),
        ([CHUNK], "header"),
        ([blobs_pb2.UploadBlobRequest()], "header"),
        ([HEADER, HEADER], "chunk"),
        ([HEADER, CHUNK, blobs_pb2.UploadBlobRequest()], "chunk"),
    ],
)
async def test_an_upload_is_a_header_and_then_chunks(
    client: Client, requests: list[blobs_pb2.UploadBlobRequest], field: str
) -> None:
    error = await refused(client.blobs.UploadBlob(iter(requests)))
    assert (error.code, list(error.fields)) == ("INVALID_ARGUMENT", [field])
    assert client.files() == []


GARBAGE = b"\xff" * 50
AT_ONCE = 20
FOR_ANOTHER = blobs_pb2.UploadBlobRequest(
    header=blobs_pb2.BlobHeader(scope=types_pb2.Scope(tenant="another"))
)


@pytest.mark.parametrize(
    ("begin", "caller", "code"),
    [
        ([GARBAGE], "local", "INVALID_ARGUMENT"),
        ([HEADER.SerializeToString(), GARBAGE], "local", "INVALID_ARGUMENT"),
        ([FOR_ANOTHER.SerializeToString()], "local", "PERMISSION_DENIED"),
        ([HEADER.SerializeToString()], "nobody", "UNAUTHENTICATED"),
    ],
)
async def test_a_refused_sender_hears_why_although_it_still_sends(
    client: Client, begin: list[bytes], caller: str, code: str
) -> None:
    rest = blobs_pb2.UploadBlobRequest(chunk=bytes(200_000)).SerializeToString()
    method = "/carbonline.v1.BlobService/UploadBlob"
    # So many strangers at once find somebody who listens to the end.
    at_once = AT_ONCE if caller == "local" else RESTS_OF_STRANGERS_MAX
    call: Any = client.channel.stream_unary(method)
    for _ in range(10):
        calls = [
            refused(call(iter([*begin, *[rest] * 5]), metadata=as_caller(caller)))
            for _ in range(at_once)
        ]
        assert {error.code for error in await asyncio.gather(*calls)} == {code}


async def test_bytes_that_changed_on_disk_are_not_passed_on_as_good(client: Client) -> None:
    blob = (await client.upload(PIECES)).blob
    (stored,) = (path for path in client.folder.rglob(SHA256))
    stored.write_bytes(b"lies")
    error = await refused(client.download(blob))
    assert (error.code, error.reason) == ("DATA_LOSS", "BLOB_DAMAGED")
    assert error.message.endswith("upload the file again, which mends it")


async def test_every_fault_of_the_folder_is_told_and_none_is_a_bug(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = (await client.upload(PIECES)).blob
    fault = OSError()

    def fails(*_: object) -> NoReturn:
        raise fault

    def calls() -> list[Any]:
        return [client.upload([b"another"]), client.download(blob), stat(client, blob)]

    with monkeypatch.context() as patched:
        patched.setattr(BlobStore, "path", fails)
        for number in (errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EIO, errno.ESTALE):
            fault.errno = number
            told = [await refused(call) for call in calls()]
            assert {(error.code, error.reason) for error in told} == {
                ("UNAVAILABLE", "STORE_UNAVAILABLE")
            }
            wanted = f"the store of files cannot be used ({os.strerror(number)}); try again later"
            assert {error.message for error in told} == {wanted}
        for number in (errno.ENOSPC, errno.EDQUOT):
            fault.errno = number
            assert (await refused(client.upload([b"another"]))).reason == "STORE_FULL"
    (client.folder / "local").rename(client.folder / "moved")
    (client.folder / "local").write_bytes(b"no folder")
    told = [await refused(call) for call in calls()]
    assert {error.reason for error in told} == {"STORE_UNAVAILABLE"}


@pytest.mark.parametrize("damage", [b"lies", bytes(sum(map(len, PIECES)))])
async def test_a_damaged_file_is_mended_by_uploading_it_again(
    client: Client, damage: bytes
) -> None:
    first = await client.upload(PIECES)
    (stored,) = (path for path in client.folder.rglob(SHA256))
    stored.write_bytes(damage)
    again = await client.upload(PIECES)
    assert (again.blob, again.already_stored) == (first.blob, False)
    assert b"".join(await client.download(again.blob)) == b"".join(PIECES)
    assert (await client.upload(PIECES)).already_stored


async def test_a_reader_that_goes_away_frees_its_file(client: Client) -> None:
    blob = (await client.upload(PIECES)).blob
    for _ in range(20):
        call = client.blobs.DownloadBlob(blobs_pb2.DownloadBlobRequest(blob=blob))
        await anext(aiter(call))
        call.cancel()
    # An open file that nobody closes is a warning, and a warning fails the test.
    assert b"".join(await client.download(blob)) == CONTENT


async def test_what_dead_processes_left_is_collected(settings: Settings) -> None:
    half = settings.blob_folder / "local" / ".incoming" / "half"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"never kept")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(half, (two_days_ago, two_days_ago))
    async with serving(settings):
        await until(lambda: not half.exists())
