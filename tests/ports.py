"""Ports that stay free until somebody listens there."""

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
# Below those that the system hands out to callers: a port that was free a moment ago is not taken
# by somebody's connection. From a place of chance on, since several tests look at once.
FIRST, LAST = 10_000, 30_000
TRIES = 100


def free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    return shift_to_free(range(count))


def shift_to_free(ports: Sequence[int]) -> int:
    """What to add to each of these, so that all of them are free."""
    for _ in range(TRIES):
        shift = random.randrange(FIRST, LAST) - min(ports)
        with ExitStack() as held:
            try:
                for port in ports:
                    held.enter_context(socket.create_server((LOOPBACK, port + shift)))
            except OSError:
                continue
            return shift
    raise AssertionError(f"no {len(ports)} free ports in a row")
