"""Which expired claims ran beside others in one worker process."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork


class WorkerRow(Row):
    """A worker that holds claims besides those in question."""

    __slots__ = ()
    worker_id: UUID
    all_marked: bool


class ExpiredClaimRow(Row):
    """An expired claim, locked."""

    __slots__ = ()
    claim_token: int
    worker_id: UUID
    had_company: bool
    late_seconds: float


@dataclass(frozen=True, slots=True)
class Expired:
    """A claim whose lease has been over for `late_seconds`; whether it ran beside others."""

    beside_others: bool
    late_seconds: float


async def lock_expired(tx: UnitOfWork, claim_tokens: Collection[int]) -> dict[int, Expired]:
    """Of these claims those whose lease is over, locked.

    The jobs are locked. A worker's claims need not expire at once: each that is left is marked, so
    that the last one does not look as if it had run alone. Waits for nothing: who holds one claim
    and waits for its neighbours would deadlock with whoever began with a neighbour. So a claim is
    left out while somebody else has locked it, or a neighbour that is to be marked.
    """
    if not claim_tokens:
        return {}
    rows = await statement("lock_expired_claims").rows(
        tx.conn, ExpiredClaimRow, claim_tokens=sorted(claim_tokens)
    )
    together = Counter(row.worker_id for row in rows)
    beside = await mark_company(tx, together, [row.claim_token for row in rows])
    return {
        row.claim_token: Expired(
            row.had_company or together[row.worker_id] > 1 or row.worker_id in beside,
            row.late_seconds,
        )
        for row in rows
        if beside.get(row.worker_id, True)
    }


async def mark_company(
    tx: UnitOfWork, worker_ids: Collection[UUID], claim_tokens: Collection[int]
) -> dict[UUID, bool]:
    """Mark what these workers hold besides these claims.

    Whether all have their mark, of each worker that holds any: of one with a claim that somebody
    else has locked, none is marked now.
    """
    if not worker_ids:
        return {}
    rows = await statement("mark_company").rows(
        tx.conn, WorkerRow, worker_ids=sorted(worker_ids), claim_tokens=sorted(claim_tokens)
    )
    return {row.worker_id: row.all_marked for row in rows}
