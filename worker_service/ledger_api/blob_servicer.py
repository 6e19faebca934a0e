"""BlobService: uploads, downloads and describes files."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from google.protobuf import json_format

from carbonline.postgres.errors import DatabaseUnavailable
from carbonline.serving.errors import RpcError, Violation, invalid
from carbonline.serving.interceptor import Context, caller
from carbonline.serving.places import NoPlace, Places
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc
from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.reference import BlobReference, ReferenceWrong, read_reference
from worker_service.blobs.store import (
    BlobDamaged,
    BlobMissing,
    BlobTooLarge,
    Kept,
    ObjectStoreFailed,
    Upload,
)
from worker_service.blobs.summary import BlobSummary
from worker_service.ledger.blob_scopes import FileScope, note_scope, scopes_of_blob
from worker_service.ledger.pool import Ledger
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.threads import opened, whole

CHUNK_BYTES_MAX = 1 << 20
DOWNLOAD_CHUNK_BYTES = 512 << 10
FILE_NAME_CHARACTERS_MAX = 255
# Of one caller; of callers of the same tenants half as many again, of all twice as many.
STREAMS_MAX = 100
IDLE_SECONDS = 60.0
CANCELLATION_SECONDS = 0.01


class BlobServicer(blobs_pb2_grpc.BlobServiceServicer):
    """Serves BlobService; see the proto for what each RPC promises."""

    def __init__(
        self, store: AnyBlobStore, ledger: Ledger, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        """An upload ends with UPLOAD_IDLE if it sends nothing for `idle_seconds`.

        The ledger is asked for callers with limits, and for bytes that were sent before, alone.
        """
        self._store = store
        self._ledger = ledger
        self._idle_seconds = idle_seconds
        self._streams = Places(STREAMS_MAX)

    async def UploadBlob(
        self, request_iterator: AsyncIterator[blobs_pb2.UploadBlobRequest], _context: Context
    ) -> blobs_pb2.UploadBlobResponse:
        """Keep the whole file, or nothing of it."""
        with _faults_told():
            return await self._received(request_iterator)

    async def DownloadBlob(
        self, request: blobs_pb2.DownloadBlobRequest, _context: Context
    ) -> AsyncIterator[blobs_pb2.DownloadBlobResponse]:
        """Send the bytes, and check their sha256 after the last one."""
        reference = _reference(request.tenant, request.blob)
        with _faults_told():
            await self._check_limits(reference)
            with self._transfer():
                async with opened(self._store.open, reference) as reader:
                    while piece := await whole(reader.read, DOWNLOAD_CHUNK_BYTES):
                        yield blobs_pb2.DownloadBlobResponse(chunk=piece)

    async def StatBlob(
        self, request: blobs_pb2.StatBlobRequest, _context: Context
    ) -> blobs_pb2.StatBlobResponse:
        """Describe the file."""
        reference = _reference(request.tenant, request.blob)
        with _faults_told():
            summary = await asyncio.to_thread(self._store.summary, reference)
            return await self._as_told(_described(reference, summary), reference)

    async def _check_limits(self, reference: BlobReference) -> None:
        """Raises BlobMissing, or RpcError BLOB_NOT_FOUND for a file beyond the caller's limits."""
        if caller().is_limited:
            summary = await asyncio.to_thread(self._store.summary, reference)
            await self._as_told(_described(reference, summary), reference)

    async def _as_told(
        self, described: blobs_pb2.StatBlobResponse, reference: BlobReference
    ) -> blobs_pb2.StatBlobResponse:
        """What the caller may know of a file: of one that was first for a scope beyond theirs, what
        is known of it for one of theirs. Raises RpcError BLOB_NOT_FOUND if there is none.
        """
        if caller().covers(described.scope.module, described.scope.unit):
            return described
        for other in await scopes_of_blob(self._ledger, reference.tenant, str(reference)):
            if caller().covers(other["module"], other["unit"]):
                described.scope.Clear()
                described.scope.tenant = reference.tenant
                described.scope.module = other["module"]
                described.scope.data_entry_type = other["data_entry_type"]
                described.scope.year = other["year"]
                described.scope.unit = other["unit"] or ""
                described.file_name = other["file_name"]
                return described
        raise _concealed(reference)

    async def _received(
        self, requests: AsyncIterator[blobs_pb2.UploadBlobRequest]
    ) -> blobs_pb2.UploadBlobResponse:
        async with aclosing(self._in_time(requests)) as messages:
            with self._transfer():
                kept = await self._kept(messages)
        return blobs_pb2.UploadBlobResponse(
            blob=str(kept.reference), size_bytes=kept.size_bytes, already_stored=kept.already_stored
        )

    async def _kept(self, messages: AsyncGenerator[blobs_pb2.UploadBlobRequest, None]) -> Kept:
        header = await _header(messages)
        tenant = caller().tenant(header.scope.tenant, "header.scope.tenant")
        caller().check_scope(header.scope.module, header.scope.unit)
        scope = json_format.MessageToDict(header.scope, preserving_proto_field_name=True)
        async with opened(self._store.begin, tenant, header.file_name, scope) as upload:
            async for message in messages:
                await whole(upload.write, _chunk(message))
            # A lost connection looks like the stream's end, until the cancellation comes.
            await asyncio.sleep(CANCELLATION_SECONDS)
            _check_sha256(upload, header.expected_sha256)
            kept = await whole(upload.keep)
        if kept.described_before:
            await self._note(header, kept.reference)
        return kept

    async def _note(self, header: blobs_pb2.BlobHeader, reference: BlobReference) -> None:
        """The file is for this scope, too, if it was for another one first."""
        summary = await asyncio.to_thread(self._store.summary, reference)
        first, own = _described(reference, summary).scope, header.scope
        if (first.module, first.unit) != (own.module, own.unit):
            parts = (own.module, own.unit, own.data_entry_type, own.year)
            scope = FileScope(reference.tenant, *parts)
            await note_scope(self._ledger, scope, [(str(reference), header.file_name)])

    async def _in_time(
        self, requests: AsyncIterator[blobs_pb2.UploadBlobRequest]
    ) -> AsyncGenerator[blobs_pb2.UploadBlobRequest, None]:
        while True:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    message = await anext(requests, None)
            except TimeoutError:
                reason = (
                    f"you have sent nothing for {self._idle_seconds:g} s; upload the file again"
                )
                raise RpcError("UPLOAD_IDLE", reason) from None
            if message is None:
                return
            yield message

    @contextmanager
    def _transfer(self) -> Iterator[None]:
        try:
            with self._streams.one(caller().name, caller().tenants):
                yield
        except NoPlace:
            most = self._streams.each_max
            raise RpcError(
                "TOO_MANY_STREAMS",
                f"{most:,} files of yours, half as many again of your tenants, "
                "or twice as many of all callers, are in transfer; try again soon",
            ) from None


async def _header(messages: AsyncIterator[Any]) -> blobs_pb2.BlobHeader:
    first: blobs_pb2.UploadBlobRequest | None = await anext(messages, None)
    if first is None or first.WhichOneof("message") != "header":
        raise invalid([Violation("header", "must be the first message")])
    header = first.header
    fields = Fields()
    fields.scope("header.scope", header.scope)
    fields.text("header.file_name", header.file_name, FILE_NAME_CHARACTERS_MAX)
    expected = header.expected_sha256
    if expected and (len(expected) != 64 or set(expected.lower()) - set("0123456789abcdef")):
        fields.fail("header.expected_sha256", "must be 64 hexadecimal digits")
    fields.done()
    return header


def _chunk(message: blobs_pb2.UploadBlobRequest) -> bytes:
    if message.WhichOneof("message") != "chunk":
        raise invalid(
            [Violation("chunk", "must follow: every message after the header has a chunk")]
        )
    if len(message.chunk) > CHUNK_BYTES_MAX:
        size = len(message.chunk)
        raise RpcError(
            "TOO_LARGE",
            f"the chunk has {size:,} bytes; send at most {CHUNK_BYTES_MAX:,} per message",
            {"limit": str(CHUNK_BYTES_MAX), "size": str(size)},
            (Violation("chunk", f"at most {CHUNK_BYTES_MAX:,} bytes"),),
        )
    return message.chunk


def _check_sha256(upload: Upload, expected: str) -> None:
    if expected and upload.sha256 != expected.lower():
        reason = f"the uploaded bytes have the sha256 {upload.sha256}; upload the file again"
        raise invalid([Violation("header.expected_sha256", reason)])


def _reference(tenant: str, text: str) -> BlobReference:
    """The reference within the caller's tenant.

    Raises RpcError BLOB_NOT_FOUND for another tenant, as if the file did not exist.
    """
    is_own = tenant in ("", *caller().tenants)
    own = caller().tenant(tenant) if is_own else caller().tenants[0]
    try:
        reference = read_reference(own, text)
    except ReferenceWrong as error:
        raise invalid([Violation("blob", str(error))]) from None
    if not is_own:
        raise _concealed(reference)
    return reference


def _concealed(reference: BlobReference) -> RpcError:
    """The error for a file that the caller must not know of."""
    return RpcError("BLOB_NOT_FOUND", f"there is no {reference}", conceals=True)


@contextmanager
def _faults_told() -> Iterator[None]:
    """Every fault of the store as a caller is told it."""
    try:
        yield
    except BlobTooLarge as error:
        limit = {"limit": str(error.bytes_max)}
        raise RpcError("TOO_LARGE", str(error), limit) from None
    except BlobMissing as error:
        raise RpcError("BLOB_NOT_FOUND", str(error)) from None
    except BlobDamaged as error:
        raise RpcError("BLOB_DAMAGED", str(error)) from None
    except DatabaseUnavailable:
        # An OSError, too, and no fault of the store.
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            full = "the store of files is full; upload the file again later"
            raise RpcError("STORE_FULL", full) from error
        raise RpcError("STORE_UNAVAILABLE", f"{_reason_of(error)}; try again later") from error


def _reason_of(error: OSError) -> str:
    """What is wrong with the store. The words for a folder name no path of this machine."""
    for one in (error, error.__cause__):
        if isinstance(one, ObjectStoreFailed):
            return str(one.strerror)
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return f"the store of files cannot be used ({why})"


def _described(reference: BlobReference, summary: BlobSummary) -> blobs_pb2.StatBlobResponse:
    answer = blobs_pb2.StatBlobResponse(
        blob=str(reference), size_bytes=summary.size_bytes, file_name=summary.file_name
    )
    json_format.ParseDict(dict(summary.scope), answer.scope, ignore_unknown_fields=True)
    answer.created_at.FromDatetime(summary.created_at)
    return answer
