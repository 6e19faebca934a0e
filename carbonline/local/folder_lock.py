"""Locks a folder until its holder ends, even by kill -9."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbonline.local.errors import WrongChoice

LOCK_FILE = "in-use"


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Locks the folder, which is made if it is missing.

    Raises WrongChoice, which names the holder, if another process has locked it.
    """
    # For root, PostgreSQL may have to run as another user, who must be able to pass through.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            raise WrongChoice(
                f"The folder {folder} is in use by process {holder}. "
                "Stop that one first, or choose another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def folder_is_locked(folder: Path) -> bool:
    """Whether a process holds the lock of the folder now."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
