"""Runs a history up or down on a database, one runner at a time, without an alembic.ini."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from carbonline.postgres.sqlstates import TRY_AGAIN, sqlstate_of
from carbonline.postgres.url import driver_url

History = Literal["scheduler", "ledger"]

SCHEMAS: dict[History, str] = {"scheduler": "scheduler", "ledger": "carbon"}
# A wheel has the scripts in this package; a checkout, and what is installed editable from it, has
# them at its root.
PLACES = (Path(__file__).parent, Path(__file__).parents[2] / "migrations")
# Any number that nobody else uses; one per history, so that the two do not wait for each other.
ADVISORY_LOCKS: dict[History, int] = {"scheduler": 4_202_401, "ledger": 4_202_402}
LOCK_WAIT_SECONDS_MAX = 120.0
LOCK_POLL_SECONDS = 0.2
# Everybody else queues behind a lock that is waited for: two of them stay below the scheduler's own
# lock_timeout of 5 s, and between two attempts the queue goes on.
SESSION = "SET lock_timeout = '2s'; SET statement_timeout = '15min'"
PAUSE_SECONDS = 2.0
# Old snapshots and locks belong to open transactions, and the oldest one is waited for longest.
OLDEST_TRANSACTION = """
SELECT format('session %s of %s (%s) has had a transaction open for %s s', pid, usename,
    coalesce(nullif(application_name, ''), 'it gives no name'),
    extract(epoch FROM clock_timestamp() - xact_start)::bigint)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
ORDER BY xact_start LIMIT 1
"""


class AnotherUpgradeRuns(Exception):
    """Somebody else has been migrating the same history for too long."""


class AnotherSessionIsInTheWay(Exception):
    """Some session has held for too long what a step must lock or wait for."""


def open_engine(database_url: str, **options: Any) -> AsyncEngine:
    """An engine without a pool, with these options of create_async_engine."""
    # SQLAlchemy would make an argument for asyncpg of each parameter in the URL. The services give
    # it the whole URL, and so do we: one URL, read by one reader.
    connect = partial(asyncpg.connect, driver_url(database_url))
    return create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, poolclass=sa.pool.NullPool, **options
    )


async def upgrade(database_url: str, history: History, revision: str = "head") -> None:
    """Bring one schema to a revision; makes the schema first. AnotherUpgradeRuns,
    AnotherSessionIsInTheWay, or the database's errors.
    """
    await _run(database_url, history, lambda config: command.upgrade(config, revision))


async def downgrade(database_url: str, history: History, revision: str = "base") -> None:
    """Take one schema back to a revision; "base" leaves the empty schema."""
    await _run(database_url, history, lambda config: command.downgrade(config, revision))


async def migrate_all(database_url: str, ledger_database_url: str | None = None) -> None:
    """Bring both schemas to their heads; the ledger may live in another database."""
    await upgrade(database_url, "scheduler")
    await upgrade(ledger_database_url or database_url, "ledger")


async def is_current(database_url: str, history: History) -> bool:
    """Whether the schema stands at the head of its history."""
    engine = open_engine(database_url)
    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(lambda sync: _revision(sync, history))
    finally:
        await engine.dispose()
    return current == ScriptDirectory.from_config(_config(history)).get_current_head()


def _revision(connection: sa.Connection, history: History) -> str | None:
    if not sa.inspect(connection).has_schema(SCHEMAS[history]):
        return None
    options = {"version_table_schema": SCHEMAS[history]}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def scripts_of(history: History) -> Path:
    """The folder of a history's scripts."""
    here = next((place for place in PLACES if (place / history / "env.py").is_file()), PLACES[-1])
    return here / history


def _config(history: History) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts_of(history)))
    config.attributes["schema"] = SCHEMAS[history]
    return config


async def _run(database_url: str, history: History, step: Callable[[Config], None]) -> None:
    engine = open_engine(database_url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as guard:
            await _take_turn(guard, history)
            await guard.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMAS[history]}"))
            await _repeat(guard, history, lambda: _migrate(engine, history, step))
    finally:
        await engine.dispose()


async def _repeat(
    guard: AsyncConnection, history: History, attempt: Callable[[], Awaitable[None]]
) -> None:
    """Again while somebody is in the way: what has been committed stays, the rest starts anew."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS_MAX
    while True:
        try:
            return await attempt()
        except (asyncpg.PostgresError, sa.exc.DBAPIError) as error:
            if sqlstate_of(error) not in TRY_AGAIN:
                raise
            if time.monotonic() > deadline:
                who = await guard.scalar(sa.text(OLDEST_TRANSACTION))
                raise AnotherSessionIsInTheWay(
                    f"the upgrade of {history} waited {LOCK_WAIT_SECONDS_MAX:.0f} s and more for"
                    f" other sessions, and {who or 'some of them hold locks'}; end it, then run"
                    " `carbonline migrate` again"
                ) from error
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311


async def _migrate(engine: AsyncEngine, history: History, step: Callable[[Config], None]) -> None:
    config = _config(history)
    work = engine.execution_options(isolation_level="READ COMMITTED")
    async with work.connect() as connection:
        for setting in SESSION.split("; "):
            await connection.execute(sa.text(setting))
        await connection.commit()

        def run(sync_connection: sa.Connection) -> None:
            config.attributes["connection"] = sync_connection
            step(config)

        await connection.run_sync(run)
        await connection.commit()


async def _take_turn(guard: AsyncConnection, history: History) -> None:
    """Poll for the advisory lock: waiting inside a statement would hold a snapshot, for which
    CREATE INDEX CONCURRENTLY of the runner before would wait for ever.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS_MAX
    lock = sa.text("SELECT pg_try_advisory_lock(:number)")
    while not await guard.scalar(lock, {"number": ADVISORY_LOCKS[history]}):
        if time.monotonic() > deadline:
            raise AnotherUpgradeRuns(
                f"another upgrade of {history} has been running for {LOCK_WAIT_SECONDS_MAX:.0f} s"
            )
        await asyncio.sleep(LOCK_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
