"""What time makes due, a bounded batch at a time; every step is an ordinary transaction."""

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

from carbonline.postgres.errors import ANY_DATABASE_ERROR, fails_everything, is_answer
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Written
from scheduler_service.jobs.stored_types import JobTypeUnknown
from scheduler_service.store.core.rows import ClaimTokenRow, JobRow
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.set_aside import Step
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.core.unit_of_work import Needs, UnitOfWork
from scheduler_service.store.ending.end_jobs import DrainingRow, end_drains_of
from scheduler_service.store.release.company import lock_expired
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims
from scheduler_service.store.sweep.set_asides import DueRow, SetAsides

BATCH_MAX = 200
# Of which one look of the backstop learns whether they stand still.
KEYS_MAX = 1_000
# A step that has more to do than this goes on with the next sweep, so that others have their turn.
STEP_SECONDS_MAX = 30.0


class ExpireClaims:
    """Takes back what expired claims held, and ends expired drains. One per store."""

    def __init__(
        self,
        units: UnitRunner,
        set_asides: SetAsides,
        lease_seconds: float,
        sweep_seconds: float,
    ) -> None:
        """An outage is longer than half a lease and three sweeps, where sweeps do not fail."""
        self._units = units
        self._set_asides = set_asides
        self._lease_seconds = lease_seconds
        self._outage_seconds = max(lease_seconds / 2, 3 * sweep_seconds)
        self._found_outage = False
        self._lost_database = False

    async def look(self) -> int:
        """Until nothing is due. Returns how many claims expired.

        After an outage of the sweep itself every live claim is granted one lease first: nobody
        could beat. So it is after a look that the database answered as it answers everybody: one
        that is full takes a write now and then, and it may be that of a sweep, or one that takes
        nothing back. Where the database did not answer, only the way to it may have been cut: then
        another scheduler's sweep shows that workers could beat.
        """
        try:
            granted = await self._grant_after_outage()
            self._found_outage = self._lost_database = False
            return 0 if granted else await self._take_back_all()
        except ANY_DATABASE_ERROR as error:
            if fails_everything(error):
                self._found_outage |= is_answer(error)
                self._lost_database = True
            raise

    async def _take_back_all(self) -> int:
        expired, token, ends_at = 0, 0, monotonic() + STEP_SECONDS_MAX
        while monotonic() < ends_at:
            async with self._units.pool.acquire() as conn:
                claims = await statement("expired_claims").rows(
                    conn, _ExpiredRow, after_token=token, claims_max=BATCH_MAX
                )
            expired += await _take_back(self._set_asides, claims)
            if len(claims) < BATCH_MAX:
                break
            token = claims[-1].claim_token
        return expired

    async def _grant_after_outage(self) -> Sequence[ClaimTokenRow]:
        async with self._units.pool.acquire() as conn, conn.transaction():
            granted = await statement("grant_after_outage").rows(
                conn,
                ClaimTokenRow,
                outage_seconds=0.0 if self._found_outage else self._outage_seconds,
                own_sweep_at=self._set_asides.swept_at if self._lost_database else None,
                lease_seconds=self._lease_seconds,
            )
            await self._set_asides.record(conn)
        return granted


async def _take_back(set_asides: SetAsides, claims: Sequence["_ExpiredRow"]) -> int:
    held = [c for c in claims if not c.draining]
    # Those of an unknown type are left to a release that knows it, or to an operator.
    unknown = [c for c in held if c.job_type is not None and c.job_type not in JOB_TYPES]
    reasons = [str(JobTypeUnknown(c["job_type"])) for c in unknown]
    await set_asides.put(Step.EXPIRE, unknown, reasons)
    live = [c for c in held if c.job_type is None or c.job_type in JOB_TYPES]
    # An operator has ended the job, or taken it back: whatever its type, its key moves on.
    drained = [c for c in claims if c.draining]
    expired = await set_asides.do_each(Step.EXPIRE, live, _expire, 0)
    return await set_asides.do_each(Step.EXPIRE, drained, _end_drains, expired)


async def _expire(tx: UnitOfWork, claims: Sequence["_ExpiredRow"]) -> int:
    expiries = [
        ReleasedClaim(c.job_id, c.claim_token, Fault.EXPIRY, Written.UNKNOWN) for c in claims
    ]
    return len(await release_claims(tx, expiries))


async def _end_drains(tx: UnitOfWork, claims: Sequence["_ExpiredRow"]) -> int:
    await tx.lock(Needs())
    expired = await lock_expired(tx, [c.claim_token for c in claims])
    return len(await end_drains_of(tx, [(token, None, Written.UNKNOWN) for token in expired]))


async def promote_due_jobs(units: UnitRunner, set_asides: SetAsides) -> int:
    """Queue waiting jobs whose time has come and who are first of their key, until no job is due.
    Returns how many were looked at.
    """
    looked_at, time, job_id, ends_at = 0, None, 0, monotonic() + STEP_SECONDS_MAX
    while monotonic() < ends_at:
        async with units.pool.acquire() as conn:
            rows = await statement("due_jobs").rows(
                conn, _DueJobRow, after_time=time, after_job_id=job_id, jobs_max=BATCH_MAX
            )
        looked_at += await set_asides.do_each(Step.PROMOTE, rows, _promote, 0)
        if len(rows) < BATCH_MAX:
            break
        time, job_id = rows[-1].run_after, rows[-1].job_id
    return looked_at


async def _promote(tx: UnitOfWork, rows: Sequence["_DueJobRow"]) -> int:
    keys = {row.exclusive_key for row in rows if row.exclusive_key is not None}
    await tx.lock(Needs(keys=frozenset(keys)))
    tx.unsettled_keys |= keys
    tx.maybe_due_jobs |= {row.job_id for row in rows if row.exclusive_key is None}
    return len(rows)


async def seconds_to_next_due(units: UnitRunner, since_seconds: float) -> float | None:
    """How long until a waiting job's time comes or a lease is over, or since when, if that was less
    than `since_seconds` ago; None where there is none.
    """
    async with units.pool.acquire() as conn:
        rows = await statement("seconds_to_next_due").rows(
            conn, _SecondsRow, since_seconds=since_seconds
        )
    return rows[0].seconds if rows else None


class Backstop:
    """Moves keys on that were left standing while jobs wait for them. One per store."""

    def __init__(self, units: UnitRunner, set_asides: SetAsides) -> None:
        """Begins with the first key."""
        self._units = units
        self._set_asides = set_asides
        self._after_key = ""

    async def look(self) -> int:
        """Looks at the next KEYS_MAX keys with waiting jobs. Returns how many had to be moved on:
        each is a bug, which the caller logs and counts.
        """
        async with self._units.pool.acquire() as conn:
            found = await statement("keys_waited_for").rows(
                conn, _WaitingKeyRow, after_key=self._after_key, keys_max=KEYS_MAX
            )
            keys = [row.exclusive_key for row in found]
            rows = await _neglected(conn, keys)
        # After the last key the next look begins with the first one again.
        self._after_key = keys[-1] if len(keys) == KEYS_MAX else ""
        return await self._set_asides.do_each(Step.BACKSTOP, rows, _settle, 0)


async def _neglected(conn: Connection, keys: Sequence[str]) -> "list[_KeyRow]":
    if not keys:
        return []
    return await statement("neglected_keys").rows(conn, _KeyRow, exclusive_keys=list(keys))


async def _settle(tx: UnitOfWork, rows: Sequence["_KeyRow"]) -> int:
    keys = frozenset(row.exclusive_key for row in rows)
    await tx.lock(Needs(keys=keys))
    # Read again under the locks: an end may have been on its way.
    neglected = {row.exclusive_key for row in await _neglected(tx.conn, sorted(keys))}
    for exclusive_key in neglected:
        await _reset(tx, exclusive_key)
    tx.unsettled_keys |= neglected
    return len(neglected)


async def _reset(tx: UnitOfWork, exclusive_key: str) -> None:
    key = tx.key(exclusive_key)
    if key.drain_token is not None:
        draining = await statement("draining_claims").rows(
            tx.conn, DrainingRow, claim_tokens=[key.drain_token]
        )
        key.drain_token = key.drain_token if draining else None
    if key.first_job_id is not None:
        rows = await statement("peek_jobs").rows(tx.conn, JobRow, job_ids=[key.first_job_id])
        is_live = any(row.state != "FINISHED" for row in rows)
        key.first_job_id = key.first_job_id if is_live else None


class _ExpiredRow(DueRow):
    __slots__ = ()
    claim_token: int
    draining: bool
    job_type: str | None
    job_id: int


class _DueJobRow(DueRow):
    __slots__ = ()
    job_id: int
    exclusive_key: str | None
    run_after: datetime


class _KeyRow(DueRow):
    __slots__ = ()
    exclusive_key: str


class _WaitingKeyRow(Row):
    __slots__ = ()
    exclusive_key: str


class _SecondsRow(Row):
    __slots__ = ()
    seconds: float
