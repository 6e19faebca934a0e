"""One connection that is kept only to learn whether the ledger's database can be used."""

import asyncpg

from carbonline.postgres.errors import ACCESS_REFUSED, ANY_DATABASE_ERROR, DatabaseUnavailable
from carbonline.postgres.full_disk import DISK_FULL, take_room
from worker_service.ledger.pool import CONNECT_SECONDS

# A standby answers reads, and refuses the commit that every job ends with.
MAY_WRITE = """
SELECT NOT (pg_is_in_recovery() OR CAST(current_setting('transaction_read_only') AS boolean))
"""


class Canary:
    """Tells an outage of the database from a fault of one job.

    If the server restarts or the network fails, this connection breaks with those of the jobs. If
    only the connection of one job breaks, that job is at fault.
    """

    def __init__(self, database_url: str, application_name: str) -> None:
        """Connects at the first look."""
        self._database_url = database_url
        self._application_name = application_name
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._was_full = False

    def note_full(self) -> None:
        """A job met a full disk: from now on a look also takes room, until there is some."""
        self._was_full = True

    async def look(self) -> None:
        """Raises DatabaseUnavailable if the database cannot be used, or could not since the last
        look: the connection has broken. One call at a time.
        """
        try:
            if self._connection is None:
                self._connection = await self._connected()
            may_write = await self._connection.fetchval(MAY_WRITE, timeout=CONNECT_SECONDS)
            if may_write and self._was_full:
                await take_room(self._connection)
                self._was_full = False
        except asyncpg.DiskFullError as error:
            raise DatabaseUnavailable(DISK_FULL) from error
        except (*ANY_DATABASE_ERROR, *ACCESS_REFUSED) as error:
            self.close()
            raise DatabaseUnavailable(_first_line(error)) from error
        except BaseException:
            self.close()
            raise
        if not may_write:
            # The server that took over has the same name, and a new connection finds it.
            self.close()
            raise DatabaseUnavailable("the database is read-only")

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _connected(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            self._database_url,
            timeout=CONNECT_SECONDS,
            server_settings={"application_name": self._application_name},
        )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
