"""RecoverJob: an operator takes a job from a claim that expired, or whose handler hangs."""

from datetime import datetime
from uuid import UUID

import asyncpg

from scheduler_service.jobs.requests import Recovered, Recovery, Refused, ones_own
from scheduler_service.store.core.rows import JobRow, LinkRow
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Event, UnitOfWork
from scheduler_service.store.ending.end_jobs import needs_of_end
from scheduler_service.store.ending.in_doubt import mark_in_doubt
from scheduler_service.store.release.company import mark_company
from scheduler_service.store.release.supersede import needs_of_duplicates, supersede_duplicates


class HoldingClaimRow(Row):
    """A claim that holds a job, locked, with what is left of its lease."""

    __slots__ = ()
    claim_token: int
    worker_id: UUID
    lease_until: datetime
    seconds_left: float


class RecoveryRow(Row):
    """An operator took the job from the claim."""

    __slots__ = ()
    is_recovered: bool


async def recover_job(tx: UnitOfWork, wanted: Recovery) -> Recovered | Refused:
    """What became of the claim, or why the job was left to it."""
    row = await _locked(tx, wanted)
    if isinstance(row, Refused):
        return row
    token = row.claim_token
    if token is None or wanted.claim_token not in (0, token):
        return await _answer_again(tx, wanted, row)
    (claim,) = await statement("lock_claim").rows(tx.conn, HoldingClaimRow, claim_token=token)
    is_live = claim.seconds_left > 0
    if is_live and not wanted.force:
        return _still_live(row, claim)
    tx.require(needs_of_end(row, ()))
    await statement("drop_staged_children").run(
        tx.conn, parent_job_ids=[row.job_id], claim_tokens=[token]
    )
    if is_live:
        await _drain(tx, row)
    else:
        await _mark_neighbours(tx, claim)
        await statement("delete_claims").run(tx.conn, claim_tokens=[token])
        await mark_in_doubt(tx, [(row, token)])
    await _run_again(tx, row, claim, is_live=is_live)
    detail = f"by {wanted.principal}{': ' if wanted.reason else ''}{wanted.reason}"
    owner = row.pipeline_id
    tx.events.append(
        Event(row.tenant, owner, row.job_id, token, "recovered", detail, claim.worker_id)
    )
    return Recovered(owner, token, claim.seconds_left if is_live else 0.0)


async def _locked(tx: UnitOfWork, wanted: Recovery) -> JobRow | Refused:
    """The job, locked, or why there is none for these tenants."""
    found = await statement("peek_jobs").rows(tx.conn, JobRow, job_ids=[wanted.job_id])
    own = ones_own("job", wanted.job_id, found[0] if found else None, wanted.tenants)
    if isinstance(own, Refused):
        return own
    links = await statement("links_of_jobs").rows(tx.conn, LinkRow, job_ids=[wanted.job_id])
    needs = needs_of_end(own, [link.pipeline_id for link in links])
    await tx.lock(needs | await needs_of_duplicates(tx, found))
    (row,) = await statement("lock_jobs").rows(tx.conn, JobRow, job_ids=[wanted.job_id])
    return row


async def _answer_again(tx: UnitOfWork, wanted: Recovery, row: JobRow) -> Recovered | Refused:
    """A repeat of a call that named the claim gets the answer of the first."""
    job_id, token = wanted.job_id, wanted.claim_token
    if token and await statement("recovery_of_claim").rows(
        tx.conn, RecoveryRow, job_id=job_id, claim_token=token
    ):
        left = await statement("lock_claim").rows(tx.conn, HoldingClaimRow, claim_token=token)
        return Recovered(row.pipeline_id, token, left[0].seconds_left if left else 0.0)
    if row.claim_token is None:
        message = f"job {job_id} does not run: there is no claim to take it from"
    else:
        message = f"claim {token} no longer holds job {job_id}: claim {row.claim_token} does"
    return Refused("NOTHING_TO_RECOVER", message)


def _still_live(row: JobRow, claim: HoldingClaimRow) -> Refused:
    message = (
        f"claim {claim.claim_token} of worker {claim.worker_id} holds job {row.job_id}, "
        f"and its lease lasts for {claim.seconds_left:.0f} s: only force takes the job from it"
    )
    return Refused("CLAIM_LIVE", message, {"claim_token": str(claim.claim_token)})


async def _mark_neighbours(tx: UnitOfWork, claim: HoldingClaimRow) -> None:
    """They had company. Raises LockNotAvailableError while somebody else has locked one."""
    marked = await mark_company(tx, [claim.worker_id], [claim.claim_token])
    if not marked.get(claim.worker_id, True):
        raise asyncpg.LockNotAvailableError("a claim of the same worker is locked")


async def _drain(tx: UnitOfWork, row: JobRow) -> None:
    """The claim goes on without the job, and keeps its key taken until it lets go or expires."""
    await statement("drain_claims").run(tx.conn, claim_tokens=[row.claim_token])
    if row.exclusive_key is not None:
        tx.key(row.exclusive_key).drain_token = row.claim_token


async def _run_again(tx: UnitOfWork, row: JobRow, claim: HoldingClaimRow, *, is_live: bool) -> None:
    await supersede_duplicates(tx, [row])
    await statement("recover_job").run(
        tx.conn,
        job_id=row.job_id,
        expiries=int(not is_live),
        run_after=claim.lease_until if is_live else None,
    )
    if row.exclusive_key is None:
        tx.maybe_due_jobs.add(row.job_id)
    else:
        tx.unsettled_keys.add(row.exclusive_key)
