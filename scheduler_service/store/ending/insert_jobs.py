"""Makes jobs: each is created, queued behind its key, or joined to a waiting duplicate."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from scheduler_service.jobs.requests import Disposition, Json
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobState
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.core.rows import LinkRow
from scheduler_service.store.core.statements import Row, sparse, statement
from scheduler_service.store.core.unit_of_work import KeyState, Needs, UnitOfWork

PRIORITY_DEFAULT = 5
Group = TypeVar("Group", bound=Hashable)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job wanted by pipelines: the first would own it, the others are linked to it.

    With a `key_number`, which is that of the job it follows, it stands at the head of its key. Such
    a job joins no other, and is inserted before any newcomer of the key.
    """

    pipeline_ids: tuple[int, ...]
    job_type: str
    scope: Scope
    payload: Json | None = None
    priority: int = PRIORITY_DEFAULT
    parent_job_id: int | None = None
    child_key: str | None = None
    job_id: int | None = None
    key_number: int | None = None

    @property
    def coalesce_key(self) -> str | None:
        """Under which it joins a waiting duplicate."""
        return job_type_of(self.job_type).coalesce_key(self.scope)

    @property
    def exclusive_key(self) -> str | None:
        """Whose jobs run one at a time."""
        return job_type_of(self.job_type).exclusive_key(self.scope)


@dataclass(frozen=True, slots=True)
class InsertedJob:
    """The job that came of it, its owner, and how."""

    job_id: int
    owner_id: int
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class _NumberedJob:
    new_job: NewJob
    job_id: int
    state: JobState
    key_number: int | None


class AllocatedRow(Row):
    """Numbers for new pipelines and jobs."""

    __slots__ = ()
    pipeline_ids: list[int]
    job_ids: list[int]


class _InsertedRow(Row):
    __slots__ = ()
    job_id: int
    pipeline_id: int
    coalesce_key: str | None


def needs_of(new_jobs: Sequence[NewJob]) -> Needs:
    """The keys that must be locked to insert these."""
    keys = (new_job.exclusive_key for new_job in new_jobs)
    return Needs(keys=frozenset(key for key in keys if key is not None))


async def insert_jobs(tx: UnitOfWork, new_jobs: Sequence[NewJob]) -> list[InsertedJob]:
    """Insert or join, one answer per request, in order. Pipelines and keys are locked."""
    if not new_jobs:
        return []
    leaders = _leaders(new_jobs)
    # All keys at once: a transaction that starts over for each of them does so too often.
    tx.require(needs_of(new_jobs))
    # A job of the same batch may have left the key while a duplicate waits behind it.
    at_head = needs_of([new_job for new_job in new_jobs if new_job.key_number is not None]).keys
    await tx.pass_on(needs_of(new_jobs).keys - at_head)
    best = best_priorities(
        (_group(index, new_job), new_job.priority) for index, new_job in enumerate(new_jobs)
    )
    rows = await _new_rows(
        tx,
        [replace(new_jobs[i], priority=best[group]) for group, i in leaders.items()],
    )
    inserted_leaders = await _insert(tx, rows)
    by_key = dict(zip(leaders.keys(), inserted_leaders, strict=True))
    answers = []
    for index, new_job in enumerate(new_jobs):
        inserted = by_key[_group(index, new_job)]
        is_leader = leaders[_group(index, new_job)] == index
        answers.append(inserted if is_leader else _as_joined(inserted))
    await _link(tx, new_jobs, answers)
    return answers


def _group(index: int, new_job: NewJob) -> str | int:
    return new_job.coalesce_key or index


def _leaders(new_jobs: Sequence[NewJob]) -> dict[str | int, int]:
    """The first request of each coalesce key: a statement may not touch a row twice."""
    leaders: dict[str | int, int] = {}
    for index, new_job in enumerate(new_jobs):
        leaders.setdefault(_group(index, new_job), index)
    return leaders


def best_priorities(wanted: Iterable[tuple[Group, int]]) -> dict[Group, int]:
    """A job is as urgent as the most urgent of the group that wants it."""
    best: dict[Group, int] = {}
    for group, priority in wanted:
        best[group] = min(priority, best.get(group, priority))
    return best


def _as_joined(inserted: InsertedJob) -> InsertedJob:
    return InsertedJob(inserted.job_id, inserted.owner_id, Disposition.JOINED)


async def _new_rows(tx: UnitOfWork, new_jobs: Sequence[NewJob]) -> list[_NumberedJob]:
    missing = sum(new_job.job_id is None for new_job in new_jobs)
    drawn: list[int] = []
    if missing:
        (ids,) = await statement("allocate_ids").rows(
            tx.conn, AllocatedRow, pipelines=0, jobs=missing
        )
        drawn = list(ids.job_ids)
    return [
        _behind_its_key(tx, new_job, new_job.job_id if new_job.job_id is not None else drawn.pop(0))
        for new_job in new_jobs
    ]


def _behind_its_key(tx: UnitOfWork, new_job: NewJob, job_id: int) -> _NumberedJob:
    if new_job.exclusive_key is None:
        return _NumberedJob(new_job, job_id, JobState.QUEUED, None)
    key = tx.key(new_job.exclusive_key)
    number, must_wait, is_first = take_number(key, new_job.key_number)
    if is_first:
        key.first_job_id = job_id
    state = JobState.NOT_STARTED if must_wait else JobState.QUEUED
    return _NumberedJob(new_job, job_id, state, number)


def take_number(key: KeyState, taken: int | None = None) -> tuple[int, bool, bool]:
    """A newcomer's number behind a locked key, whether it must wait, and whether it is first.

    Who is first is inserted for certain: without a live job of the key no duplicate can wait. A
    number that is `taken` over belongs to nobody who lives but those who take it, too.
    """
    number = key.next_number if taken is None else taken
    key.next_number += taken is None
    is_first = key.first_job_id is None
    return number, not is_first or key.drain_token is not None, is_first


async def _insert(tx: UnitOfWork, rows: Sequence[_NumberedJob]) -> list[InsertedJob]:
    inserted = await statement("insert_jobs").rows(tx.conn, _InsertedRow, **_columns(tx, rows))
    by_key: dict[str | None, _InsertedRow] = {
        row.coalesce_key: row for row in inserted if row.coalesce_key is not None
    }
    answers = []
    for row in rows:
        found = by_key.get(row.new_job.coalesce_key)
        if found is not None and found.job_id != row.job_id:
            joined = InsertedJob(found.job_id, found.pipeline_id, Disposition.JOINED)
            answers.append(joined)
            continue
        tx.pipeline(row.new_job.pipeline_ids[0]).job_added()
        answers.append(_created(tx, row))
    return answers


def _created(tx: UnitOfWork, row: _NumberedJob) -> InsertedJob:
    owner = row.new_job.pipeline_ids[0]
    if row.state is JobState.QUEUED:
        tx.woken_types.add(row.new_job.job_type)
        return InsertedJob(row.job_id, owner, Disposition.CREATED)
    return InsertedJob(row.job_id, owner, Disposition.QUEUED_BEHIND)


def _columns(tx: UnitOfWork, rows: Sequence[_NumberedJob]) -> dict[str, list[Any] | None]:
    new_jobs = [row.new_job for row in rows]
    scopes = [new_job.scope for new_job in new_jobs]
    return {
        "job_ids": [row.job_id for row in rows],
        "pipeline_ids": [new_job.pipeline_ids[0] for new_job in new_jobs],
        "tenants": [scope.tenant for scope in scopes],
        "job_types": [new_job.job_type for new_job in new_jobs],
        "modules": sparse([scope.module for scope in scopes]),
        "data_entry_types": sparse([scope.data_entry_type for scope in scopes]),
        "years": sparse([scope.year for scope in scopes]),
        "units": sparse([scope.unit for scope in scopes]),
        "reference_kinds": sparse([scope.reference_kind for scope in scopes]),
        "payloads": sparse([new_job.payload for new_job in new_jobs]),
        "states": [str(row.state) for row in rows],
        "priorities": [new_job.priority for new_job in new_jobs],
        "attempts_maxima": [job_type_of(new_job.job_type).attempts_max for new_job in new_jobs],
        "coalesce_keys": sparse([new_job.coalesce_key for new_job in new_jobs]),
        "exclusive_keys": sparse([new_job.exclusive_key for new_job in new_jobs]),
        "key_numbers": sparse([row.key_number for row in rows]),
        "slot_keys": sparse([job_type_of(p.job_type).slot_key(p.scope) for p in new_jobs]),
        "parent_job_ids": sparse([new_job.parent_job_id for new_job in new_jobs]),
        "child_keys": sparse([new_job.child_key for new_job in new_jobs]),
        "changed_versions": [tx.pipeline(p.pipeline_ids[0]).next_version for p in new_jobs],
    }


async def _link(tx: UnitOfWork, new_jobs: Sequence[NewJob], answers: Sequence[InsertedJob]) -> None:
    wanted = sorted(
        {
            (pipeline_id, inserted.job_id)
            for new_job, inserted in zip(new_jobs, answers, strict=True)
            for pipeline_id in new_job.pipeline_ids
            if pipeline_id != inserted.owner_id
        }
    )
    if not wanted:
        return
    new = await statement("link_jobs").rows(
        tx.conn,
        LinkRow,
        pipeline_ids=[pipeline_id for pipeline_id, _ in wanted],
        job_ids=[job_id for _, job_id in wanted],
        versions=[tx.pipeline(pipeline_id).next_version for pipeline_id, _ in wanted],
    )
    for row in new:
        tx.pipeline(row.pipeline_id).job_added()
