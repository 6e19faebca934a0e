"""Connections to the ledger's database: bounded, timed out, errors by what they mean."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeAlias

import asyncpg

from carbonline.database_url import UNREADABLE
from carbonline.kept_sessions import SessionNotKept, check_sessions
from worker_service.ledger.errors import DatabaseAway, DatabaseRefuses, SchemaMissing

# asyncpg's classes are generic in its stubs only.
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

CONNECT_SECONDS = 5.0
COMMAND_MARGIN_SECONDS = 1.0
# Each running job reads with one connection while it writes with another.
CONNECTIONS_PER_JOB = 2
CONNECTIONS_BESIDE = 2
# Shares of the lease. What a stopped process holds is freed before its successor gives up
# waiting for it, and both before the lease is over.
IDLE_SHARE = 0.3
LOCK_SHARE = 0.5
STATEMENT_SHARE = 0.7

_AWAY = (
    OSError,
    asyncpg.InterfaceError,
    # What the pool meets when it tidies up a connection whose server has just said goodbye; it
    # hides the error that came first.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
)
_REFUSED: tuple[type[Exception], ...] = (
    *UNREADABLE,
    SessionNotKept,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    # A parameter of the URL that PostgreSQL does not know, cannot read, or does not let us set.
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidParameterValueError,
    asyncpg.PostgresSyntaxError,
    asyncpg.CantChangeRuntimeParamError,
)


@contextmanager
def meaning_of_errors() -> Iterator[None]:
    """The driver's passing errors as DatabaseAway; what is a defect comes through as it is."""
    try:
        yield
    except DatabaseAway:
        raise
    except asyncpg.UndefinedTableError as error:
        raise SchemaMissing(
            "the database has no current schema `carbon`: run `carbonline migrate` on it first"
        ) from error
    except _AWAY as error:
        raise DatabaseAway(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Timeouts of a session, seconds."""

    statement_seconds: float
    lock_seconds: float
    idle_seconds: float

    @classmethod
    def of_lease(cls, lease_seconds: float) -> Self:
        """Below the lease less its margins, in an order that frees locks in time."""
        return cls(
            statement_seconds=lease_seconds * STATEMENT_SHARE,
            lock_seconds=lease_seconds * LOCK_SHARE,
            idle_seconds=lease_seconds * IDLE_SHARE,
        )


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open pool. Safe for many concurrent calls."""

    pool: Pool
    limits: SessionLimits

    async def close(self) -> None:
        """Disconnects; a session that does not end in time is cut."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Connection]:
        """A connection for a short while. Raises DatabaseAway or SchemaMissing."""
        with meaning_of_errors():
            async with self.pool.acquire(timeout=CONNECT_SECONDS) as conn:
                yield conn

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """A read-only REPEATABLE READ transaction: everything read in it is of one moment."""
        async with (
            self.session() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            # It holds no lock that anybody waits for, and its reader computes in between.
            idle = _milliseconds(self.limits.statement_seconds)
            await conn.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', $1, true)", idle
            )
            yield conn

    async def ping(self) -> None:
        """Raises DatabaseAway when there is no answer, SchemaMissing without a schema."""
        async with self.session() as conn:
            await conn.fetchval("SELECT count(*) FROM carbon.totals WHERE false")


async def open_ledger(
    database_url: str,
    *,
    application_name: str,
    lease_seconds: float = 45.0,
    jobs_max: int = 1,
) -> Ledger:
    """Connects for at most `jobs_max` jobs at once.

    Raises DatabaseAway, DatabaseRefuses or SchemaMissing.
    """
    limits = SessionLimits.of_lease(lease_seconds)
    settings = session_settings(application_name, limits)
    connect = partial(
        asyncpg.connect,
        database_url,
        timeout=CONNECT_SECONDS,
        server_settings=settings,
        statement_cache_size=0,
    )
    with meaning_of_errors(), _refusals():
        await check_sessions(connect, set_at_start=True)
        pool = await asyncpg.create_pool(
            database_url,
            min_size=1,
            max_size=CONNECTIONS_PER_JOB * jobs_max + CONNECTIONS_BESIDE,
            init=_prepare,
            timeout=CONNECT_SECONDS,
            # Behind the server's own: for a server that does not even say that it is gone.
            command_timeout=limits.statement_seconds + COMMAND_MARGIN_SECONDS,
            server_settings=settings,
        )
    ledger = Ledger(pool, limits)
    try:
        await ledger.ping()
    except BaseException:
        await ledger.close()
        raise
    return ledger


async def knock(database_url: str) -> None:
    """Connects, and is gone again. Raises DatabaseAway or DatabaseRefuses."""
    with meaning_of_errors(), _refusals():
        conn = await asyncpg.connect(database_url, timeout=CONNECT_SECONDS)
        await conn.close()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except _REFUSED as error:
        raise DatabaseRefuses(str(error)) from error


def session_settings(application_name: str, limits: SessionLimits) -> dict[str, str]:
    """What every session of the ledger is set to."""
    return {
        "application_name": application_name,
        "statement_timeout": _milliseconds(limits.statement_seconds),
        "lock_timeout": _milliseconds(limits.lock_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_seconds),
        "timezone": "UTC",
        "jit": "off",
    }


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"


async def _prepare(conn: Connection) -> None:
    await conn.set_type_codec("jsonb", encoder=_dump, decoder=json.loads, schema="pg_catalog")


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
