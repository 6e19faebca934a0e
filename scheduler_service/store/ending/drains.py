"""A claim that an operator took the job from drains: the job's key stays taken until the worker
lets go or the lease is over.
"""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

from scheduler_service.jobs.requests import Written
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.store.core.ends import End
from scheduler_service.store.core.rows import ClaimTokenRow, EndingJobRow
from scheduler_service.store.core.statements import statement
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.ending.end_jobs import needs_of_end
from scheduler_service.store.ending.in_doubt import mark_in_doubt, repair, writes_data

# Worker and principal.
Holder: TypeAlias = tuple[UUID, str]


class DrainingRow(EndingJobRow):
    """A claim that drains, with the job that it had."""

    __slots__ = ()
    drain_token: int
    drain_worker_id: UUID
    drain_principal: str
    in_doubt_token: int | None
    state: str


async def end_drains_of(
    tx: UnitOfWork, claims: Sequence[tuple[int, Holder | None, Written]]
) -> set[int]:
    """End those of these claims (token, holder or None for the sweep, what it wrote) that drain.

    Returns the tokens of the ended ones. MustLockMore if their rows are not locked yet.
    """
    if not claims:
        return set()
    found = await statement("draining_claims").rows(
        tx.conn, DrainingRow, claim_tokens=sorted({token for token, _, _ in claims})
    )
    holders = {row.drain_token: (row.drain_worker_id, row.drain_principal) for row in found}
    said = {token: written for token, by, written in claims if by in (None, holders.get(token))}
    rows = [row for row in found if row.drain_token in said]
    for row in rows:
        tx.require(needs_of_end(row, ()))
    if not rows:
        return set()
    deleted = await statement("delete_drained_claims").rows(
        tx.conn, ClaimTokenRow, claim_tokens=[row.drain_token for row in rows]
    )
    ended = {row.claim_token for row in deleted}
    drained = [row for row in rows if row.drain_token in ended]
    await _release(tx, [(row, said[row.drain_token]) for row in drained])
    return ended


async def _release(tx: UnitOfWork, drained: Sequence[tuple[DrainingRow, Written]]) -> None:
    unknown = [row for row, written in drained if written is Written.UNKNOWN]
    await mark_in_doubt(tx, [(row, row.drain_token) for row in unknown])
    newly_in_doubt = {row.job_id: row.drain_token for row in unknown if writes_data(row)}
    ends = []
    for row, _ in drained:
        if row.exclusive_key is not None:
            key = tx.key(row.exclusive_key)
            if key.drain_token == row.drain_token:
                key.drain_token = None
            tx.unsettled_keys.add(row.exclusive_key)
        if row.state != JobState.FINISHED:
            # Recovered, not cancelled: it runs again, and its own end settles what is in doubt.
            continue
        in_doubt_token = newly_in_doubt.get(row.job_id, row.in_doubt_token)
        owner = (row.pipeline_id,)
        ends.append(
            End(row, JobResult.CANCELLED, owner, row.drain_token, in_doubt_token=in_doubt_token)
        )
    await repair(tx, ends)
