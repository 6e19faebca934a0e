"""The one function that every end of a live job runs: counters, key, children, held children.

A claim that an operator took the job from drains first: the job's key stays taken until the worker
lets go or the lease is over.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from scheduler_service.jobs.requests import ChildDisposition, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.jobs.stored_types import ending_type
from scheduler_service.store.core.freshness import AGGREGATION, RECALCULATION
from scheduler_service.store.core.rows import (
    SCOPES_REMEMBERED_MAX,
    ClaimTokenRow,
    End,
    EndingJobRow,
    JoinableRow,
    LinkRow,
)
from scheduler_service.store.core.statements import statement
from scheduler_service.store.core.unit_of_work import MustLockMore, Needs, UnitOfWork, all_of
from scheduler_service.store.ending import barrier, children
from scheduler_service.store.ending.barrier import WAITING_FOR
from scheduler_service.store.ending.in_doubt import mark_in_doubt, repair, writes_data

# Worker and principal.
Holder: TypeAlias = tuple[UUID, str]


def _may_release(name: str) -> bool:
    """Whether the end of such a job may release jobs by itself: what waits for it, or what must
    follow it, which is among its children.
    """
    return bool(ending_type(name).children) or name in WAITING_FOR


def needs_of_ends(rows: Sequence[EndingJobRow]) -> Needs:
    """What must be locked to end these jobs, whatever their ends; without who joined them."""
    own_keys = {row.exclusive_key for row in rows if row.exclusive_key is not None}
    own = Needs(frozenset({row.pipeline_id for row in rows}), frozenset(own_keys))
    releasing = {(row.job_type, row.scope) for row in rows if _may_release(row.job_type)}
    return all_of([own, *(_released_by_end(name, scope) for name, scope in releasing)])


def needs_of_end(row: EndingJobRow, joined_by: Sequence[int]) -> Needs:
    """What must be locked to end this job, whatever its end: its pipelines, its own key,
    and the keys of what its end may release by itself.
    """
    released = _released_by_end(row.job_type, row.scope)
    own_key = frozenset({row.exclusive_key} if row.exclusive_key is not None else ())
    return Needs(
        pipelines=frozenset({row.pipeline_id, *joined_by}),
        keys=own_key | released.keys,
        years=released.years,
        open_years_of=released.open_years_of,
    )


@lru_cache(maxsize=SCOPES_REMEMBERED_MAX)
def _released_by_end(name: str, scope: Scope) -> Needs:
    job_type = ending_type(name)
    return children.follow_up_needs(job_type, scope) | barrier.needs_of_end(job_type, scope)


async def pipelines_of(tx: UnitOfWork, rows: Sequence[JoinableRow]) -> dict[int, tuple[int, ...]]:
    """Per job its owner, then who joined it, read again under locks; MustLockMore if they grew.

    Only a coalescing job can be joined, so nothing is read for the others.
    """
    joinable = [row.job_id for row in rows if row.coalesce_key is not None]
    joined: dict[int, list[int]] = {}
    if joinable:
        for link in await statement("links_of_jobs").rows(tx.conn, LinkRow, job_ids=joinable):
            joined.setdefault(link.job_id, []).append(link.pipeline_id)
    found = {row.job_id: (row.pipeline_id, *sorted(joined.get(row.job_id, []))) for row in rows}
    missing = {p for ids in found.values() for p in ids} - tx.pipelines.keys()
    if missing:
        raise MustLockMore(Needs(pipelines=frozenset(missing)))
    return found


class JobEndedTwice(Exception):
    """A defect: one transaction was about to count two ends of one job."""


async def end_jobs(
    tx: UnitOfWork, ends: Sequence[End]
) -> Mapping[int, tuple[ChildDisposition, ...]]:
    """Everything that follows from these ends, in this transaction. Per job its children.

    Raises JobEndedTwice, before anything is counted, if a job is named twice.
    """
    if len({end.row.job_id for end in ends}) < len(ends):
        raise JobEndedTwice(f"jobs {sorted(end.row.job_id for end in ends)}")
    for end in ends:
        _count(tx, end)
    tx.ended += ends
    ends = [end for end in ends if end.has_needs]
    if not ends:
        return {}
    for end in ends:
        _leave_key(tx, end)
        _record(tx, end)
    await _touch_joined(tx, ends)
    released = await children.take_staged(tx, ends)
    released += await children.owed_follow_ups(tx, ends, released)
    answers = await children.insert_children(tx, released)
    answers += await barrier.settle(tx, ends, released)
    await repair(tx, ends)
    by_job: dict[int, list[ChildDisposition]] = {}
    for answer in answers:
        by_job.setdefault(answer.parent_job_id, []).append(answer.decided)
    return {job_id: tuple(decided) for job_id, decided in by_job.items()}


def _count(tx: UnitOfWork, end: End) -> None:
    for pipeline_id in end.pipeline_ids:
        state = tx.pipeline(pipeline_id)
        state.job_ended(end.result, end.row.job_id)


def _record(tx: UnitOfWork, end: End) -> None:
    job_type = end.row.job_type
    if job_type in (RECALCULATION, AGGREGATION):
        in_doubt = end.in_doubt_token is not None
        tx.freshness.ended(
            job_type,
            end.scope,
            end.token,
            done=end.done,
            in_doubt=in_doubt,
            # Whoever stages totals holds them for stale.
            changed_nothing=end.changed_nothing and not end.has_children,
        )


def _leave_key(tx: UnitOfWork, end: End) -> None:
    exclusive_key = end.row.exclusive_key
    if exclusive_key is None:
        return
    key = tx.key(exclusive_key)
    if end.drains:
        key.drain_token = end.token
    if key.first_job_id == end.row.job_id:
        key.first_job_id = None
    tx.unsettled_keys.add(exclusive_key)


async def _touch_joined(tx: UnitOfWork, ends: Sequence[End]) -> None:
    joined = sorted((p, end.row.job_id) for end in ends for p in end.pipeline_ids[1:])
    if joined:
        await statement("touch_links").run(
            tx.conn,
            pipeline_ids=[pipeline_id for pipeline_id, _ in joined],
            job_ids=[job_id for _, job_id in joined],
            versions=[tx.pipeline(pipeline_id).next_version for pipeline_id, _ in joined],
        )


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
    await _let_go(tx, [(row, said[row.drain_token]) for row in drained])
    return ended


async def _let_go(tx: UnitOfWork, drained: Sequence[tuple[DrainingRow, Written]]) -> None:
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
