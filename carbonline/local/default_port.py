"""A port that everybody knows, for the first of a machine's stacks that wants it."""

import fcntl
import os
import socket
import sys
import tempfile
from pathlib import Path

from carbonline.local.addresses import port_or_free

# Held until the process ends.
_held: list[int | socket.socket] = []


def port_if_first(port: int) -> int:
    """The port, unless it is taken, or another stack has it or is about to; else 0.

    To look whether a port is free is not enough: of two stacks that start at once, both would see
    that it is, and the gateway of one could not listen.
    """
    try:
        _held.append(_name_of(port) if sys.platform == "linux" else _lock_of(port))
    except OSError:
        return 0
    return port_or_free(port)


def _name_of(port: int) -> socket.socket:
    """Takes a name without a file, which is as wide as the port itself: stacks of other users and
    with other folders for temporary files meet it, and those of other networks do not.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0carbonline-port-{port}")
    except OSError:
        held.close()
        raise
    return held


def _lock_of(port: int) -> int:
    """Where there are no such names: a file of this user, whose lock ends with the process."""
    path = Path(tempfile.gettempdir()) / f"carbonline-port-{port}-{os.geteuid()}.lock"
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise
    return held
