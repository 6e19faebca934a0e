"""What the jobs of a worker need: the ledger's database, its blobs and room for temporary files."""

import asyncio
import errno
import os
import tempfile

import asyncpg

from carbonline.postgres.errors import DatabaseUnavailable
from carbonline.postgres.full_disk import DISK_FULL, is_full
from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.store import BlobFolderUnusable, ObjectStoreFailed
from worker_service.carbon.workbooks.room import NoRoomForText
from worker_service.ledger.canary import Canary
from worker_service.mechanics.readiness import NotUsable

# The database itself cannot be used, whoever asks.
_OF_THE_DATABASE: tuple[type[Exception], ...] = (
    asyncpg.ReadOnlySQLTransactionError,
    # No memory, no connection left.
    asyncpg.InsufficientResourcesError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    ConnectionRefusedError,
)
# A full or read-only disk, a lost network folder, no file handles left.
_OF_THE_DISK = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EROFS,
        errno.ESTALE,
        errno.ENOTCONN,
        errno.EMFILE,
        errno.ENFILE,
    }
)


_TEMPORARY = "temporary files"
# The text of a small workbook; a larger one may still find no room.
_FREE_BYTES_MIN = 16 << 20


def _has_no_room(folder: str) -> bool:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize < _FREE_BYTES_MIN


class LedgerAndBlobs:
    """Implements worker_service.mechanics.readiness.Needs, which documents each method."""

    def __init__(self, canary: Canary, blobs: AnyBlobStore) -> None:
        self._canary = canary
        self._blobs = blobs
        self._blobs_look: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Looks at all. Raises NotUsable, whose message begins with what is to blame."""
        if _has_no_room(tempfile.gettempdir()):
            raise NotUsable(f"{_TEMPORARY}: the disk is full")
        try:
            await self._canary.look()
        except DatabaseUnavailable as error:
            raise NotUsable(f"ledger: {error}") from error
        # A thread that hangs in a lost network folder cannot be cancelled, and is not doubled.
        if self._blobs_look is None or self._blobs_look.done():
            self._blobs_look = asyncio.create_task(asyncio.to_thread(self._blobs.check_usable))
        try:
            await asyncio.shield(self._blobs_look)
        except BlobFolderUnusable as error:
            raise NotUsable(f"blobs: {error}") from error

    def blamed(self, error: BaseException) -> str:
        """What is to blame, judged by the error alone."""
        if is_full(error):
            self._canary.note_full()
            return f"ledger: {DISK_FULL}"
        if isinstance(error, DatabaseUnavailable):
            known = isinstance(error.__cause__, _OF_THE_DATABASE)
            return f"ledger: {str(error.__cause__).partition(chr(10))[0]}" if known else ""
        if isinstance(error, NoRoomForText):
            return f"{_TEMPORARY}: {error.strerror}"
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            return f"blobs: {_reason_of(error, error.errno)}"
        return ""


def _reason_of(error: OSError, number: int) -> str:
    """An object store has its own words: it is not a device of this machine."""
    for one in (error, error.__cause__):
        if isinstance(one, ObjectStoreFailed):
            return str(one.strerror)
    return os.strerror(number)
