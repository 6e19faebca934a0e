"""Claims that end without an end of their job: released, or expired. The job runs again,
still first of its key, or ends with ERROR when its attempts are spent.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from scheduler_service.jobs.requests import Written
from scheduler_service.jobs.retry import (
    Again,
    Spent,
    after_drain,
    after_expiry,
    after_fault,
    after_not_ready,
    drain_costs_an_attempt,
    expiry_pause_seconds,
)
from scheduler_service.jobs.states import JobResult
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.core.rows import ClaimOfWorkerRow, End, JobRow, LinkRow
from scheduler_service.store.core.statements import statement
from scheduler_service.store.core.unit_of_work import Event, Needs, UnitOfWork
from scheduler_service.store.ending.end_jobs import end_jobs, needs_of_end, pipelines_of
from scheduler_service.store.ending.in_doubt import mark_in_doubt
from scheduler_service.store.release.company import Expired, lock_expired
from scheduler_service.store.release.supersede import needs_of_duplicates, supersede_duplicates


class Fault(StrEnum):
    """Why a claim ends without an end of its job; the word in the timeline."""

    DRAIN = "released"
    RETRY_LATER = "retry_later"
    EXPIRY = "expired"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True)
class ReleasedClaim:
    """One claim that lets go of its job."""

    job_id: int
    claim_token: int
    fault: Fault
    written: Written
    message: str = ""
    delay_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Decided:
    item: ReleasedClaim
    row: JobRow
    attempts: int
    then: Again | Spent


async def release_claims(tx: UnitOfWork, items: Sequence[ReleasedClaim]) -> set[int]:
    """Tokens of the claims that held their jobs until now. Nothing else is changed.

    Raises JobTypeUnknown: the job's end, if this is it, might have to be followed by something.
    """
    await _lock(tx, items)
    rows = {
        row.job_id: row
        for row in await statement("lock_jobs").rows(
            tx.conn, JobRow, job_ids=sorted({i.job_id for i in items})
        )
    }
    holders = [i for i in items if i.job_id in rows and _holds(rows[i.job_id], i)]
    # A beat may have come between the sweep's look and these locks: the lease is read again.
    expired = await lock_expired(tx, [i.claim_token for i in holders if i.fault is Fault.EXPIRY])
    holders = [i for i in holders if i.fault is not Fault.EXPIRY or i.claim_token in expired]
    if not holders:
        return set()
    for item in holders:
        job_type_of(rows[item.job_id].job_type)
        tx.require(needs_of_end(rows[item.job_id], ()))
    decided = [_decide(item, rows[item.job_id], expired) for item in holders]
    over = await statement("delete_claims").rows(
        tx.conn, ClaimOfWorkerRow, claim_tokens=[i.claim_token for i in holders]
    )
    await statement("drop_staged_children").run(
        tx.conn,
        parent_job_ids=[i.job_id for i in holders],
        claim_tokens=[i.claim_token for i in holders],
    )
    unknown = [d for d in decided if d.item.written is Written.UNKNOWN]
    await mark_in_doubt(tx, [(d.row, d.item.claim_token) for d in unknown])
    workers = {row.claim_token: row.worker_id for row in over}
    tx.events += [_event(d, workers.get(d.item.claim_token)) for d in decided]
    await _run_again(tx, [d for d in decided if isinstance(d.then, Again)])
    await _abandon(tx, [d for d in decided if isinstance(d.then, Spent)])
    return {item.claim_token for item in holders}


def _holds(row: JobRow, item: ReleasedClaim) -> bool:
    return row.claim_token == item.claim_token


async def _lock(tx: UnitOfWork, items: Sequence[ReleasedClaim]) -> None:
    rows = await statement("peek_jobs").rows(
        tx.conn, JobRow, job_ids=sorted({i.job_id for i in items})
    )
    joined: dict[int, list[int]] = {}
    for link in await statement("links_of_jobs").rows(
        tx.conn, LinkRow, job_ids=[row.job_id for row in rows if row.coalesce_key is not None]
    ):
        joined.setdefault(link.job_id, []).append(link.pipeline_id)
    needs = Needs()
    for row in rows:
        needs |= needs_of_end(row, joined.get(row.job_id, ()))
    needs |= await needs_of_duplicates(tx, rows)
    await tx.lock(needs)


def _decide(item: ReleasedClaim, row: JobRow, expired: Mapping[int, Expired]) -> _Decided:
    attempts, maximum = row.attempts, row.attempts_max
    match item.fault:
        case Fault.DRAIN if not drain_costs_an_attempt(row.releases):
            return _Decided(item, row, attempts - 1, Again(0.0))
        case Fault.DRAIN:
            return _Decided(item, row, attempts, after_drain(attempts, maximum))
        case Fault.EXPIRY:
            claim = expired[item.claim_token]
            pause = expiry_pause_seconds(_spread(), claim.late_seconds)
            if claim.beside_others:
                # Who of them took the others along is not known: none is charged.
                return _Decided(item, row, attempts - 1, Again(pause))
            return _Decided(item, row, attempts, after_expiry(attempts, maximum, pause))
        case Fault.RETRY_LATER:
            return _Decided(item, row, attempts, after_fault(attempts, maximum, item.delay_seconds))
        case Fault.NOT_READY:
            return _Decided(item, row, attempts - 1, after_not_ready())


def _spread() -> float:
    return random.random()  # noqa: S311


def _event(decided: _Decided, worker_id: UUID | None) -> Event:
    row, item = decided.row, decided.item
    return Event(
        row.tenant,
        row.pipeline_id,
        row.job_id,
        item.claim_token,
        item.fault,
        item.message,
        worker_id,
    )


async def _run_again(tx: UnitOfWork, decided: Sequence[_Decided]) -> None:
    if not decided:
        return
    await supersede_duplicates(tx, [d.row for d in decided])
    await statement("release_jobs_again").run(
        tx.conn,
        job_ids=[d.row.job_id for d in decided],
        attempts=[d.attempts for d in decided],
        **_counted(decided),
        delays=[d.then.delay_seconds for d in decided if isinstance(d.then, Again)],
        messages=[d.item.message for d in decided],
    )
    for d in decided:
        if d.row.exclusive_key is None:
            tx.maybe_due_jobs.add(d.row.job_id)
        else:
            tx.unsettled_keys.add(d.row.exclusive_key)


def _counted(decided: Sequence[_Decided]) -> dict[str, list[int]]:
    return {
        "releases": [int(d.item.fault is Fault.DRAIN) for d in decided],
        "expiries": [int(d.item.fault is Fault.EXPIRY) for d in decided],
    }


async def _abandon(tx: UnitOfWork, decided: Sequence[_Decided]) -> None:
    if not decided:
        return
    await statement("abandon_jobs").run(
        tx.conn,
        job_ids=[d.row.job_id for d in decided],
        messages=[_last_words(d) for d in decided],
        error_causes=["attempts_spent" for _ in decided],
        versions=[tx.pipeline(d.row.pipeline_id).next_version for d in decided],
        **_counted(decided),
    )
    tokens = {
        row.job_id: row.in_doubt_token
        for row in await statement("peek_jobs").rows(
            tx.conn, JobRow, job_ids=[d.row.job_id for d in decided]
        )
    }
    pipelines = await pipelines_of(tx, [d.row for d in decided])
    await end_jobs(
        tx,
        [
            End(
                row=d.row,
                result=JobResult.ERROR,
                pipeline_ids=pipelines[d.row.job_id],
                token=d.item.claim_token,
                in_doubt_token=tokens[d.row.job_id],
            )
            for d in decided
        ],
    )


def _last_words(decided: _Decided) -> str:
    why = decided.item.message or f"the last claim {decided.item.fault.value.replace('_', ' ')}"
    return f"gave up after {decided.attempts} attempts: {why}"
