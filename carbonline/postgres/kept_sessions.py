"""Refuses a connection pooler that lends a session for one transaction only.

Leases and migrations need timeouts, advisory locks and LISTEN, which belong to a session.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncpg

    Connect: TypeAlias = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

# A busy pooler may lend another session each time; an idle one lends the same one at once.
LOOKS = 8
# PgBouncer's answer to settings that a client sends when it connects.
_REFUSED = "unsupported startup parameter"


class SessionNotKept(Exception):
    """A pooler in front of PostgreSQL does not keep sessions. The message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "a connection pooler in front of PostgreSQL does not keep sessions (PgBouncer: "
            "pool_mode = transaction), so timeouts, locks and LISTEN would be lost: the URL must "
            "name PostgreSQL itself"
        )


async def check_sessions(connect: "Connect", *, set_at_start: bool) -> None:
    """Connect with `connect`, and raise SessionNotKept if sessions are lent.

    `set_at_start` says that `connect` sets a statement_timeout, which must then be in force. Raises
    what `connect` raises.
    """
    # The client is installed without the driver and imports this module.
    import asyncpg  # noqa: PLC0415

    try:
        first = await connect()
    except asyncpg.PostgresError as error:
        if _REFUSED in str(error):
            raise SessionNotKept from error
        raise
    try:
        backend, timeout = await _look(first)
        # PostgreSQL tells each client the number of its own process; a pooler invents one.
        if backend == first.get_server_pid():
            return
        if (set_at_start and timeout == "0") or await _is_lent(connect, first, backend):
            raise SessionNotKept
    finally:
        first.terminate()


async def _is_lent(
    connect: "Connect", first: "asyncpg.Connection[asyncpg.Record]", backend: int
) -> bool:
    """Whether two connections that are open at once reach the same process of PostgreSQL."""
    second = await connect()
    try:
        for _ in range(LOOKS):
            other, _ = await _look(second)
            again, _ = await _look(first)
            if other == backend or again != backend:
                return True
    finally:
        second.terminate()
    return False


async def _look(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[int, str]:
    # Outside a transaction a pooler may separate even a statement from its parameters.
    async with connection.transaction():
        row = await connection.fetchrow(
            "SELECT pg_backend_pid() AS backend, current_setting('statement_timeout') AS timeout"
        )
    assert row is not None
    return row["backend"], row["timeout"]
