"""Connections to the ledger's database: bounded, timed out, errors by what they mean."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Self

import asyncpg

from carbonline.postgres import pool as postgres
from carbonline.postgres.errors import ACCESS_REFUSED, DATABASE_UNAVAILABLE, is_unavailable
from carbonline.postgres.pool import Connection, Pool, open_pool
from worker_service.ledger.errors import DatabaseAway, DatabaseRefuses, SchemaMissing

__all__ = ["Connection", "Ledger", "open_ledger"]

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
    except DATABASE_UNAVAILABLE as error:
        if not is_unavailable(error):
            raise
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
    with meaning_of_errors(), _refusals():
        pool = await open_pool(
            database_url,
            session_settings(application_name, limits),
            connections_max=CONNECTIONS_PER_JOB * jobs_max + CONNECTIONS_BESIDE,
            connect_seconds=CONNECT_SECONDS,
            command_seconds=limits.statement_seconds + COMMAND_MARGIN_SECONDS,
        )
    ledger = Ledger(pool, limits)
    try:
        await ledger.ping()
    except BaseException:
        await ledger.close()
        raise
    return ledger


async def probe(database_url: str) -> None:
    """Connect and disconnect. Raises DatabaseAway or DatabaseRefuses."""
    with meaning_of_errors(), _refusals():
        await postgres.probe(database_url, CONNECT_SECONDS)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ACCESS_REFUSED as error:
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
