"""By which one knows that a file has changed since it was read."""

from pathlib import Path
from typing import TypeAlias

FileStamp: TypeAlias = tuple[int, int, int]


def file_stamp(file: Path) -> FileStamp:
    """Another one after each change. Raises OSError if the file is not there.

    Not the time of the last write, but of the last change: a file that could not be read becomes
    readable by a change of its mode or owner alone.
    """
    found = file.stat()
    return found.st_ctime_ns, found.st_size, found.st_ino
