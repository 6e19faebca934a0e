"""The scheduler's connections: JSON as values, every statement and lock wait bounded."""

import json
import time
from functools import partial
from typing import Any

import asyncpg

from carbonline.kept_sessions import check_sessions
from scheduler_service.store.statements import Connection

STATEMENT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 10
CONNECTIONS_MAX = 8
# A plan is made for the tables as they are, and kept: those of an empty table read all of it, for
# each row of a batch, whatever has come since. It is noticed by ANALYZE a minute later, or never.
PLANS_SECONDS_MAX = 10.0
SESSIONS_REMEMBERED_MAX = 100


async def open_pool(database_url: str, *, application_name: str) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of at most CONNECTIONS_MAX connections.

    Raises SessionNotKept, asyncpg's or OS errors.
    """
    settings = session_settings(application_name)
    connect = partial(
        asyncpg.connect,
        database_url,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings=settings,
        # Of a statement that is looked at once nothing is kept, also where sessions are lent.
        statement_cache_size=0,
    )
    await check_sessions(connect, set_at_start=True)
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=CONNECTIONS_MAX,
        init=_prepare,
        setup=_Planned(),
        reset=_leave_as_it_was,
        timeout=CONNECT_TIMEOUT_SECONDS,
        command_timeout=STATEMENT_TIMEOUT_SECONDS + 5,
        server_settings=settings,
    )


async def knock(database_url: str) -> None:
    """Connects, and is gone again; raises asyncpg's or OS errors."""
    conn = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_SECONDS)
    await conn.close()


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


async def _prepare(conn: Connection) -> None:
    await conn.set_type_codec("jsonb", encoder=_dump, decoder=json.loads, schema="pg_catalog")


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


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
