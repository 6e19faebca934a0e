"""The scheduler's connections: every statement and lock wait bounded, plans kept fresh."""

import time

from carbonline.postgres import pool as postgres
from carbonline.postgres.pool import Pool
from scheduler_service.store.core.statements import Connection

STATEMENT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 10
# Behind the server's own timeout.
COMMAND_MARGIN_SECONDS = 5
CONNECTIONS_MAX = 8
# A plan is made for the tables as they are, and kept: those of an empty table read all of it, for
# each row of a batch, whatever has come since. It is noticed by ANALYZE a minute later, or never.
PLANS_SECONDS_MAX = 10.0
SESSIONS_REMEMBERED_MAX = 100


async def open_pool(database_url: str, *, application_name: str) -> Pool:
    """A pool of at most CONNECTIONS_MAX connections.

    Raises SessionNotKept, asyncpg's or OS errors.
    """
    return await postgres.open_pool(
        database_url,
        session_settings(application_name),
        connections_max=CONNECTIONS_MAX,
        connect_seconds=CONNECT_TIMEOUT_SECONDS,
        command_seconds=STATEMENT_TIMEOUT_SECONDS + COMMAND_MARGIN_SECONDS,
        setup=_Planned(),
        reset=_leave_as_it_was,
    )


def session_settings(application_name: str) -> dict[str, str]:
    """What every session of the scheduler is set to."""
    return {
        "application_name": application_name,
        "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
        "timezone": "UTC",
        # A compiled plan costs more than these short statements take.
        "jit": "off",
        # Arrays of a batch differ in length only: the generic plan is the right one.
        "plan_cache_mode": "force_generic_plan",
        # No statement means to read the whole of a table that grows.
        "enable_seqscan": "off",
    }


class _Planned:
    """Called for each connection that the pool hands out, before anything is asked of it."""

    def __init__(self) -> None:
        self._planned_at: dict[int, float] = {}

    async def __call__(self, conn: Connection) -> None:
        """Drops plans that have become old."""
        now, pid = time.monotonic(), conn.get_server_pid()
        if len(self._planned_at) > SESSIONS_REMEMBERED_MAX:
            self._planned_at.clear()
        if now - self._planned_at.setdefault(pid, now) > PLANS_SECONDS_MAX:
            await conn.execute("DISCARD PLANS")
            self._planned_at[pid] = now


async def _leave_as_it_was(conn: Connection) -> None:
    """No statement of the store changes its session, so there is nothing to ask the server for,
    unless a transaction was left in the middle.
    """
    if conn.is_in_transaction():
        await conn.reset()
