"""CancelPipeline: ends every live job of a pipeline; what others joined is left to them."""

from collections.abc import Mapping, Sequence

from scheduler_service.jobs.requests import Cancelled, Refused, ones_own
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.rows import ClaimOfWorkerRow, End, JobRow, LinkRow
from scheduler_service.store.core.statements import Row, parts_of, statement
from scheduler_service.store.core.unit_of_work import (
    Event,
    Needs,
    PipelineState,
    UnitOfWork,
    all_of,
)
from scheduler_service.store.ending.end_jobs import end_jobs, needs_of_ends


class CancelledJobRow(Row):
    """A job that a cancel ended, or left to others."""

    __slots__ = ()
    job_id: int
    is_unlinked: bool


async def cancel_pipeline(
    tx: UnitOfWork, pipeline_id: int, tenants: tuple[str, ...], reason: str, principal: str
) -> Cancelled | Refused:
    """What was cancelled and what was left to others, or why nothing was."""
    await _lock(tx, pipeline_id)
    state = ones_own("pipeline", pipeline_id, tx.pipelines.get(pipeline_id), tenants)
    if isinstance(state, Refused):
        return state
    if state.live_jobs == 0 and state.cancelled:
        return await _first_answer(tx, pipeline_id)
    if state.live_jobs == 0:
        message = f"pipeline {pipeline_id} has already ended: nothing to cancel"
        return Refused("NOTHING_TO_CANCEL", message)
    rows = await statement("lock_live_jobs_of").many_rows(tx.conn, JobRow, pipeline_id=pipeline_id)
    joiners = await _joiners(tx, rows, pipeline_id)
    tx.require(await _needs_of(rows))
    state = tx.pipeline(pipeline_id)
    state.cancelled = True
    await statement("mark_cancelled").run(
        tx.conn, pipeline_id=pipeline_id, cancelled_by=principal, reason=reason
    )
    dropped = await statement("drop_held_children_of").rows(
        tx.conn, _DroppedRow, pipeline_id=pipeline_id
    )
    state.job_left(len(dropped))
    await _leave_joined(tx, state)
    unlinked = [row for row in rows if row.job_id in joiners]
    await _pass_on(tx, state, unlinked, joiners)
    own = [row for row in rows if row.job_id not in joiners]
    await _cancel(tx, state, own, reason)
    detail = f"by {principal}{': ' if reason else ''}{reason}"
    tx.events.append(Event(state.tenant, pipeline_id, None, None, "cancelled", detail))
    return Cancelled(tuple(row.job_id for row in own), tuple(row.job_id for row in unlinked))


async def _first_answer(tx: UnitOfWork, pipeline_id: int) -> Cancelled:
    """What the cancel of before did: nothing of the pipeline has changed since."""
    rows = await statement("cancelled_jobs_of").many_rows(
        tx.conn, CancelledJobRow, pipeline_id=pipeline_id
    )
    return Cancelled(
        tuple(row.job_id for row in rows if not row.is_unlinked),
        tuple(row.job_id for row in rows if row.is_unlinked),
    )


async def _lock(tx: UnitOfWork, pipeline_id: int) -> None:
    rows = await statement("live_jobs_of").many_rows(tx.conn, JobRow, pipeline_id=pipeline_id)
    links = await statement("links_of_jobs").rows(
        tx.conn, LinkRow, job_ids=[row.job_id for row in rows if row.coalesce_key is not None]
    )
    pipelines = frozenset({pipeline_id, *(link.pipeline_id for link in links)})
    await tx.lock(Needs(pipelines=pipelines) | await _needs_of(rows))


async def _needs_of(rows: Sequence[JobRow]) -> Needs:
    """What must be locked to end all these jobs."""
    return all_of([needs_of_ends(part) async for part in parts_of(rows)])


async def _joiners(
    tx: UnitOfWork, rows: Sequence[JobRow], pipeline_id: int
) -> dict[int, Sequence[int]]:
    """Per job that others joined, these, the oldest first. Read again, under the jobs' locks."""
    joinable = [row.job_id for row in rows if row.coalesce_key is not None]
    joiners: dict[int, list[int]] = {}
    for link in await statement("links_of_jobs").rows(tx.conn, LinkRow, job_ids=joinable):
        other = link.pipeline_id
        tx.require(Needs(pipelines=frozenset({other})))
        if other != pipeline_id:
            joiners.setdefault(link.job_id, []).append(other)
    return {job_id: sorted(others) for job_id, others in joiners.items()}


async def _leave_joined(tx: UnitOfWork, state: PipelineState) -> None:
    """This pipeline waits no longer for other pipelines' jobs."""
    left = await statement("leave_all_jobs").rows(
        tx.conn, _LeftRow, pipeline_id=state.pipeline_id, version=state.next_version
    )
    state.job_left(sum(row.was_live for row in left))
    state.ended_jobs_left(sum(row.was_counted for row in left))


async def _pass_on(
    tx: UnitOfWork,
    state: PipelineState,
    rows: Sequence[JobRow],
    joiners: Mapping[int, Sequence[int]],
) -> None:
    """Ownership passes to the oldest joiner, the heir, and the others hear of it; the job left
    this pipeline at a version.
    """
    if not rows:
        return
    heirs = {row.job_id: joiners[row.job_id][0] for row in rows}
    await statement("pass_on_jobs").run(
        tx.conn,
        job_ids=list(heirs),
        heirs=list(heirs.values()),
        versions=[tx.pipeline(heir).next_version for heir in heirs.values()],
    )
    await _touch_other_joiners(tx, rows, joiners)
    await statement("record_left_jobs").run(
        tx.conn,
        pipeline_id=state.pipeline_id,
        job_ids=list(heirs),
        version=state.next_version,
    )
    state.job_left(len(rows))
    detail = f"from pipeline {state.pipeline_id}, which was cancelled"
    tx.events += [
        Event(state.tenant, heirs[r.job_id], r.job_id, r.claim_token, "unlinked", detail)
        for r in rows
    ]


async def _touch_other_joiners(
    tx: UnitOfWork, rows: Sequence[JobRow], joiners: Mapping[int, Sequence[int]]
) -> None:
    """For who joined the job besides its heir, the job changes too: it has another owner."""
    others = [(other, row.job_id) for row in rows for other in joiners[row.job_id][1:]]
    if others:
        await statement("touch_links").run(
            tx.conn,
            pipeline_ids=[other for other, _ in others],
            job_ids=[job_id for _, job_id in others],
            versions=[tx.pipeline(other).next_version for other, _ in others],
        )


async def _cancel(
    tx: UnitOfWork, state: PipelineState, rows: Sequence[JobRow], reason: str
) -> None:
    if not rows:
        return
    await statement("cancel_jobs").run(
        tx.conn,
        job_ids=[row.job_id for row in rows],
        message=f"cancelled: {reason}" if reason else "cancelled",
        version=state.next_version,
    )
    running = {row.claim_token: row.job_id for row in rows if row.claim_token is not None}
    if running:
        await _drain(tx, state, running)
    # All have ended, so what one part of them leaves does not wait for another.
    async for part in parts_of(rows):
        await end_jobs(tx, [_end(state, row) for row in part])


def _end(state: PipelineState, row: JobRow) -> End:
    return End(
        row=row,
        result=JobResult.CANCELLED,
        pipeline_ids=(state.pipeline_id,),
        token=row.claim_token or 0,
        drains=row.claim_token is not None,
        in_doubt_token=row.in_doubt_token,
        has_children=row.claim_token is not None,
    )


async def _drain(tx: UnitOfWork, state: PipelineState, running: Mapping[int, int]) -> None:
    """These claims (token: job) go on without their jobs, which know their workers no longer."""
    for claim in await statement("drain_claims").rows(
        tx.conn, ClaimOfWorkerRow, claim_tokens=sorted(running)
    ):
        token = claim.claim_token
        tx.events.append(
            Event(
                state.tenant,
                state.pipeline_id,
                running[token],
                token,
                "draining",
                worker_id=claim.worker_id,
            )
        )


class _DroppedRow(Row):
    __slots__ = ()
    job_type: str


class _LeftRow(Row):
    __slots__ = ()
    job_id: int
    was_live: bool
    was_counted: bool
