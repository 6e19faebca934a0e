"""What time makes due, a bounded batch at a time; every step is an ordinary transaction."""

from collections.abc import Sequence

from scheduler_service.jobs.requests import Written
from scheduler_service.store.core.rows import ClaimTokenRow, StandingJobRow
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Needs, UnitOfWork
from scheduler_service.store.ending.drains import DrainingRow, end_drains_of
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims

BATCH_MAX = 200


async def expire_claims(units: UnitRunner, lease_seconds: float, sweep_seconds: float) -> int:
    """Take back what expired claims held, and end expired drains. Returns how many expired.

    After an outage of the sweep itself (longer than half a lease and three sweeps) every live
    claim is granted one lease first: nobody could beat.
    """
    outage_seconds = max(lease_seconds / 2, 3 * sweep_seconds)
    async with units.pool.acquire() as conn, conn.transaction():
        granted = await statement("grant_after_outage").rows(
            conn, ClaimTokenRow, outage_seconds=outage_seconds, lease_seconds=lease_seconds
        )
        await statement("record_sweep").run(conn)
    if granted:
        return 0
    expired = 0
    async with units.pool.acquire() as conn:
        claims = await statement("expired_claims").rows(conn, _ExpiredRow, claims_max=BATCH_MAX)
    live = [c for c in claims if not c.draining]
    drained = [c for c in claims if c.draining]
    if live:
        expired += len(await units.run(lambda tx: release_claims(tx, _expiries(live))))
    if drained:
        expired += len(await units.run(lambda tx: _end_drains(tx, drained)))
    return expired


def _expiries(claims: Sequence["_ExpiredRow"]) -> list[ReleasedClaim]:
    return [ReleasedClaim(c.job_id, c.claim_token, Fault.EXPIRY, Written.UNKNOWN) for c in claims]


async def _end_drains(tx: UnitOfWork, claims: Sequence["_ExpiredRow"]) -> set[int]:
    await tx.lock(Needs())
    return await end_drains_of(tx, [(c.claim_token, None, Written.UNKNOWN) for c in claims])


async def promote_due_jobs(units: UnitRunner) -> int:
    """Queue waiting jobs whose time has come and who are first of their key. Returns how many
    were looked at.
    """

    async def promote(tx: UnitOfWork) -> int:
        rows = await statement("due_jobs").rows(tx.conn, _DueRow, jobs_max=BATCH_MAX)
        keys = {row.exclusive_key for row in rows if row.exclusive_key is not None}
        await tx.lock(Needs(keys=frozenset(keys)))
        tx.unsettled_keys |= keys
        tx.maybe_due_jobs |= {row.job_id for row in rows if row.exclusive_key is None}
        return len(rows)

    return await units.run(promote)


async def seconds_to_next_due(units: UnitRunner) -> float | None:
    """How long until the next waiting job's time comes; None when none waits for its time."""
    async with units.pool.acquire() as conn:
        rows = await statement("seconds_to_next_due").rows(conn, _SecondsRow)
    return rows[0].seconds if rows else None


async def backstop(units: UnitRunner) -> int:
    """Move keys on that were left standing. Finding one is a bug: the caller logs and counts it."""

    async def settle(tx: UnitOfWork) -> int:
        rows = await statement("neglected_keys").rows(tx.conn, _KeyRow, keys_max=BATCH_MAX)
        keys = frozenset(row.exclusive_key for row in rows)
        await tx.lock(Needs(keys=keys))
        # Read again under the locks: an end may have been on its way.
        still = await statement("neglected_keys").rows(tx.conn, _KeyRow, keys_max=BATCH_MAX)
        neglected = keys & {row.exclusive_key for row in still}
        for exclusive_key in neglected:
            await _reset(tx, exclusive_key)
        tx.unsettled_keys |= neglected
        return len(neglected)

    return await units.run(settle)


async def _reset(tx: UnitOfWork, exclusive_key: str) -> None:
    key = tx.key(exclusive_key)
    if key.drain_token is not None:
        draining = await statement("draining_claims").rows(
            tx.conn, DrainingRow, claim_tokens=[key.drain_token]
        )
        key.drain_token = key.drain_token if draining else None
    if key.first_job_id is not None:
        rows = await statement("peek_jobs").rows(
            tx.conn, StandingJobRow, job_ids=[key.first_job_id]
        )
        is_live = any(row.state != "FINISHED" for row in rows)
        key.first_job_id = key.first_job_id if is_live else None


async def forget_old(units: UnitRunner) -> None:
    """Drop what is remembered for a while only: replayable claims, workers long gone."""
    async with units.pool.acquire() as conn:
        await statement("forget_requests").run(conn, requests_max=10 * BATCH_MAX)
        await statement("forget_workers").run(conn)


class _ExpiredRow(Row):
    __slots__ = ()
    claim_token: int
    job_id: int
    draining: bool


class _DueRow(Row):
    __slots__ = ()
    job_id: int
    exclusive_key: str | None


class _KeyRow(Row):
    __slots__ = ()
    exclusive_key: str


class _SecondsRow(Row):
    __slots__ = ()
    seconds: float
