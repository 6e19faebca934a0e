"""Keeps two processes from changing the same blobs at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PRIVATE_FILE = 0o600
LOCK = ".lock"


def check_locks(folder: Path) -> None:
    """Raises OSError if the file system of the folder has no locks, or none now."""
    handle = _opened(folder)
    try:
        # Whoever has it meanwhile has shown that there are locks.
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Nobody else stores or deletes blobs of this folder meanwhile, not even a thread of this
    process. Waits for those who do. The lock of a process that is killed is free.
    """
    handle = _opened(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _opened(folder: Path) -> int:
    # A file: over NFS, a folder cannot be locked.
    return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
