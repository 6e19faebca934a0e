"""How every process connects: sessions that are kept, JSON as values, each wait bounded."""

import json
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, TypeAlias

import asyncpg

from carbonline.postgres.kept_sessions import check_sessions

# asyncpg's classes are generic in its stubs only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
OnConnection: TypeAlias = Callable[[Any], Coroutine[Any, Any, None]]


async def open_pool(
    database_url: str,
    session: Mapping[str, str],
    *,
    connections_max: int,
    connect_seconds: float,
    command_seconds: float,
    setup: OnConnection | None = None,
    reset: OnConnection | None = None,
) -> Pool:
    """A pool of 1 to `connections_max` sessions, each set to `session` (server settings).

    `connect_seconds` bounds a connection attempt. `command_seconds` bounds a statement on the
    client's side: choose it above the session's statement_timeout, for a server that does not even
    say that it is gone. `setup` runs when a connection is handed out, `reset` when it comes back.

    Raises SessionNotKept where a pooler lends its sessions, the driver's errors, or OSError.
    """
    settings = dict(session)
    connect = partial(
        asyncpg.connect,
        database_url,
        timeout=connect_seconds,
        server_settings=settings,
        # Of a statement that is looked at once nothing is kept, also where sessions are lent.
        statement_cache_size=0,
    )
    await check_sessions(connect, set_at_start=True)
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=connections_max,
        init=_read_json,
        setup=setup,
        reset=reset,
        timeout=connect_seconds,
        command_timeout=command_seconds,
        server_settings=settings,
    )


async def probe(database_url: str, connect_seconds: float) -> None:
    """Connect and disconnect: whether PostgreSQL is up. Raises the driver's errors or OSError."""
    connection = await asyncpg.connect(database_url, timeout=connect_seconds)
    await connection.close()


async def _read_json(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=json.loads, schema="pg_catalog")


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
