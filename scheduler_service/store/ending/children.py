"""What follows a job that ends well: children that its claim staged, and what else must follow."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scheduler_service.jobs.job_types import JOB_TYPES, JobType, follow_ups, follows_data_only
from scheduler_service.jobs.requests import Child, ChildDisposition, Disposition
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of, may_write
from scheduler_service.store.core.freshness import AGGREGATION, RECALCULATION
from scheduler_service.store.core.rows import End, StagedChildRow, StagedScopeRow
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Needs, UnitOfWork
from scheduler_service.store.ending.insert_jobs import NewJob, insert_jobs

# Made in one go, so that other calls are served in between.
CHILDREN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Released:
    """A child whose parent has finished well."""

    parent: End
    child: Child


@dataclass(frozen=True, slots=True)
class ChildAnswer:
    """What became of a child of a job."""

    parent_job_id: int
    decided: ChildDisposition


def needs_of_children(rows: Sequence[StagedScopeRow]) -> Needs:
    """The keys and years that staged children of these scopes will need."""
    return _needs_of(
        (row.job_type, Scope(row.tenant, row.module, row.data_entry_type, row.year, row.unit))
        for row in rows
    )


async def take_staged(tx: UnitOfWork, ends: Sequence[End]) -> list[Released]:
    """Remove what these claims staged; what is returned is to become jobs."""
    parents = [end for end in ends if end.has_children]
    if not parents:
        return []
    rows = await statement("take_staged_children").rows(
        tx.conn,
        StagedChildRow,
        parent_job_ids=[end.row.job_id for end in parents],
        claim_tokens=[end.token for end in parents],
    )
    by_job = {end.row.job_id: end for end in parents}
    released: list[Released] = []
    for start in range(0, len(rows), CHILDREN_AT_ONCE):
        part = rows[start : start + CHILDREN_AT_ONCE]
        released += [Released(by_job[row.parent_job_id], _child(row)) for row in part]
        await asyncio.sleep(0)
    return [r for r in released if r.parent.done]


def follow_up_needs(job_type: JobType, scope: Scope) -> Needs:
    """What must be locked for the jobs that must follow this one.

    Few aggregations are followed by anything: what those need is locked when it is known.
    """
    if not job_type.writes_data or job_type.name == AGGREGATION:
        return Needs()
    if scope.reference_kind is not None:
        return Needs(open_years_of=frozenset({scope.tenant}))
    return _needs_of(follow_ups(job_type.name, scope, ()))


def _needs_of(jobs: Iterable[tuple[str, Scope]]) -> Needs:
    """The keys and years of jobs of these types and scopes."""
    keys, years = set(), set()
    for name, scope in jobs:
        job_type = job_type_of(name)
        if (key := job_type.exclusive_key(scope)) is not None:
            keys.add(key)
        if (year := job_type.open_year(scope)) is not None:
            years.add((scope.tenant, year))
    return Needs(keys=frozenset(keys), years=frozenset(years))


async def owed_follow_ups(
    tx: UnitOfWork, ends: Sequence[End], released: Sequence[Released]
) -> list[Released]:
    """What must follow these ends and was not staged: released beside the staged children.

    A worker may forget to stage, or find the work of an earlier attempt done and stage nothing.
    Where it says that it changed nothing, totals may still lack an earlier change, as after a
    cancelled aggregation: whoever repeats an upload is to get them.
    """
    parents = {end.row.job_id for end in ends if may_write(end.row.job_type)}
    staged = {
        (r.parent.row.job_id, r.child.job_type, r.child.scope)
        for r in released
        if r.parent.row.job_id in parents
    }
    declared = await _declared(tx, [end for end in ends if end.done])
    doubtful = [child for end, child in declared if not end.owes_follow_ups]
    unseen = await _unseen(tx, [child for child in doubtful if child.job_type == RECALCULATION])
    owed = [
        Released(end, child)
        for end, child in declared
        if (end.owes_follow_ups or child.scope in unseen)
        and (end.row.job_id, child.job_type, child.scope) not in staged
    ]
    of_totals = [one.child for one in owed if one.parent.row.job_type == AGGREGATION]
    tx.require(_needs_of((child.job_type, child.scope) for child in of_totals))
    return owed


async def _unseen(tx: UnitOfWork, recalculations: Sequence[Child]) -> set[Scope]:
    """Of types and years, those whose last change the totals of their module have not seen, and
    no job that is not over will.

    Read without a lock: whoever changes something meanwhile owes follow-ups of its own.
    """
    scopes = list({child.scope for child in recalculations})
    if not scopes:
        return set()
    recalculation, aggregation = JOB_TYPES[RECALCULATION], JOB_TYPES[AGGREGATION]
    rows = await statement("unseen_types").rows(
        tx.conn,
        _PlaceRow,
        tenants=[scope.tenant for scope in scopes],
        types=[scope.data_entry_type for scope in scopes],
        years=[scope.year for scope in scopes],
        modules=[scope.module for scope in scopes],
        recalculations=[recalculation.exclusive_key(scope) for scope in scopes],
        aggregations=[aggregation.exclusive_key(scope.narrowed(None)) for scope in scopes],
    )
    return {scopes[row.place - 1] for row in rows}


async def _declared(tx: UnitOfWork, ends: Sequence[End]) -> list[tuple[End, Child]]:
    """The jobs that must follow the whole scope of each, as far as types have data."""
    declared = [
        (end, child)
        for end in ends
        for child in follow_up_children(end, tx.held_years(end.scope.tenant))
    ]
    asked = [child for end, child in declared if follows_data_only(end.row.job_type)]
    known = await with_data(tx, asked)
    return [
        (end, child)
        for end, child in declared
        if child.scope in known or not follows_data_only(end.row.job_type)
    ]


async def with_data(tx: UnitOfWork, children: Sequence[Child]) -> set[Scope]:
    """Those of their scopes whose type ever had data in the year."""
    scopes = list({child.scope for child in children})
    if not scopes:
        return set()
    rows = await statement("scopes_with_data").rows(
        tx.conn,
        _PlaceRow,
        tenants=[scope.tenant for scope in scopes],
        types=[scope.data_entry_type for scope in scopes],
        years=[scope.year for scope in scopes],
    )
    return {scopes[row.place - 1] for row in rows}


def follow_up_children(end: End, years: tuple[int, ...]) -> list[Child]:
    """The jobs that must follow the job's whole scope; of reference data in some years."""
    return [
        Child(f"follow_up:{job_type}:{scope.data_entry_type}:{scope.year}", job_type, scope, None)
        for job_type, scope in follow_ups(end.row.job_type, end.scope, years)
    ]


async def insert_children(tx: UnitOfWork, released: Sequence[Released]) -> list[ChildAnswer]:
    """Make jobs of those children that wait for no barrier."""
    answers: list[ChildAnswer] = []
    open_children = []
    for item in released:
        if job_type_of(item.child.job_type).barrier is not None:
            continue
        if year_is_closed(tx, item.child.job_type, item.child.scope):
            answers.append(_answer(item, Disposition.SKIPPED_LOCKED))
        else:
            open_children.append(item)
    tx.freshness.released(r.child for r in released)
    places = await _places(tx, open_children)
    # The sort is stable: of each parent the children keep their order.
    open_children.sort(key=lambda item: not _takes_place(item))
    for start in range(0, len(open_children), CHILDREN_AT_ONCE):
        part = open_children[start : start + CHILDREN_AT_ONCE]
        inserted = await insert_jobs(tx, [_new_job(item, places) for item in part])
        answers += [
            _answer(item, job.disposition, job.job_id)
            for item, job in zip(part, inserted, strict=True)
        ]
    return answers


def _takes_place(item: Released) -> bool:
    """Whether the child stands where its parent stood, before what was submitted after the parent:
    the parts of a file are as old as the file. Who may join another waits as that one does.
    """
    job_type, parent = job_type_of(item.child.job_type), item.parent.row
    return (
        parent.exclusive_key is not None
        and job_type.exclusive_key(item.child.scope) == parent.exclusive_key
        and job_type.coalesce_key(item.child.scope) is None
    )


async def _places(tx: UnitOfWork, released: Iterable[Released]) -> Mapping[int, int]:
    """Of parents whose place is taken: their numbers behind their keys."""
    parents = sorted({item.parent.row.job_id for item in released if _takes_place(item)})
    if not parents:
        return {}
    rows = await statement("places_of_jobs").rows(tx.conn, _KeyNumberRow, job_ids=parents)
    return {row.job_id: row.key_number for row in rows}


def year_is_closed(tx: UnitOfWork, job_type: str, scope: Scope) -> bool:
    """Whether the child's year is locked or was never provisioned."""
    year = job_type_of(job_type).open_year(scope)
    return year is not None and not tx.year_is_open(scope.tenant, year)


def _new_job(item: Released, places: Mapping[int, int]) -> NewJob:
    return NewJob(
        pipeline_ids=item.parent.pipeline_ids,
        job_type=item.child.job_type,
        scope=item.child.scope,
        payload=item.child.payload,
        priority=item.parent.row.priority,
        parent_job_id=item.parent.row.job_id,
        child_key=item.child.child_key,
        key_number=places[item.parent.row.job_id] if _takes_place(item) else None,
    )


def _answer(item: Released, disposition: Disposition, job_id: int = 0) -> ChildAnswer:
    decided = ChildDisposition(item.child.child_key, disposition, job_id)
    return ChildAnswer(item.parent.row.job_id, decided)


def _child(row: StagedChildRow) -> Child:
    scope = Scope(row.tenant, row.module, row.data_entry_type, row.year, row.unit)
    return Child(row.child_key, row.job_type, scope, row.payload)


class _PlaceRow(Row):
    __slots__ = ()
    place: int


class _KeyNumberRow(Row):
    __slots__ = ()
    job_id: int
    key_number: int
