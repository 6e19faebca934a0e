"""Whether the disk of a folder has room for a process to start again."""

import os
from pathlib import Path

# PostgreSQL needs a few segments of 16 MiB for its recovery, or it ends again.
ROOM_BYTES_MIN = 64 << 20


def has_room(folder: Path) -> bool:
    """Whether this user may still write ROOM_BYTES_MIN there. True if that cannot be told."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return True
    return disk.f_bavail * disk.f_frsize >= ROOM_BYTES_MIN
