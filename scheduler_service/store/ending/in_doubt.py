"""Claims that may have written unseen: marked for good, and repaired if their job ends badly."""

from collections.abc import Sequence

from scheduler_service.jobs.requests import Child
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import ending_type, may_write
from scheduler_service.store.core.freshness import AGGREGATION
from scheduler_service.store.core.rows import End, EndingJobRow
from scheduler_service.store.core.statements import statement
from scheduler_service.store.core.unit_of_work import Event, PipelineState, UnitOfWork
from scheduler_service.store.ending.children import follow_up_children, with_data, year_is_closed
from scheduler_service.store.ending.insert_jobs import AllocatedRow, NewJob, insert_jobs

REPAIR_KIND = "repair"


async def mark_in_doubt(tx: UnitOfWork, claims: Sequence[tuple[EndingJobRow, int]]) -> None:
    """These claims (job row, token) of data-writing types may have committed: mark job and scopes.

    Rows of other types are passed over.
    """
    doubtful = [(row, token) for row, token in claims if writes_data(row)]
    if not doubtful:
        return
    await statement("mark_jobs_in_doubt").run(
        tx.conn,
        job_ids=[row.job_id for row, _ in doubtful],
        in_doubt_tokens=[token for _, token in doubtful],
    )
    scopes = sorted(
        (row.tenant, name, token)
        for row, token in doubtful
        for name in ending_type(row.job_type).ledger_writes(row.scope)
    )
    await statement("mark_scopes_in_doubt").run(
        tx.conn,
        tenants=[tenant for tenant, _, _ in scopes],
        ledger_scopes=[name for _, name, _ in scopes],
        tokens=[token for _, _, token in scopes],
    )
    tx.events += [
        Event(row.tenant, row.pipeline_id, row.job_id, token, "in_doubt") for row, token in doubtful
    ]


def writes_data(row: EndingJobRow) -> bool:
    """Whether a claim of this job may change the ledger at all."""
    return may_write(row.job_type)


async def repair(tx: UnitOfWork, ends: Sequence[End]) -> None:
    """Give the jobs in doubt that ended badly a repair pipeline each, once their drain is over."""
    for end in ends:
        if end.in_doubt_token is None or end.done or end.drains:
            continue
        children = [
            child
            for child in await _repairing(tx, end)
            if not year_is_closed(tx, child.job_type, child.scope)
        ]
        if not children:
            continue
        tx.freshness.released(children)
        pipeline = await _repair_pipeline(tx, end, children[0].scope)
        new_jobs = [
            NewJob(
                (pipeline.pipeline_id,),
                child.job_type,
                child.scope,
                priority=end.row.priority,
                parent_job_id=end.row.job_id,
                child_key=child.child_key,
            )
            for child in children
        ]
        inserted = await insert_jobs(tx, new_jobs)
        pipeline.root_job_id = inserted[0].job_id


async def _repairing(tx: UnitOfWork, end: End) -> list[Child]:
    children = follow_up_children(end, tx.open_years(end.scope.tenant))
    if end.row.job_type != AGGREGATION:
        return children
    known = await with_data(tx, children)
    return [child for child in children if child.scope in known]


async def _repair_pipeline(tx: UnitOfWork, end: End, scope: Scope) -> PipelineState:
    (ids,) = await statement("allocate_ids").rows(tx.conn, AllocatedRow, pipelines=1, jobs=0)
    (pipeline_id,) = ids.pipeline_ids
    await statement("insert_pipelines").run(
        tx.conn,
        pipeline_ids=[pipeline_id],
        tenants=[scope.tenant],
        kinds=[REPAIR_KIND],
        modules=[scope.module],
        data_entry_types=[scope.data_entry_type],
        years=[scope.year],
        units=[None],
        reference_kinds=[None],
        root_job_ids=[0],
        submitted_bys=["scheduler"],
        repairs_of=[end.row.pipeline_id],
        retries_of=[None],
    )
    state = PipelineState(pipeline_id, scope.tenant, 1, 0, 0, 0, 0, is_new=True)
    tx.add_new_pipeline(state)
    detail = f"pipeline {pipeline_id} recomputes what this job may have changed unseen"
    row = end.row
    tx.events.append(
        Event(row.tenant, row.pipeline_id, row.job_id, end.in_doubt_token, "repair", detail)
    )
    return state
