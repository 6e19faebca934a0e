"""Blobs in a folder: written under a temporary name, then kept under their SHA-256."""

import errno
import hashlib
import os
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from worker_service.blobs.folder_lock import check_locks, folder_locked, identity_of
from worker_service.blobs.reference import BlobReference, check_tenant
from worker_service.blobs.summary import BlobSummary, SummaryDamaged

BLOB_BYTES_MAX = 2 << 30
SUMMARY = ".json"
_INCOMING = ".incoming"
_PRIVATE_FOLDER = 0o700
# With less room, the next file would not fit.
_FREE_BYTES_MIN = 16 << 20
# An upload that is still being written cannot be this old.
_ABANDONED_SECONDS = 24 * 3600


class BlobMissing(Exception):
    """The tenant does not have this blob."""


class BlobDamaged(Exception):
    """The stored bytes do not match the blob's hash, or what is known of it cannot be read."""

    @classmethod
    def in_summary(cls, reference: BlobReference) -> Self:
        """The error for a summary that is gone or damaged."""
        return cls(f"what is known of {reference} is lost: upload the file again, which mends it")


class BlobUnreadable(OSError):
    """The disk does not give the blob's bytes now. A fault of the disk, with its `errno`."""

    def __init__(self, reference: BlobReference, error: OSError) -> None:
        why = error.strerror or type(error).__name__
        super().__init__(f"the stored bytes of {reference} cannot be read: {why}")
        self.errno = error.errno


class ObjectStoreFailed(OSError):
    """An object store does not do what it is asked now. The message is a sentence for people."""


class BlobFolderUnusable(Exception):
    """Nothing can be stored in the folder now. The message says why."""


class BlobTooLarge(Exception):
    """An upload is larger than `bytes_max`."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"a file may have at most {bytes_max:,} bytes")
        self.bytes_max = bytes_max


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished upload. `already_stored` if the tenant had uploaded the same bytes before.

    `described_before` if what is known of the blob is what an earlier upload said of it.
    """

    reference: BlobReference
    size_bytes: int
    already_stored: bool
    described_before: bool


class BlobStore:
    """Blobs by tenant and SHA-256, in a folder shared by the ledger process and all workers.

    An upload has at most `bytes_max` bytes. All methods block: call them off the event loop.
    """

    def __init__(self, folder: Path, bytes_max: int = BLOB_BYTES_MAX) -> None:
        self.folder = folder
        self.bytes_max = bytes_max
        # Of the folder that was usable first. A share that is not mounted leaves another one.
        self._identity = ""

    def begin(
        self, tenant: str, file_name: str = "", scope: Mapping[str, Any] | None = None
    ) -> "Upload":
        """Begins an upload. Use it as a context manager. Raises ReferenceWrong for a bad tenant."""
        check_tenant(tenant)
        incoming = self.folder / tenant / _INCOMING
        incoming.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
        summary = BlobSummary(file_name, 0, datetime.now(UTC), scope or {})
        return FolderUpload(self, tenant, summary, incoming / secrets.token_hex(16))

    def open(self, reference: BlobReference) -> "BlobReader":
        """Opens a blob for reading. Raises BlobMissing or BlobUnreadable."""
        try:
            opened = self.path(reference).open("rb", buffering=0)
        except FileNotFoundError:
            if self._is_another_folder():
                gone = OSError(errno.ESTALE, "the folder of blobs has gone")
                raise BlobUnreadable(reference, gone) from None
            raise BlobMissing(f"there is no {reference}") from None
        except OSError as error:
            raise BlobUnreadable(reference, error) from error
        self._identity = self._identity or identity_of(self.folder)
        return BlobReader(reference, opened)

    def _is_another_folder(self) -> bool:
        """Whether the folder that was used before has gone, or another one stands in its place."""
        return bool(self._identity) and identity_of(self.folder) != self._identity

    def check_usable(self) -> None:
        """Raises BlobFolderUnusable if the folder is missing, full, read-only or has no locks.

        The first look makes the folder. Later ones look for this very folder.
        """
        try:
            if not self._identity:
                self.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            if self._is_another_folder():
                raise BlobFolderUnusable(
                    f"{self.folder} is not the folder that was used before, or is missing: mount it"
                    " again; to use what is there now, restart this process"
                )
            disk = os.statvfs(self.folder)
        except OSError as error:
            raise BlobFolderUnusable(error.strerror or type(error).__name__) from error
        if disk.f_flag & os.ST_RDONLY or not os.access(self.folder, os.W_OK | os.X_OK):
            raise BlobFolderUnusable("the folder is not writable")
        if disk.f_bavail * disk.f_frsize < _FREE_BYTES_MIN:
            raise BlobFolderUnusable("the disk is full")
        try:
            check_locks(self.folder)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise BlobFolderUnusable(
                f"a file in the folder cannot be locked ({why}): use a file system that has locks"
            ) from error
        self._identity = self._identity or identity_of(self.folder)

    def summary(self, reference: BlobReference) -> BlobSummary:
        """Reads what is known of a blob.

        Raises BlobMissing, BlobUnreadable, or BlobDamaged for what is gone or cannot be read.
        """
        self.open(reference).close()
        try:
            return BlobSummary.of_stored(self.summary_path(reference).read_bytes())
        except (FileNotFoundError, SummaryDamaged):
            # It may have been deleted meanwhile, and then both are gone.
            self.open(reference).close()
            raise BlobDamaged.in_summary(reference) from None
        except OSError as error:
            raise BlobUnreadable(reference, error) from error

    def collect_abandoned_uploads(self, older_than_seconds: float = _ABANDONED_SECONDS) -> int:
        """Deletes parts of uploads whose process has died. Returns how many files.

        A part counts as abandoned when nothing was written to it for `older_than_seconds`.
        """
        ended = 0
        before = time.time() - older_than_seconds
        for path in self.folder.glob(f"*/{_INCOMING}/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    ended += 1
        return ended

    def path(self, reference: BlobReference) -> Path:
        """The file with the bytes. Two levels of folders keep each of them small."""
        return self.folder / reference.tenant / reference.sha256[:2] / reference.sha256

    def summary_path(self, reference: BlobReference) -> Path:
        """The file with the summary."""
        return self.path(reference).with_suffix(SUMMARY)


class Upload(ABC):
    """A file that is being written. Nothing of it stays unless `keep` returns."""

    def __init__(self, bytes_max: int, tenant: str, summary: BlobSummary, file: IO[bytes]) -> None:
        self._bytes_max = bytes_max
        self._tenant = tenant
        self._summary = summary
        self._file = file
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes written so far, as hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Writes the next bytes. Raises BlobTooLarge over the limit."""
        if self.size_bytes + len(piece) > self._bytes_max:
            raise BlobTooLarge(self._bytes_max)
        self._file.write(piece)
        self._hash.update(piece)
        self.size_bytes += len(piece)

    @abstractmethod
    def keep(self) -> Kept:
        """Makes the upload a blob, which counts as uploaded now. The first summary of the same
        bytes stays, unless it is damaged. Raises OSError.
        """


class FolderUpload(Upload):
    """A file in the folder that nobody sees yet."""

    def __init__(self, store: BlobStore, tenant: str, summary: BlobSummary, passing: Path) -> None:
        super().__init__(store.bytes_max, tenant, summary, passing.open("xb"))
        self._store = store
        self._passing = passing

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._passing.unlink(missing_ok=True)

    def keep(self) -> Kept:
        """Makes the upload a blob, synced to disk. The first summary of the same bytes stays,
        and so do the first bytes, unless they are damaged: then these take their place. The bytes
        that stay count as uploaded now. Raises OSError.
        """
        reference = BlobReference(self._tenant, self.sha256)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        target, summary = self._store.path(reference), self._store.summary_path(reference)
        target.parent.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
        # Outside the lock, since it reads the whole file.
        is_whole = _is_whole(target, reference.sha256, self.size_bytes)
        with folder_locked(target.parent):
            # The summary first: whoever sees the bytes sees it too.
            mends = not (target.is_file() and _is_summary(summary))
            if mends:
                self._write_summary(summary)
            stays = is_whole and _touched(target)
            if not stays:
                self._passing.replace(target)
            if mends or not stays:
                for folder in (target.parent, target.parent.parent):
                    _sync_folder(folder)
        return Kept(reference, self.size_bytes, already_stored=stays, described_before=not mends)

    def _write_summary(self, target: Path) -> None:
        passing = self._passing.with_suffix(SUMMARY)
        with passing.open("xb") as file:
            file.write(self._summary.to_store(self.size_bytes))
            file.flush()
            os.fsync(file.fileno())
        passing.replace(target)


class Readable(Protocol):
    """The stored bytes of a blob."""

    def read(self, size: int, /) -> bytes:
        """Reads at most `size` bytes; none at the end. Raises OSError."""
        ...

    def close(self) -> None:
        """Ends the reading."""
        ...


class BlobReader:
    """Reads a blob once from start to end. The hash is checked at the end."""

    def __init__(self, reference: BlobReference, file: Readable) -> None:
        self._reference = reference
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        """Reads at most `size` bytes; none at the end.

        Raises BlobDamaged if the hash differs, BlobUnreadable if the disk fails.
        """
        try:
            piece = self._file.read(size)
        except OSError as error:
            raise BlobUnreadable(self._reference, error) from error
        self._hash.update(piece)
        self.bytes_read += len(piece)
        if not piece and size and self._hash.hexdigest() != self._reference.sha256:
            raise BlobDamaged(
                f"the stored bytes of {self._reference} are not those uploaded: upload the file"
                " again, which mends it"
            )
        return piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _is_whole(path: Path, sha256: str, size_bytes: int) -> bool:
    """Whether the file is there and has these bytes."""
    try:
        with path.open("rb") as file:
            same_size = os.fstat(file.fileno()).st_size == size_bytes
            return same_size and hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _is_summary(path: Path) -> bool:
    """Whether there is a summary that can be read."""
    try:
        BlobSummary.of_stored(path.read_bytes())
    except (FileNotFoundError, SummaryDamaged):
        return False
    return True


def _touched(path: Path) -> bool:
    """Whether the file is still there. If so, it counts as written now, on disk too."""
    try:
        with path.open("rb") as file:
            os.utime(file.fileno())
            os.fsync(file.fileno())
    except FileNotFoundError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
