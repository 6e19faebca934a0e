"""A port that everybody knows, for the first of a user's stacks that wants it."""

import fcntl
import os
import tempfile
from pathlib import Path

from carbonline.local.addresses import port_or_free

# Held until the process ends. A file that is closed releases its lock.
_held: list[int] = []


def port_if_first(port: int) -> int:
    """The port, unless it is taken, or another stack of this user has it or is about to; else 0.

    To look whether a port is free is not enough: of two stacks that start at once, both would see
    that it is, and the gateway of one could not listen.
    """
    path = Path(tempfile.gettempdir()) / f"carbonline-port-{port}-{os.geteuid()}.lock"
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return 0
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return 0
    _held.append(held)
    return port_or_free(port)
