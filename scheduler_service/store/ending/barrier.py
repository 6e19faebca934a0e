"""A child with a barrier is held until the last job it waits for has ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scheduler_service.jobs.job_types import JOB_TYPES, JobType
from scheduler_service.jobs.requests import ChildDisposition, Disposition
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.core.rows import End
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Needs, UnitOfWork
from scheduler_service.store.ending.children import ChildAnswer, Released, year_is_closed
from scheduler_service.store.ending.insert_jobs import InsertedJob, NewJob, insert_jobs

WAITING_FOR: dict[str, tuple[JobType, ...]] = {
    after: tuple(t for t in JOB_TYPES.values() if t.barrier and t.barrier.after == after)
    for after in {t.barrier.after for t in JOB_TYPES.values() if t.barrier}
}


@dataclass(frozen=True, slots=True, order=True)
class _HeldChild:
    """What a pipeline waits to have: one job of the type for (module, year)."""

    pipeline_id: int
    job_type: str
    tenant: str
    module: int
    year: int
    parent_job_id: int
    child_key: str
    priority: int
    # The priority with which it is held already.
    stored_priority: int | None

    @property
    def is_changed(self) -> bool:
        """Whether its row is missing, or less urgent than it must be."""
        return self.stored_priority is None or self.priority < self.stored_priority

    @property
    def identity(self) -> tuple[int, str, int, int]:
        return self.pipeline_id, self.job_type, self.module, self.year

    @property
    def scope(self) -> Scope:
        return Scope(self.tenant, module=self.module, year=self.year)


def needs_of_end(job_type: JobType, scope: Scope) -> Needs:
    """The keys of jobs that an end of this one may turn from held children into jobs."""
    waiting = WAITING_FOR.get(job_type.name, ())
    keys = (w.exclusive_key(scope.narrowed(None)) for w in waiting)
    years = (
        frozenset({(scope.tenant, scope.year)})
        if waiting and scope.year is not None
        else frozenset[tuple[str, int]]()
    )
    return Needs(keys=frozenset(key for key in keys if key is not None), years=years)


async def settle(
    tx: UnitOfWork, ends: Sequence[End], released: Sequence[Released]
) -> list[ChildAnswer]:
    """Decide every child that these ends hold or touch: it stays held, or turns into a job.

    Runs after the ends and the new jobs are written: what is still live is read in a
    statement of its own, under the pipelines' locks.
    """
    candidates: dict[tuple[int, str, int, int], _HeldChild] = {}
    # Whoever wants it, it is one child, with the best priority; one that is stored is counted.
    for child in (*_held_by_barrier(released), *await _stored(tx, ends)):
        earlier = candidates.get(child.identity, child)
        best = min(child.priority, earlier.priority)
        candidates[child.identity] = replace(child, priority=best)
    if not candidates:
        return []
    held = await _held(tx, list(candidates.values()))
    ordered = [candidate for _, candidate in sorted(candidates.items())]
    ready = [w for w in ordered if w.identity not in held]
    await _hold(tx, [w for w in ordered if w.identity in held and w.is_changed])
    await _let_go(tx, ready)
    closed = [w for w in ready if year_is_closed(tx, w.job_type, w.scope)]
    jobs = await _make_jobs(tx, [w for w in ready if w not in closed])
    return _answers(released, held, jobs)


def _held_by_barrier(released: Sequence[Released]) -> list[_HeldChild]:
    candidates = []
    for item in released:
        scope, job_type = item.child.scope, job_type_of(item.child.job_type)
        if job_type.barrier is None or scope.module is None or scope.year is None:
            continue
        candidates += [
            _HeldChild(
                pipeline_id=pipeline_id,
                job_type=job_type.name,
                tenant=scope.tenant,
                module=scope.module,
                year=scope.year,
                parent_job_id=item.parent.row.job_id,
                child_key=item.child.child_key,
                priority=item.parent.row.priority,
                stored_priority=None,
            )
            for pipeline_id in item.parent.pipeline_ids
        ]
    return candidates


async def _stored(tx: UnitOfWork, ends: Sequence[End]) -> list[_HeldChild]:
    pipelines = {
        pipeline_id
        for end in ends
        if end.row.job_type in WAITING_FOR
        for pipeline_id in end.pipeline_ids
    }
    if not pipelines:
        return []
    rows = await statement("held_children_of").rows(
        tx.conn, _HeldChildRow, pipeline_ids=sorted(pipelines)
    )
    return [
        _HeldChild(
            pipeline_id=row.pipeline_id,
            job_type=row.job_type,
            tenant=tx.pipeline(row.pipeline_id).tenant,
            module=row.module,
            year=row.year,
            parent_job_id=row.parent_job_id,
            child_key=row.child_key,
            priority=row.priority,
            stored_priority=row.priority,
        )
        for row in rows
    ]


async def _held(tx: UnitOfWork, candidates: Sequence[_HeldChild]) -> set[tuple[int, str, int, int]]:
    """Identities of the children whose barrier still has a live job in the pipeline."""
    barriers = [job_type_of(w.job_type).barrier for w in candidates]
    rows = await statement("children_still_held").rows(
        tx.conn,
        _StillHeldRow,
        pipeline_ids=[w.pipeline_id for w in candidates],
        job_types=[w.job_type for w in candidates],
        after_types=[b.after if b is not None else "" for b in barriers],
        modules=[w.module for w in candidates],
        years=[w.year for w in candidates],
    )
    return {(r.pipeline_id, r.job_type, r.module, r.year) for r in rows}


async def _hold(tx: UnitOfWork, candidates: Sequence[_HeldChild]) -> None:
    """One that is stored has become more urgent: the others are left as they are."""
    if not candidates:
        return
    rows = await statement("hold_children").rows(
        tx.conn,
        _HoldingRow,
        pipeline_ids=[w.pipeline_id for w in candidates],
        job_types=[w.job_type for w in candidates],
        modules=[w.module for w in candidates],
        years=[w.year for w in candidates],
        parent_job_ids=[w.parent_job_id for w in candidates],
        child_keys=[w.child_key for w in candidates],
        priorities=[w.priority for w in candidates],
    )
    for row in rows:
        if row.is_new:
            tx.pipeline(row.pipeline_id).job_added()


async def _let_go(tx: UnitOfWork, candidates: Sequence[_HeldChild]) -> None:
    stored = [w for w in candidates if w.stored_priority is not None]
    if not stored:
        return
    rows = await statement("delete_held_children").rows(
        tx.conn,
        _PipelineRow,
        pipeline_ids=[w.pipeline_id for w in stored],
        job_types=[w.job_type for w in stored],
        modules=[w.module for w in stored],
        years=[w.year for w in stored],
    )
    for row in rows:
        tx.pipeline(row.pipeline_id).job_left()


async def _make_jobs(
    tx: UnitOfWork, candidates: Sequence[_HeldChild]
) -> dict[tuple[str, Scope], InsertedJob]:
    """One job per type and scope, for all the pipelines that hold it."""
    grouped: dict[tuple[str, Scope], NewJob] = {}
    for child in candidates:
        group = (child.job_type, child.scope)
        new_job = grouped.get(group)
        if new_job is None:
            grouped[group] = NewJob(
                (child.pipeline_id,),
                child.job_type,
                child.scope,
                priority=child.priority,
                parent_job_id=child.parent_job_id,
                child_key=child.child_key,
            )
        else:
            ids = (*new_job.pipeline_ids, child.pipeline_id)
            best = min(new_job.priority, child.priority)
            grouped[group] = replace(new_job, pipeline_ids=ids, priority=best)
    inserted = await insert_jobs(tx, list(grouped.values()))
    return dict(zip(grouped, inserted, strict=True))


def _answers(
    released: Sequence[Released],
    held: set[tuple[int, str, int, int]],
    jobs: dict[tuple[str, Scope], InsertedJob],
) -> list[ChildAnswer]:
    answers = []
    for item in released:
        if job_type_of(item.child.job_type).barrier is None:
            continue
        scope, owner = item.child.scope, item.parent.pipeline_ids[0]
        job = jobs.get((item.child.job_type, scope))
        if (owner, item.child.job_type, scope.module, scope.year) in held:
            decided = ChildDisposition(item.child.child_key, Disposition.HELD, 0)
        elif job is None:
            decided = ChildDisposition(item.child.child_key, Disposition.SKIPPED_LOCKED, 0)
        else:
            decided = ChildDisposition(item.child.child_key, job.disposition, job.job_id)
        answers.append(ChildAnswer(item.parent.row.job_id, decided))
    return answers


class _PipelineRow(Row):
    """The pipeline of a child that is held now, or no longer."""

    __slots__ = ()
    pipeline_id: int


class _HoldingRow(_PipelineRow):
    __slots__ = ()
    is_new: bool


class _StillHeldRow(_PipelineRow):
    __slots__ = ()
    job_type: str
    module: int
    year: int


class _HeldChildRow(_StillHeldRow):
    __slots__ = ()
    parent_job_id: int
    child_key: str
    priority: int
