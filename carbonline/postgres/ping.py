"""Whether PostgreSQL answers and accepts writes, asked on a connection of its own."""

from collections.abc import Awaitable, Callable, Mapping

import asyncpg

from carbonline.postgres.pool import Connection

# A standby, or a server that its operator or its full disk has made read-only.
_READ_ONLY = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean"


class Ping:
    """Asks again and again. No other work of the process can delay the answer.

    The connection is kept between two calls, and closed by `close` or by a call that fails.
    """

    def __init__(
        self,
        database_url: str,
        session: Mapping[str, str],
        *,
        connect_seconds: float,
        renew_sessions: Callable[[], Awaitable[None]],
    ) -> None:
        """`session` are server settings. `renew_sessions` makes a pool replace its connections.

        A session of a server that was read-only can stay so when the server, or its successor,
        accepts writes again. Sessions are renewed for as long as that lasts, and once after it.
        """
        self._database_url = database_url
        self._session = dict(session)
        self._connect_seconds = connect_seconds
        self._renew_sessions = renew_sessions
        self._connection: Connection | None = None
        self._was_read_only = False

    async def __call__(self) -> None:
        """Return if PostgreSQL answers and accepts writes.

        Raises asyncpg.ReadOnlySQLTransactionError if it accepts none, otherwise the driver's errors
        or OSError.
        """
        try:
            read_only = await self._is_read_only()
        except BaseException:
            self._disconnect()
            raise
        if read_only or self._was_read_only:
            self._was_read_only = read_only
            await self._renew_sessions()
        if read_only:
            self._disconnect()
            raise asyncpg.ReadOnlySQLTransactionError("PostgreSQL accepts no writes")

    def close(self) -> None:
        """Disconnect at once."""
        self._disconnect()

    async def _is_read_only(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                self._database_url,
                timeout=self._connect_seconds,
                server_settings=self._session,
                statement_cache_size=0,
            )
        return bool(await self._connection.fetchval(_READ_ONLY))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
