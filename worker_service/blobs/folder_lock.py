"""Keeps two processes from changing the same blobs at once, and tells folders of blobs apart."""

import fcntl
import os
import secrets
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
            _identify(handle)
    finally:
        os.close(handle)


def identity_of(folder: Path) -> str:
    """What tells this folder from others, even in the same place. "" if it has no identity yet.

    Raises OSError if the folder cannot be read.
    """
    try:
        return (folder / LOCK).read_text("ascii", errors="replace")
    except FileNotFoundError:
        return ""


@contextmanager
def folder_locked(folder: Path) -> Iterator[None]:
    """Nobody else stores or deletes blobs of this folder meanwhile, not even a thread of this
    process. Waits for those who do. The lock of a process that is killed is free.
    """
    handle = _opened(folder)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        _identify(handle)
        yield
    finally:
        os.close(handle)


def _identify(handle: int) -> None:
    if os.fstat(handle).st_size == 0:
        os.write(handle, secrets.token_hex(16).encode())


def _opened(folder: Path) -> int:
    # A file: over NFS, a folder cannot be locked.
    return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
