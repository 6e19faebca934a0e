"""Refuses a connection pooler that lends a session for one transaction only, or sets none up.

Leases and migrations need timeouts, advisory locks and LISTEN, which belong to a session.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import asyncpg

    Connect: TypeAlias = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

# A busy pooler may lend another session each time; an idle one lends the same one at once.
LOOKS = 8
# PgBouncer's answers: to settings that a client sends when it connects, in any mode, and to BEGIN.
_REFUSED = "unsupported startup parameter"
_STATEMENTS = "statement pooling mode"


class Fault(Enum):
    """What a pooler does with sessions, as people are told."""

    LENT = (
        "does not keep sessions (PgBouncer: pool_mode = transaction or statement), so timeouts, "
        "locks and LISTEN would be lost"
    )
    REFUSED = (
        "refuses what a session is set to when it begins (PgBouncer in any pool_mode), so there "
        "would be no timeouts"
    )
    PASSED_OVER = (
        "passes over what a session is set to when it begins (PgBouncer: "
        "ignore_startup_parameters), so there would be no timeouts"
    )


class SessionNotKept(Exception):
    """A pooler in front of PostgreSQL cannot be used. The message says why, and what to do."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(
            f"a connection pooler in front of PostgreSQL {fault.value}: the URL must name "
            "PostgreSQL itself"
        )


async def check_sessions(connect: "Connect", *, set_at_start: bool) -> None:
    """Connect with `connect`, and raise SessionNotKept if sessions are lent.

    `set_at_start` says that `connect` sets a statement_timeout, which must then be in force. Raises
    what `connect` raises.
    """
    with _refusals():
        first = await connect()
        try:
            backend, timeout = await _look(first)
            # PostgreSQL tells each client the number of its own process; a pooler invents one.
            if backend == first.get_server_pid():
                return
            if await _is_lent(connect, first, backend):
                raise SessionNotKept(Fault.LENT)
            if set_at_start and timeout == "0":
                raise SessionNotKept(Fault.PASSED_OVER)
        finally:
            first.terminate()


@contextmanager
def _refusals() -> Iterator[None]:
    """What a pooler itself answers becomes a SessionNotKept."""
    # The client is installed without the driver and imports this module.
    import asyncpg  # noqa: PLC0415

    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if _REFUSED in str(error):
            raise SessionNotKept(Fault.REFUSED) from error
        if _STATEMENTS in str(error):
            raise SessionNotKept(Fault.LENT) from error
        raise


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
