"""Tells a full disk of temporary files from a file that cannot be read."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

# Or the end of a quota: nothing that the file is to blame for.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class NoRoomForText(OSError):
    """The disk of temporary files is full: not the file is at fault, but this machine."""


@contextmanager
def room_for_text() -> Iterator[None]:
    """Raises NoRoomForText where what is done within finds no room."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise NoRoomForText(error.errno, error.strerror) from error
        raise
