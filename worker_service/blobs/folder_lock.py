"""Keeps two processes from changing the same blobs at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PRIVATE_FILE = 0o600
LOCK = ".lock"


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Nobody else stores or deletes blobs of this folder meanwhile, not even a thread of this
    process. Waits for those who do. The lock of a process that is killed is free.
    """
    # A file: over NFS, a folder cannot be locked.
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
