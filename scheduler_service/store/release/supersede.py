"""A job that comes back supersedes a duplicate that waits: its pipelines move over."""

from collections.abc import Sequence

from scheduler_service.store.core.rows import JobRow, JoinableRow, LinkRow
from scheduler_service.store.core.statements import statement
from scheduler_service.store.core.unit_of_work import Event, Needs, UnitOfWork
from scheduler_service.store.ending.end_jobs import pipelines_of


async def needs_of_duplicates(tx: UnitOfWork, rows: Sequence[JobRow]) -> Needs:
    """The pipelines of the waiting duplicates of these jobs."""
    keys = [row.coalesce_key for row in rows if row.coalesce_key is not None]
    if not keys:
        return Needs()
    duplicates = await statement("waiting_duplicates").rows(
        tx.conn, _DuplicateRow, coalesce_keys=keys
    )
    links = await statement("links_of_jobs").rows(
        tx.conn, LinkRow, job_ids=[duplicate.job_id for duplicate in duplicates]
    )
    owners = {duplicate.pipeline_id for duplicate in duplicates}
    return Needs(pipelines=frozenset(owners | {link.pipeline_id for link in links}))


async def supersede_duplicates(tx: UnitOfWork, survivors: Sequence[JobRow]) -> None:
    """End the waiting duplicates of jobs that are about to wait again; they leave the unique index
    in this statement, before the survivors enter it in the next.
    """
    by_key = {row.coalesce_key: row for row in survivors if row.coalesce_key is not None}
    if not by_key:
        return
    duplicates = await statement("waiting_duplicates").rows(
        tx.conn, _DuplicateRow, coalesce_keys=sorted(by_key)
    )
    if not duplicates:
        return
    pipelines = await pipelines_of(tx, duplicates)
    await statement("supersede_jobs").run(
        tx.conn,
        job_ids=[duplicate.job_id for duplicate in duplicates],
        survivors=[by_key[duplicate.coalesce_key].job_id for duplicate in duplicates],
        versions=[tx.pipeline(duplicate.pipeline_id).next_version for duplicate in duplicates],
    )
    for duplicate in duplicates:
        await _move_over(tx, duplicate, by_key[duplicate.coalesce_key], pipelines[duplicate.job_id])


async def _move_over(
    tx: UnitOfWork,
    duplicate: "_DuplicateRow",
    survivor: JobRow,
    pipeline_ids: tuple[int, ...],
) -> None:
    for pipeline_id in pipeline_ids:
        state = tx.pipeline(pipeline_id)
        state.job_left()
        if state.root_job_id == duplicate.job_id:
            state.root_job_id = survivor.job_id
    joining = [p for p in pipeline_ids if p != survivor.pipeline_id]
    versions = [tx.pipeline(p).next_version for p in joining]
    for row in await statement("link_jobs").rows(
        tx.conn,
        LinkRow,
        pipeline_ids=joining,
        job_ids=[survivor.job_id] * len(joining),
        versions=versions,
    ):
        tx.pipeline(row.pipeline_id).job_added()
    await statement("leave_jobs").run(
        tx.conn,
        pipeline_ids=list(pipeline_ids[1:]),
        job_ids=[duplicate.job_id] * (len(pipeline_ids) - 1),
        versions=[tx.pipeline(p).next_version for p in pipeline_ids[1:]],
    )
    detail = f"job {survivor['job_id']}, which came back, does its work"
    tx.events.append(
        Event(
            duplicate.tenant,
            duplicate.pipeline_id,
            duplicate.job_id,
            None,
            "superseded",
            detail,
        )
    )


class _DuplicateRow(JoinableRow):
    """A waiting job of a coalesce key."""

    __slots__ = ()
    tenant: str
    coalesce_key: str
