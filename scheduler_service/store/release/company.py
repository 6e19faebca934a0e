"""Which expired claims ran beside others in one worker process."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork


class WorkerRow(Row):
    """A worker that holds claims besides those in question."""

    __slots__ = ()
    worker_id: UUID


class ExpiredClaimRow(Row):
    """An expired claim, locked."""

    __slots__ = ()
    claim_token: int
    worker_id: UUID
    had_company: bool


async def lock_expired(tx: UnitOfWork, claim_tokens: Collection[int]) -> dict[int, bool]:
    """Of these claims those whose lease is over, locked; per claim whether it ran beside others.

    The jobs are locked. A worker's claims need not expire at once: each that is left is marked, so
    that the last one does not look as if it had run alone.
    """
    if not claim_tokens:
        return {}
    rows = await statement("lock_expired_claims").rows(
        tx.conn, ExpiredClaimRow, claim_tokens=sorted(claim_tokens)
    )
    together = Counter(row.worker_id for row in rows)
    unmarked = {row.worker_id for row in rows if not row.had_company}
    beside = await mark_company(tx, unmarked, [row.claim_token for row in rows])
    return {
        row.claim_token: row.had_company or together[row.worker_id] > 1 or row.worker_id in beside
        for row in rows
    }


async def mark_company(
    tx: UnitOfWork, worker_ids: Collection[UUID], claim_tokens: Collection[int]
) -> set[UUID]:
    """Mark what these workers hold besides these claims. Returns those that hold any."""
    if not worker_ids:
        return set()
    rows = await statement("mark_company").rows(
        tx.conn, WorkerRow, worker_ids=sorted(worker_ids), claim_tokens=sorted(claim_tokens)
    )
    return {row.worker_id for row in rows}
