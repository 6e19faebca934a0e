"""How every process connects: sessions that are kept, JSON as values, each wait bounded."""

import json
import logging
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

_log = logging.getLogger(__name__)


class _KeptSession(asyncpg.Connection):
    """A session that each use leaves as it found it, so that none has to be reset.

    To ask the server for a reset after each use is a transaction and a round trip of its own.
    Settings are made when a session starts, or with SET LOCAL. Who takes an advisory lock of the
    session releases it, or terminates the session. Nobody else listens or keeps a cursor in it.
    """

    def get_reset_query(self) -> str:
        """Nothing: of what a use may have left behind, only an open transaction is looked for."""
        return ""

    async def reset(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  of asyncpg
        """Called by the pool when the session comes back. Ends one with an open transaction.

        A use that was cancelled in the middle may leave one. Its locks go with the session.
        """
        if self.is_in_transaction():
            _log.warning("session_thrown_away")
            self.terminate()
            return
        await super().reset(timeout=timeout)


async def open_pool(
    database_url: str,
    session: Mapping[str, str],
    *,
    connections_max: int,
    connect_seconds: float,
    command_seconds: float,
    setup: OnConnection | None = None,
) -> Pool:
    """A pool of 1 to `connections_max` sessions, each set to `session` (server settings).

    `connect_seconds` bounds a connection attempt. `command_seconds` bounds a statement on the
    client's side: choose it above the session's statement_timeout, for a server that does not even
    say that it is gone. `setup` runs when a connection is handed out.

    Sessions are not reset between two uses: see _KeptSession for what a use may not leave behind.

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
        connection_class=_KeptSession,
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
