"""Connections to the ledger's database: bounded, with timeouts, and errors by their meaning."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import asyncpg

from carbonline.postgres import pool as postgres
from carbonline.postgres.errors import (
    ACCESS_REFUSED,
    DATABASE_UNAVAILABLE,
    DatabaseRefused,
    DatabaseUnavailable,
    is_unavailable,
)
from carbonline.postgres.pool import Connection, Pool, open_pool
from carbonline.postgres.turns import WAIT_SECONDS, NoTurn, Turns
from worker_service.ledger.errors import SchemaMissing, TooManyReads

__all__ = ["Connection", "Ledger", "open_ledger"]

CONNECT_SECONDS = 5.0
COMMAND_MARGIN_SECONDS = 1.0
# The newest migration of the schema, which this release needs.
SCHEMA_REVISION = "0027"
# Each running job reads with one connection while it writes with another. Sums beside take one that
# is free, for a moment.
CONNECTIONS_PER_JOB = 2
CONNECTIONS_BESIDE = 2
# Shares of the lease. What a stopped process holds is freed before its successor gives up
# waiting for it, and both before the lease is over.
IDLE_SHARE = 0.3
LOCK_SHARE = 0.5
STATEMENT_SHARE = 0.7


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raises DatabaseUnavailable or SchemaMissing for errors of the driver that mean these."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except asyncpg.UndefinedTableError as error:
        raise SchemaMissing(
            "the database has no current schema `carbon`: run `carbonline migrate` on it first"
        ) from error
    except DATABASE_UNAVAILABLE as error:
        if not is_unavailable(error):
            raise
        raise DatabaseUnavailable(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Timeouts of a session, in seconds."""

    statement_seconds: float
    lock_seconds: float
    idle_seconds: float

    @classmethod
    def of_lease(cls, lease_seconds: float) -> Self:
        """Timeouts for claims of this lease.

        All are shorter than the lease without its margins. Idle sessions end first, then waits for
        locks, then statements, so that a stopped process frees its locks in time.
        """
        return cls(
            statement_seconds=lease_seconds * STATEMENT_SHARE,
            lock_seconds=lease_seconds * LOCK_SHARE,
            idle_seconds=lease_seconds * IDLE_SHARE,
        )


@dataclass(slots=True)
class Ledger:
    """An open pool of connections. Safe for concurrent calls.

    Where `asker` names who asks, connections are lent in turn: who asks often does not stand before
    who asks once. One of them is for `ping` alone, so that reads which take long are not taken for
    a database that does not answer. Else there are as many as are asked for at once.
    """

    pool: Pool
    limits: SessionLimits
    database_url: str
    application_name: str
    asker: Callable[[], str] | None = None
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        """All connections are free."""
        self._turns = Turns(self.pool.get_max_size() - 1)

    async def follow_lease(self, lease_seconds: float) -> None:
        """Gives sessions the timeouts of another lease. Those in use keep theirs to their end."""
        self.limits = SessionLimits.of_lease(lease_seconds)
        self.pool.set_connect_args(
            self.database_url,
            timeout=CONNECT_SECONDS,
            command_timeout=self.limits.statement_seconds + COMMAND_MARGIN_SECONDS,
            server_settings=session_settings(self.application_name, self.limits),
        )
        await self.pool.expire_connections()

    async def close(self) -> None:
        """Closes all connections. Cuts those that do not end within CONNECT_SECONDS."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def session(self, asker: str | None = None) -> AsyncIterator[Connection]:
        """Lends a connection for a short time. Raises DatabaseUnavailable, SchemaMissing, or
        TooManyReads where they are lent in turn. What many wait for has an `asker` of its own.
        """
        async with self._turn(asker), self._lent() as conn:
            yield conn

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[Connection]:
        with translated_errors():
            async with self.pool.acquire(timeout=CONNECT_SECONDS) as conn:
                try:
                    yield conn
                except asyncpg.ReadOnlySQLTransactionError:
                    # The server was demoted. A new connection finds the one that took over.
                    conn.terminate()
                    raise

    @asynccontextmanager
    async def _turn(self, asker: str | None) -> AsyncIterator[None]:
        if self.asker is None:
            yield
            return
        try:
            async with self._turns.one(self.asker() if asker is None else asker, WAIT_SECONDS):
                yield
        except NoTurn as error:
            raise TooManyReads("every connection for reads is in use") from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A READ COMMITTED transaction.

        Raises DatabaseUnavailable or SchemaMissing, after a COMMIT without an answer too.
        """
        async with self.session() as conn, conn.transaction():
            yield conn

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[Connection]:
        """A transaction for rows of sets that are not published. Raises as `transaction`.

        Its COMMIT waits for no disk: that of the publication waits for all that was committed
        before, and without a publication nothing of them counts.
        """
        async with self.transaction() as conn:
            await conn.execute("SET LOCAL synchronous_commit = off")
            yield conn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only REPEATABLE READ transaction: all reads in it see the same moment.

        Raises DatabaseUnavailable or SchemaMissing.
        """
        # Nothing waits for its locks, and its reader computes between reads.
        idle = _milliseconds(self.limits.statement_seconds)
        async with self.session() as conn:
            # In one round trip, which is a third of what a short snapshot takes.
            await conn.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                f" SET LOCAL idle_in_transaction_session_timeout = '{idle}'"
            )
            try:
                yield conn
            finally:
                # Of a connection that is lost the pool takes care, and has taken it back already.
                with suppress(asyncpg.InterfaceError):
                    await conn.execute("COMMIT")

    async def ping(self) -> None:
        """Raises DatabaseUnavailable without an answer, SchemaMissing without a schema."""
        async with self._lent() as conn:
            await conn.fetchval("SELECT count(*) FROM carbon.totals WHERE false")


async def open_ledger(
    database_url: str,
    *,
    application_name: str,
    lease_seconds: float = 45.0,
    jobs_max: int = 1,
    asker: Callable[[], str] | None = None,
) -> Ledger:
    """Opens a pool for at most `jobs_max` jobs at once, with the timeouts of `lease_seconds`. For
    `asker`, see Ledger.

    Raises DatabaseUnavailable, DatabaseRefused or SchemaMissing.
    """
    limits = SessionLimits.of_lease(lease_seconds)
    with translated_errors(), _refusals():
        pool = await open_pool(
            database_url,
            session_settings(application_name, limits),
            connections_max=CONNECTIONS_PER_JOB * jobs_max + CONNECTIONS_BESIDE,
            connect_seconds=CONNECT_SECONDS,
            command_seconds=limits.statement_seconds + COMMAND_MARGIN_SECONDS,
        )
    ledger = Ledger(pool, limits, database_url, application_name, asker)
    try:
        await _check_schema(ledger)
    except BaseException:
        await ledger.close()
        raise
    return ledger


async def revision_of(ledger: Ledger) -> str:
    """The newest migration that the database has, such as "0024"; "" if the table is empty."""
    async with ledger.session() as conn:
        return await conn.fetchval("SELECT version_num FROM carbon.alembic_version") or ""


async def _check_schema(ledger: Ledger) -> None:
    revision = await revision_of(ledger)
    # A newer one is of the next release, which migrates before it starts its own processes.
    if revision < SCHEMA_REVISION:
        raise SchemaMissing(
            f"the schema `carbon` of the database has revision {revision or 'none'}, "
            f"not {SCHEMA_REVISION}: run `carbonline migrate` first"
        )


async def probe(database_url: str) -> None:
    """Connects and disconnects. Raises DatabaseUnavailable or DatabaseRefused."""
    with translated_errors(), _refusals():
        await postgres.probe(database_url, CONNECT_SECONDS)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ACCESS_REFUSED as error:
        raise DatabaseRefused(str(error)) from error


def session_settings(application_name: str, limits: SessionLimits) -> dict[str, str]:
    """The settings of every session of the ledger."""
    return {
        "application_name": application_name,
        "statement_timeout": _milliseconds(limits.statement_seconds),
        "lock_timeout": _milliseconds(limits.lock_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_seconds),
        "timezone": "UTC",
        "jit": "off",
        # Files go into statements as arrays. A plan for arrays of any length compares row by row.
        "plan_cache_mode": "force_custom_plan",
    }


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"
