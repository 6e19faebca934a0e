"""Whether a database keeps a session for who connects: a pooler may lend it for one transaction.

Timeouts of a session, advisory locks and LISTEN are what leases and migrations rest upon.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncpg

    Connect: TypeAlias = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

# A busy pooler may lend each time another session; an idle one lends the same at once.
LOOKS = 8
# How PgBouncer refuses what a session is to be set to at its start.
_REFUSED = "unsupported startup parameter"


class SessionNotKept(Exception):
    """A pooler stands before PostgreSQL, and what a session is set to is lost there."""

    def __init__(self) -> None:
        super().__init__(
            "a connection pooler stands before PostgreSQL and keeps no sessions (PgBouncer: "
            "pool_mode = transaction), so that timeouts, locks and LISTEN would be lost: the URL "
            "must name PostgreSQL itself"
        )


async def check_sessions(connect: "Connect", *, set_at_start: bool) -> None:
    """Raises SessionNotKept, or what `connect` raises.

    `set_at_start` says that `connect` sets a statement_timeout, which must then be in force.
    """
    # Here, since a client without a server imports what imports this.
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
    """Whether two connections that are open at once meet in one process of PostgreSQL."""
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
    # In a transaction: outside one, a pooler may part even a statement from its parameters.
    async with connection.transaction():
        row = await connection.fetchrow(
            "SELECT pg_backend_pid() AS backend, current_setting('statement_timeout') AS timeout"
        )
    assert row is not None
    return row["backend"], row["timeout"]
