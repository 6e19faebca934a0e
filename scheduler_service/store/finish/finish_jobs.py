"""Finish: the compare-and-set, with everything that follows from it, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple
from uuid import UUID

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import (
    FinishAnswer,
    FinishOutcome,
    FinishRequest,
    Refused,
    Written,
    ones_own,
)
from scheduler_service.jobs.states import JobResult
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.core.rows import (
    End,
    EndingJobRow,
    LockedPipelineRow,
    StagedScopeRow,
)
from scheduler_service.store.core.statements import Row, sparse, statement
from scheduler_service.store.core.unit_of_work import MustLockMore, Needs, UnitOfWork, all_of
from scheduler_service.store.ending import children
from scheduler_service.store.ending.barrier import WAITING_FOR
from scheduler_service.store.ending.end_jobs import end_drains_of, end_jobs, needs_of_ends
from scheduler_service.store.ending.in_doubt import mark_in_doubt

APPLIED = FinishAnswer(FinishOutcome.APPLIED)
# What several jobs may have staged that end in one transaction.
CHILDREN_TOGETHER_MAX = 10_000


@cache
def _year_types() -> frozenset[str]:
    """Types whose end may release jobs into a year, which must then be held: their children, their
    follow-ups, or what waits for them. Those of a deployment are declared by now.
    """
    return frozenset(
        t.name
        for t in JOB_TYPES.values()
        if t.name in WAITING_FOR or any(JOB_TYPES[c].needs_provisioned_year for c in t.children)
    )


class TooManyTogether(Exception):
    """These jobs have staged too many children for one transaction: finish fewer at once."""


class _Holder(NamedTuple):
    """A job and the first request of the claim that holds it, as the look before the locks found
    them; `position` is the request's in the batch.
    """

    row: "_FinishingRow"
    request: FinishRequest
    position: int
    # Whether its end touches more than its pipeline.
    has_needs: bool


async def finish_jobs(
    tx: UnitOfWork, requests: Sequence[FinishRequest]
) -> list[FinishAnswer | Refused]:
    """One answer per request, in order. A claim named twice is decided by its first request.

    Raises TooManyTogether for more than one job, and JobTypeUnknown.
    """
    holders, repeats = await _hold(tx, requests)
    for holder in holders.values():
        # What follows from its end, only a release that knows the type can tell.
        job_type_of(holder.row.job_type)
    await _lock_keys(tx, [holder.row for holder in holders.values() if holder.has_needs])
    applied = await _compare_and_set(tx, holders)
    decided = await end_jobs(tx, await _ends(tx, holders, applied))
    answers: list[FinishAnswer | Refused | None] = [None] * len(requests)
    for job_id in applied:
        answers[holders[job_id].position] = APPLIED
    for job_id, decisions in decided.items():
        answers[holders[job_id].position] = FinishAnswer(FinishOutcome.APPLIED, decisions)
    for position, job_id in repeats:
        if job_id in applied:
            answers[position] = _repeat(requests[position], holders[job_id].request)
    if None in answers:
        await _answer_refused(tx, requests, answers)
    return [answer for answer in answers if answer is not None]


async def _hold(
    tx: UnitOfWork, requests: Sequence[FinishRequest]
) -> tuple[dict[int, _Holder], list[tuple[int, int]]]:
    """Lock the years and pipelines that these ends touch. Who holds its job, by the job's number;
    and the positions of further requests by the same claims, with their jobs.
    """
    await tx.lock_years(tx.extra_needs)
    found = await statement("hold_finishing_jobs").rows(
        tx.conn,
        _FinishingRow,
        job_ids=[r.job_id for r in requests],
        claim_tokens=[r.claim_token for r in requests],
        worker_ids=[r.worker_id for r in requests],
        principals=[r.principal for r in requests],
        year_types=sorted(_year_types()),
        pipeline_ids=sorted(tx.extra_needs.pipelines),
    )
    holders: dict[int, _Holder] = {}
    repeats: list[tuple[int, int]] = []
    for row in found:
        number = row.number
        if number is None:
            if row.year is None or row.locked is None:
                tx.hold_pipeline(row)
            else:
                tx.hold_year(row.tenant, row.year, locked=row.locked)
            continue
        position, job_id = number - 1, row.job_id
        if row.tenant not in requests[position].tenants:
            continue
        if job_id in holders:
            # Of a claim's requests the first counts, in whatever order they are found.
            first = holders[job_id].position
            repeats.append((max(first, position), job_id))
            position = min(first, position)
        has_needs = row.exclusive_key is not None or row.has_children
        holders[job_id] = _Holder(row, requests[position], position, has_needs)
    return holders, repeats


async def _lock_keys(tx: UnitOfWork, rows: Sequence["_FinishingRow"]) -> None:
    """The keys of these jobs, and of what their ends may release; their years are held."""
    tx.held = tx.extra_needs
    if rows:
        years = {
            (row.tenant, row.year)
            for row in rows
            if row.job_type in _year_types() and row.year is not None
        }
        tenants = {row.tenant for row in rows if row.reference_kind is not None}
        tx.held |= Needs(years=frozenset(years), open_years_of=frozenset(tenants))
    needs = [needs_of_ends(rows)]
    parents = [row for row in rows if row.has_children]
    if parents:
        staged = await _staged(tx, parents)
        if len(parents) > 1 and sum(row.children for row in staged) > CHILDREN_TOGETHER_MAX:
            raise TooManyTogether(f"{len(parents)} jobs")
        needs.append(children.needs_of_children(staged))
    wanted = all_of(needs)
    tx.require(replace(wanted, keys=frozenset()))
    await tx.lock_keys(wanted.keys | tx.extra_needs.keys)


async def _staged(tx: UnitOfWork, parents: Sequence[EndingJobRow]) -> list[StagedScopeRow]:
    return await statement("staged_children_of").rows(
        tx.conn, StagedScopeRow, parent_job_ids=[row.job_id for row in parents]
    )


async def _compare_and_set(
    tx: UnitOfWork, holders: Mapping[int, _Holder]
) -> dict[int, "_EndedRow"]:
    """Job rows that were ended, by id."""
    if not holders:
        return {}
    ordered = [holders[job_id] for job_id in sorted(holders)]
    requests = [holder.request for holder in ordered]
    owners = [holder.row.pipeline_id for holder in ordered]
    ended = await statement("finish_jobs").rows(
        tx.conn,
        _EndedRow,
        job_ids=[r.job_id for r in requests],
        claim_tokens=[r.claim_token for r in requests],
        results=[r.result.value for r in requests],
        messages=sparse([r.message or None for r in requests]),
        error_causes=sparse([r.error_cause or None for r in requests]),
        stats=sparse([r.stats for r in requests]),
        versions=[tx.pipelines[owner].next_version for owner in owners],
    )
    return {row.job_id: row for row in ended}


async def _ends(
    tx: UnitOfWork, holders: Mapping[int, _Holder], applied: Mapping[int, "_EndedRow"]
) -> list[End]:
    """The ends that were, with the mark of those that may have written unseen."""
    ends = []
    for job_id, ended in applied.items():
        row, request, _, has_needs = holders[job_id]
        owner, token, has_children = ended.pipeline_id, request.claim_token, False
        if owner != row.pipeline_id:
            # Ownership passed on between the look and the lock.
            raise MustLockMore(Needs(pipelines=frozenset({owner})))
        pipeline_ids = (owner, *_joined_by(tx, ended)) if has_needs else (owner,)
        if has_needs:
            has_children = row.has_children
        if not has_children:
            tx.childless.append((job_id, token))
        ends.append(
            End(
                row,
                request.result,
                pipeline_ids,
                token,
                False,
                ended.in_doubt_token,
                has_children,
                has_needs,
                request.written is Written.NOTHING,
            )
        )
    return await _with_marks(tx, holders, ends)


async def _with_marks(tx: UnitOfWork, holders: Mapping[int, _Holder], ends: list[End]) -> list[End]:
    """Years that were provisioned; claims that may have written unseen."""
    moving = [end for end in ends if end.has_needs]
    if not moving:
        return ends
    await _provision_years(tx, moving)
    in_doubt = {
        end.row.job_id: end.token
        for end in moving
        if _is_in_doubt(end.row, holders[end.row.job_id].request)
    }
    if not in_doubt:
        return ends
    await mark_in_doubt(tx, [(holders[job_id].row, token) for job_id, token in in_doubt.items()])
    return [
        end._replace(in_doubt_token=in_doubt.get(end.row.job_id, end.in_doubt_token))
        for end in ends
    ]


def _joined_by(tx: UnitOfWork, ended: "_EndedRow") -> Sequence[int]:
    """Who joined it, as the compare-and-set read it under the pipelines' locks."""
    joined_by: Sequence[int] = ended.joined_by or ()
    missing = frozenset(p for p in joined_by if p not in tx.pipelines)
    if missing:
        raise MustLockMore(Needs(pipelines=missing))
    return joined_by


def _is_in_doubt(row: EndingJobRow, request: FinishRequest) -> bool:
    may_have_written = request.result is JobResult.ERROR and request.written is Written.UNKNOWN
    return may_have_written and JOB_TYPES[row.job_type].writes_data


async def _provision_years(tx: UnitOfWork, ends: Sequence[End]) -> None:
    years = sorted(
        {
            (end.scope.tenant, end.scope.year)
            for end in ends
            if JOB_TYPES[end.row.job_type].provisions_year and end.done and end.scope.year
        }
    )
    if years:
        await statement("provision_years").run(
            tx.conn, tenants=[tenant for tenant, _ in years], years=[year for _, year in years]
        )


def _repeat(request: FinishRequest, first: FinishRequest) -> FinishAnswer:
    same = request.result is first.result
    return FinishAnswer(FinishOutcome.ALREADY_APPLIED if same else FinishOutcome.CONFLICT)


async def _answer_refused(
    tx: UnitOfWork, requests: Sequence[FinishRequest], answers: list[FinishAnswer | Refused | None]
) -> None:
    """Say why the unanswered ones did not apply: read again, now that all is decided."""
    refused = [
        (position, requests[position]) for position, answer in enumerate(answers) if answer is None
    ]
    found = await statement("finished_jobs").rows(
        tx.conn, _FinishedRow, job_ids=sorted({request.job_id for _, request in refused})
    )
    rows = {row.job_id: row for row in found}
    stale = []
    for position, request in refused:
        answer = answers[position] = _why_refused(rows.get(request.job_id), request)
        if isinstance(answer, FinishAnswer) and answer.outcome is FinishOutcome.STALE:
            stale.append(request)
    await end_drains_of(
        tx, [(r.claim_token, (r.worker_id, r.principal), _written_of(r)) for r in stale]
    )


def _why_refused(found: "_FinishedRow | None", request: FinishRequest) -> FinishAnswer | Refused:
    row = ones_own("job", request.job_id, found, request.tenants)
    if isinstance(row, Refused):
        return row
    if row.finished_by_token != request.claim_token or _is_stranger(row, request):
        return FinishAnswer(FinishOutcome.STALE)
    if row.result == request.result:
        return FinishAnswer(FinishOutcome.ALREADY_APPLIED)
    return FinishAnswer(FinishOutcome.CONFLICT)


def _is_stranger(row: "_FinishedRow", request: FinishRequest) -> bool:
    """Whether another worker or principal has ended the job, as far as that is known: the worker of
    a job that ended long ago may be forgotten.
    """
    return row.finished_by_worker_id not in (None, request.worker_id) or (
        row.finished_by_principal not in (None, request.principal)
    )


def _written_of(request: FinishRequest) -> Written:
    """A cancelled job's claim that comes to Finish has ended its drain; what did it write?"""
    return request.written if request.result is JobResult.ERROR else Written.UNKNOWN


class _FinishingRow(EndingJobRow, LockedPipelineRow):
    """A job, which has a number, a locked pipeline, or a held year.

    The columns of the other two are NULL.
    """

    __slots__ = ()
    number: int | None
    has_children: bool
    locked: bool | None


class _EndedRow(Row):
    """A job that was ended; `joined_by` is None if nobody can join it."""

    __slots__ = ()
    job_id: int
    pipeline_id: int
    in_doubt_token: int | None
    joined_by: list[int] | None


class _FinishedRow(Row):
    """A job that a Finish did not end."""

    __slots__ = ()
    job_id: int
    tenant: str
    result: str | None
    finished_by_token: int | None
    finished_by_worker_id: UUID | None
    finished_by_principal: str | None
