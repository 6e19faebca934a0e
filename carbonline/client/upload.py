"""Turns a file into the messages of an upload, and reads it off the event loop."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

from carbonline.client.calls import answered
from carbonline.client.errors import Unreachable
from carbonline.client.file_names import sent_name
from carbonline.client.no_answer import Server, no_answer
from carbonline.v1 import blobs_pb2, types_pb2

CHUNK_BYTES = 512 * 1024
FILE_NAME_CHARACTERS_MAX = 255


Answer = TypeVar("Answer")
# Called with the number of bytes handed to gRPC so far.
Sent: TypeAlias = Callable[[int], None]


def ignore_sent(_sent_bytes: int) -> None:
    """For uploads without a display of progress."""


async def upload_messages(
    source: Path | AsyncIterable[bytes],
    scope: types_pb2.Scope,
    file_name: str,
    sent: Sent = ignore_sent,
) -> AsyncIterator[blobs_pb2.UploadBlobRequest]:
    """The header, then chunks of at most CHUNK_BYTES. Raises OSError for an unreadable file."""
    header = blobs_pb2.BlobHeader(
        scope=scope, file_name=sent_name(file_name)[:FILE_NAME_CHARACTERS_MAX]
    )
    if isinstance(source, Path):
        header.expected_sha256 = await asyncio.to_thread(_sha256_of, source)
        source = _chunks_of(source)
    yield blobs_pb2.UploadBlobRequest(header=header)
    sent_bytes = 0
    async for piece in source:
        for start in range(0, len(piece), CHUNK_BYTES):
            chunk = piece[start : start + CHUNK_BYTES]
            yield blobs_pb2.UploadBlobRequest(chunk=chunk)
            # gRPC asks for the next chunk when it has taken this one.
            sent_bytes += len(chunk)
            sent(sent_bytes)


async def answered_upload(
    send: Callable[[AsyncIterator[blobs_pb2.UploadBlobRequest]], Awaitable[Answer]],
    messages: AsyncIterable[blobs_pb2.UploadBlobRequest],
    server: Server,
    seconds: float,
) -> Answer:
    """The answer to these messages, with a deadline of so many seconds. Raises ServerError, and
    whatever the messages raise.
    """
    failures: list[Exception] = []

    async def noted() -> AsyncIterator[blobs_pb2.UploadBlobRequest]:
        try:
            async for message in messages:
                yield message
        except Exception as error:
            failures.append(error)
            raise

    try:
        return await answered(send(noted()), server, seconds)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
    # gRPC cancels a call by itself if its messages fail, or its connection is lost with the last
    # one. To the caller it would look like a Ctrl-C.
    if failures:
        raise failures[0]
    raise Unreachable("UNAVAILABLE", "", no_answer(server, ""), {}, {}, server)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _chunks_of(path: Path) -> AsyncIterator[bytes]:
    # Not opened in a thread: if the caller were cancelled meanwhile, the file would stay open.
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
