"""A PostgreSQL that keeps all connections and says nothing."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from carbonline.local.postgres import EmbeddedPostgres


@contextmanager
def frozen(postgres: EmbeddedPostgres, *, with_sessions: bool = True) -> Iterator[None]:
    """Stop every process of the server, or only the one that takes connections, until the end."""
    server = postgres.child.pid
    assert server is not None
    # First of all the one that starts others.
    os.kill(server, signal.SIGSTOP)
    stopped = [server]
    try:
        for pid in _children_of(server) if with_sessions else ():
            # One may just have ended.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
