"""Finds blobs that were uploaded long ago, and deletes them, while others upload the same bytes."""

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from worker_service.blobs.folder_lock import folder_locked
from worker_service.blobs.reference import BlobReference, ReferenceWrong, check_tenant
from worker_service.blobs.store import SUMMARY, BlobStore

LAST_LOOK = ".last_look"
_PRIVATE_FILE = 0o600
_TIME_BYTES = 20


def tenants(store: BlobStore) -> list[str]:
    """Whose blobs are stored. Blocks."""
    found = []
    for name in _names(store.folder):
        with suppress(ReferenceWrong):
            check_tenant(name)
            found.append(name)
    return found


def old_blobs(store: BlobStore, tenant: str, older_than_seconds: float) -> Iterator[BlobReference]:
    """The blobs of a tenant that were uploaded last so long ago, by their hash. Each step blocks.

    One of which only the summary is left is among them.
    """
    own = store.folder / tenant
    for prefix in _names(own):
        hashes = {name.removesuffix(SUMMARY) for name in _names(own / prefix)}
        for sha256 in sorted(hashes):
            with suppress(ReferenceWrong):
                reference = BlobReference(tenant, sha256)
                if _is_old(store, reference, older_than_seconds):
                    yield reference


def remove_blob(
    store: BlobStore, reference: BlobReference, older_than_seconds: float
) -> int | None:
    """Deletes a blob, unless it was uploaded again meanwhile. Blocks.

    Returns the size in bytes; None if the blob stays or is gone.
    """
    path = store.path(reference)
    with folder_locked(path.parent):
        if not _is_old(store, reference, older_than_seconds):
            return None
        size = path.stat().st_size if path.exists() else 0
        # The bytes first. If this process is killed behind them, the blob is missing, and not one
        # of which nothing is known; the next look deletes the summary.
        path.unlink(missing_ok=True)
        store.summary_path(reference).unlink(missing_ok=True)
    return size


class Turn:
    """The turn of one process to look for such blobs; no other one looks meanwhile.

    Ends with the context. `done` notes that it has seen all.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def done(self) -> None:
        """The next turn comes after the pause."""
        os.pwrite(self._handle, f"{time.time():{_TIME_BYTES}.3f}".encode(), 0)

    def seconds_since_last(self) -> float | None:
        """How long ago the last whole look was; None if no readable time is noted."""
        try:
            last = float(os.pread(self._handle, _TIME_BYTES, 0))
        except ValueError:
            return None
        return abs(time.time() - last) if math.isfinite(last) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._handle)


def take_turn(store: BlobStore, pause_seconds: float) -> Turn | None:
    """A turn; None while another process has it, and for `pause_seconds` after the last one.

    The first look of all waits as long, since processes of an older release, which renew no file's
    age, may still run beside this one. Raises OSError for a folder that cannot be used.
    """
    path = store.folder / LAST_LOOK
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    except FileNotFoundError:
        return None
    with ExitStack() as unless_taken:
        turn = unless_taken.enter_context(Turn(handle))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        since = turn.seconds_since_last()
        if since is None:
            turn.done()
            since = 0.0
        if since < pause_seconds:
            return None
        unless_taken.pop_all()
    return turn


def _is_old(store: BlobStore, reference: BlobReference, older_than_seconds: float) -> bool:
    """Whether the bytes, or the summary if there are none, are there and that old."""
    for path in (store.path(reference), store.summary_path(reference)):
        with suppress(FileNotFoundError):
            return path.stat().st_mtime < time.time() - older_than_seconds
    return False


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing if it is not there, or not a folder."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
