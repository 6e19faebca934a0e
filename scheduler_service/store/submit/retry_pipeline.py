"""RetryPipeline: a new pipeline for what another one left undone, and for what follows."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

from scheduler_service.jobs.failed_jobs import kinds_to_retry
from scheduler_service.jobs.requests import (
    Child,
    Disposition,
    Json,
    PipelineRetry,
    Refused,
    Retried,
    RetriedJob,
    ones_own,
)
from scheduler_service.jobs.rivals import Rival, rivals_of
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.chain.chain_children import provisional
from scheduler_service.store.core.rows import ScopeRow
from scheduler_service.store.core.statements import Row, parts_of, statement
from scheduler_service.store.core.unit_of_work import (
    Event,
    MustLockMore,
    Needs,
    PipelineState,
    UnitOfWork,
)
from scheduler_service.store.ending.insert_jobs import (
    AllocatedRow,
    NewJob,
    insert_jobs,
    needs_of,
)
from scheduler_service.store.submit.known_requests import KnownRow, known_requests
from scheduler_service.store.submit.submit_jobs import another_body, why_closed

# A cancelled pipeline may have as many as its jobs may chain.
JOBS_MAX = 100_000
# Of so many at most a repeat is told again.
ANSWERED_AGAIN_MAX = 1_000
# Job type and scope: of many jobs there are few.
Kind: TypeAlias = tuple[str, Scope]


class FailedJobRow(ScopeRow):
    """A job that failed or was cancelled."""

    __slots__ = ()
    job_id: int
    job_type: str
    payload: Json | None
    priority: int


class RetriablePipelineRow(ScopeRow):
    """A pipeline as a retry needs to know it. `oldest` is the first that it runs again, or it."""

    __slots__ = ()
    pipeline_id: int
    kind: str
    status: str
    oldest: int


class PipelineNumberRow(Row):
    """A pipeline, by its number alone."""

    __slots__ = ()
    pipeline_id: int


class NewerUploadRow(PipelineNumberRow):
    """A pipeline with a newer upload, which a job of this type brings."""

    __slots__ = ()
    job_type: str


class _Failed(NamedTuple):
    """The jobs that are to run again, their kinds, and whose newer data they would replace."""

    jobs: list[FailedJobRow]
    kinds: Sequence[Kind]
    rivals: set[Rival]


async def retry_pipeline(tx: UnitOfWork, wanted: PipelineRetry) -> Retried | Refused:
    """The new pipeline with its jobs, or why there is none. A repeat answers the first one.

    Raises JobTypeUnknown: how to make such a job, another release knows.
    """
    request = (wanted.tenant, wanted.request_id)
    known = (await known_requests(tx, [request])).get(request)
    if known is not None:
        same = known.body_digest == wanted.body_digest
        return _again(known) if same else another_body()
    found = await statement("retriable_pipeline").rows(
        tx.conn, RetriablePipelineRow, pipeline_id=wanted.pipeline_id
    )
    pipeline = ones_own(
        "pipeline", wanted.pipeline_id, found[0] if found else None, (wanted.tenant,)
    )
    if isinstance(pipeline, Refused):
        return pipeline
    failed = await _failed(tx, pipeline)
    if isinstance(failed, Refused):
        return failed
    # Nobody deletes the pipeline while it is locked, nor later while its retry is live.
    own = Needs(pipelines=frozenset({wanted.pipeline_id}))
    await tx.lock(own | _needs_of(failed.kinds))
    locked = ones_own(
        "pipeline", wanted.pipeline_id, tx.pipelines.get(wanted.pipeline_id), (wanted.tenant,)
    )
    if isinstance(locked, Refused):
        return locked
    # Under the keys' locks: a newer upload that ends now has ended, or comes behind.
    refused = await _why_not(tx, pipeline, failed)
    if refused is not None:
        if await known_requests(tx, [request]):
            # It came in twice at once, and the other one has committed what is in the way.
            raise MustLockMore(Needs())
        return refused
    if wanted.validate_only:
        return await _validated(tx, failed.jobs)
    return await _create(tx, wanted, pipeline, failed.jobs)


def _again(known: KnownRow) -> Retried:
    """The first answer; without its jobs if they were not kept."""
    kept = [] if known.retried is None else known.retried["jobs"]
    jobs = (RetriedJob(old, new, name, Disposition(how)) for old, new, name, how in kept)
    return Retried(known.pipeline_id, tuple(jobs), is_replay=True)


async def _failed(tx: UnitOfWork, pipeline: RetriablePipelineRow) -> _Failed | Refused:
    """What is to run again; what follows from it is left to it."""
    number = pipeline.pipeline_id
    if pipeline.status == "LIVE":
        message = f"pipeline {number} has not ended: cancel it first, or wait for its end"
        return Refused("NOTHING_TO_RETRY", message)
    rows = await statement("failed_jobs_of").many_rows(
        tx.conn, FailedJobRow, pipeline_id=number, jobs_max=JOBS_MAX
    )
    if not rows:
        message = f"no job of pipeline {number} failed or was cancelled: nothing to retry"
        return Refused("NOTHING_TO_RETRY", message)
    kinds: dict[Kind, None] = {}
    async for part in parts_of(rows):
        kinds.update(dict.fromkeys(map(_kind, part)))
    chosen = kinds_to_retry(kinds)
    failed = _Failed([], [kind for kind in kinds if kind in chosen], set())
    async for part in parts_of(rows):
        jobs = [row for row in part if _kind(row) in chosen]
        failed.jobs.extend(jobs)
        failed.rivals.update(r for j in jobs for r in rivals_of(j.job_type, j.scope, j.payload))
    return failed


def _kind(job: FailedJobRow) -> Kind:
    return job.job_type, job.scope


def _needs_of(kinds: Sequence[Kind]) -> Needs:
    """The years and keys of such jobs."""
    years = {(scope.tenant, job_type_of(name).open_year(scope)) for name, scope in kinds}
    of_years = frozenset((tenant, year) for tenant, year in years if year is not None)
    return Needs(years=of_years) | needs_of([NewJob((0,), *kind) for kind in kinds])


def _new_job(job: FailedJobRow, pipeline_id: int) -> NewJob:
    return NewJob(
        (pipeline_id,), job.job_type, job.scope, payload=job.payload, priority=job.priority
    )


async def _why_not(
    tx: UnitOfWork, pipeline: RetriablePipelineRow, failed: _Failed
) -> Refused | None:
    for job_type, scope in failed.kinds:
        closed = why_closed(tx, job_type, scope)
        if closed is not None:
            return closed
    newer = await _newer_upload(tx, pipeline, failed.rivals)
    if newer is None:
        return None
    message = (
        f"pipeline {newer.pipeline_id} brings a newer {newer.job_type} of the same scope: "
        "to replace that, submit the older file again"
    )
    return Refused("SUPERSEDED", message, {"pipeline_id": str(newer.pipeline_id)})


async def _newer_upload(
    tx: UnitOfWork, pipeline: RetriablePipelineRow, rivals: Collection[Rival]
) -> NewerUploadRow | None:
    """The newest one. One that still waits counts as one that landed: the older one would come
    behind it.
    """
    if not rivals:
        return None
    found = await statement("newer_upload").rows(
        tx.conn,
        NewerUploadRow,
        tenant=pipeline.tenant,
        pipeline_id=pipeline.pipeline_id,
        oldest=pipeline.oldest,
        **columns_of(rivals),
    )
    return found[0] if found else None


def columns_of(rivals: Collection[Rival]) -> dict[str, Sequence[Any]]:
    """What newer_upload asks for, column by column. There must be a rival."""
    columns = list(zip(*rivals, strict=True))
    names = ("job_types", "named_bys", "modules", "data_entry_types", "years", "units")
    return dict(zip((*names, "reference_kinds", "names"), columns, strict=True))


async def _validated(tx: UnitOfWork, failed: Sequence[FailedJobRow]) -> Retried:
    jobs: list[RetriedJob] = []
    async for part in parts_of(failed):
        children = [Child(str(job.job_id), job.job_type, job.scope, None) for job in part]
        guesses = await provisional(tx.conn, children)
        jobs += [
            RetriedJob(job.job_id, 0, job.job_type, guess.disposition)
            for job, guess in zip(part, guesses, strict=True)
        ]
    return Retried(0, tuple(jobs))


async def _create(
    tx: UnitOfWork,
    wanted: PipelineRetry,
    pipeline: RetriablePipelineRow,
    failed: Sequence[FailedJobRow],
) -> Retried:
    state = await _insert_pipeline(tx, wanted, pipeline)
    jobs: list[RetriedJob] = []
    async for part in parts_of(failed):
        placed = await insert_jobs(tx, [_new_job(job, state.pipeline_id) for job in part])
        jobs += [
            RetriedJob(job.job_id, new.job_id, job.job_type, new.disposition)
            for job, new in zip(part, placed, strict=True)
        ]
    state.root_job_id = jobs[0].job_id
    recorded = await statement("record_retry").rows(
        tx.conn,
        PipelineNumberRow,
        tenant=wanted.tenant,
        request_id=wanted.request_id,
        body_digest=wanted.body_digest,
        pipeline_id=state.pipeline_id,
        job_id=state.root_job_id,
        retried={"jobs": jobs} if len(jobs) <= ANSWERED_AGAIN_MAX else None,
    )
    if not recorded:
        # The same request came in twice at once and the other one has committed: start over.
        raise MustLockMore(Needs())
    detail = f"pipeline {state.pipeline_id} runs again what was left undone, by {wanted.principal}"
    tx.events.append(Event(pipeline.tenant, pipeline.pipeline_id, None, None, "retried", detail))
    return Retried(state.pipeline_id, tuple(jobs))


async def _insert_pipeline(
    tx: UnitOfWork, wanted: PipelineRetry, pipeline: RetriablePipelineRow
) -> PipelineState:
    (ids,) = await statement("allocate_ids").rows(tx.conn, AllocatedRow, pipelines=1, jobs=0)
    (pipeline_id,) = ids.pipeline_ids
    await statement("insert_pipelines").run(
        tx.conn,
        pipeline_ids=[pipeline_id],
        tenants=[pipeline.tenant],
        kinds=[pipeline.kind],
        modules=[pipeline.module],
        data_entry_types=[pipeline.data_entry_type],
        years=[pipeline.year],
        units=[pipeline.unit],
        reference_kinds=[pipeline.reference_kind],
        root_job_ids=[0],
        submitted_bys=[wanted.principal],
        repairs_of=[None],
        retries_of=[pipeline.pipeline_id],
    )
    state = PipelineState(pipeline_id, pipeline.tenant, 1, 0, 0, 0, 0, is_new=True)
    tx.add_new_pipeline(state)
    return state
