"""Removes folders of sockets that killed owners left in a shared temporary folder."""

import contextlib
import os
import re
import socket
import stat
from itertools import islice
from pathlib import Path

from carbonline.local.errors import LocalStackError
from carbonline.local.folder_lock import LOCK_FILE, locked_folder

# Names the data folder that a folder of sockets serves.
RECORD = "of"
LOOKED_AT_MAX = 500
_OURS = re.compile(r"scheduler\.sock|ledger\.sock|\.s\.PGSQL\.\d+|\.s\.PGSQL\.\d+\.lock")


def remove_stale(parent: Path, name_begin: str) -> None:
    """Removes this user's folders whose data folder nobody holds, by the beginning of their name.

    A folder with anything unexpected stays: no record, another owner, an unknown file, or a socket
    that somebody answers.
    """
    for folder in islice(parent.glob(f"{name_begin}*"), LOOKED_AT_MAX):
        # Another owner may start, or clean up, at the same moment.
        with contextlib.suppress(OSError, LocalStackError):
            _remove_if_stale(folder)


def _remove_if_stale(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return
    served = Path((folder / RECORD).read_text())
    if not served.is_absolute():
        # Its owner is about to write the record.
        return
    if not (served / LOCK_FILE).exists():
        # The data folder is gone, so nobody can hold its lock.
        _remove(folder)
        return
    # Locked meanwhile, so that no owner starts to use the folder. Fails if one already does.
    with locked_folder(served):
        _remove(folder)


def _remove(folder: Path) -> None:
    left = [entry for entry in folder.iterdir() if entry.name != RECORD]
    if any(not _OURS.fullmatch(entry.name) or _is_answered(entry) for entry in left):
        return
    for entry in (*left, folder / RECORD):
        entry.unlink()
    folder.rmdir()


def _is_answered(path: Path) -> bool:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        # A full queue of connections must not block the start. It counts as an answer.
        trial.setblocking(False)
        try:
            trial.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True
