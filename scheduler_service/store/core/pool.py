"""The scheduler's connections: every statement and lock wait bounded, plans kept fresh."""

import time
from dataclasses import dataclass

from carbonline.postgres import pool as postgres
from carbonline.postgres.pool import Pool
from scheduler_service.store.core.pool_sizes import PoolSizes
from scheduler_service.store.core.statements import Connection

STATEMENT_TIMEOUT_SECONDS = 10
LOCK_TIMEOUT_SECONDS = 5
# Callers wait for ten: where PostgreSQL takes no new connection, there is time to say so.
CONNECT_TIMEOUT_SECONDS = 5
# Behind the server's own timeout.
COMMAND_MARGIN_SECONDS = 5
# A plan is made for the tables as they are, and kept: those of an empty table read all of it, for
# each row of a batch, whatever has come since. It is noticed by ANALYZE a minute later, or never.
PLANS_SECONDS_MAX = 10.0
SESSIONS_REMEMBERED_MAX = 100


@dataclass(frozen=True, slots=True)
class Pools:
    """Connections by who may wait for whom.

    `leases` serves Claim, Heartbeat, Submit and Finish, whose batches are bounded in number.
    `calls` serves what may wait for a lock, any number of calls at once: Chain, Release and the
    interventions. `reads` is for people, gateways and monitors. `sweeps` serves what the scheduler
    does by itself: sweeps, retention, the one reader of all watches, notifications, queue depths.
    """

    leases: Pool
    calls: Pool
    reads: Pool
    sweeps: Pool

    async def renew_sessions(self) -> None:
        """Replace every connection, each when it is not in use."""
        for pool in (self.leases, self.calls, self.reads, self.sweeps):
            await pool.expire_connections()

    async def close(self) -> None:
        """Disconnect."""
        for pool in (self.leases, self.calls, self.reads, self.sweeps):
            await pool.close()


async def open_pools(database_url: str, sizes: PoolSizes, *, application_name: str) -> Pools:
    """Pools of at most `sizes` connections. Each opens the first at once, the others when needed.

    Raises SessionNotKept, asyncpg's or OS errors.
    """
    opened: list[Pool] = []
    try:
        for name, size, seconds in (
            ("", sizes.leases, STATEMENT_TIMEOUT_SECONDS),
            (" calls", sizes.calls, STATEMENT_TIMEOUT_SECONDS),
            (" reads", sizes.reads, sizes.read_seconds),
            (" sweeps", sizes.sweeps, STATEMENT_TIMEOUT_SECONDS),
        ):
            opened.append(await open_pool(database_url, application_name + name, size, seconds))
    except BaseException:
        for pool in opened:
            pool.terminate()
        raise
    return Pools(*opened)


async def open_pool(
    database_url: str,
    application_name: str,
    connections_max: int,
    statement_seconds: float = STATEMENT_TIMEOUT_SECONDS,
) -> Pool:
    """A pool of at most `connections_max` connections.

    Raises SessionNotKept, asyncpg's or OS errors.
    """
    return await postgres.open_pool(
        database_url,
        session_settings(application_name, statement_seconds),
        connections_max=connections_max,
        connect_seconds=CONNECT_TIMEOUT_SECONDS,
        command_seconds=statement_seconds + COMMAND_MARGIN_SECONDS,
        setup=_Planned(),
    )


def session_settings(
    application_name: str, statement_seconds: float = STATEMENT_TIMEOUT_SECONDS
) -> dict[str, str]:
    """What every session of the scheduler is set to."""
    return {
        "application_name": application_name,
        "statement_timeout": f"{statement_seconds * 1000:.0f}ms",
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
