"""A job that comes back while a twin waits: the twin never runs, its pipelines move over."""

from collections.abc import Sequence

from scheduler_service.store.end_jobs import pipelines_of
from scheduler_service.store.statements import Row, statement
from scheduler_service.store.transaction import Event, Needs, Transaction


async def needs_of_twins(tx: Transaction, rows: Sequence[Row]) -> Needs:
    """The pipelines of the waiting twins of these jobs."""
    keys = [row["coalesce_key"] for row in rows if row["coalesce_key"] is not None]
    if not keys:
        return Needs()
    twins = await statement("waiting_twins").rows(tx.conn, coalesce_keys=keys)
    links = await statement("links_of_jobs").rows(
        tx.conn, job_ids=[twin["job_id"] for twin in twins]
    )
    owners = {twin["pipeline_id"] for twin in twins}
    return Needs(pipelines=frozenset(owners | {link["pipeline_id"] for link in links}))


async def fold_twins(tx: Transaction, survivors: Sequence[Row]) -> None:
    """End the waiting twins of jobs that are about to wait again; they leave the unique index
    in this statement, before the survivors enter it in the next.
    """
    by_key = {row["coalesce_key"]: row for row in survivors if row["coalesce_key"] is not None}
    if not by_key:
        return
    twins = await statement("waiting_twins").rows(tx.conn, coalesce_keys=sorted(by_key))
    if not twins:
        return
    pipelines = await pipelines_of(tx, twins)
    await statement("fold_jobs").run(
        tx.conn,
        job_ids=[twin["job_id"] for twin in twins],
        survivors=[by_key[twin["coalesce_key"]]["job_id"] for twin in twins],
        versions=[tx.pipeline(twin["pipeline_id"]).next_version for twin in twins],
    )
    for twin in twins:
        await _move_over(tx, twin, by_key[twin["coalesce_key"]], pipelines[twin["job_id"]])


async def _move_over(
    tx: Transaction, twin: Row, survivor: Row, pipeline_ids: tuple[int, ...]
) -> None:
    for pipeline_id in pipeline_ids:
        state = tx.pipeline(pipeline_id)
        state.live_jobs -= 1
        if state.root_job_id == twin["job_id"]:
            state.root_job_id = survivor["job_id"]
    joining = [p for p in pipeline_ids if p != survivor["pipeline_id"]]
    versions = [tx.pipeline(p).next_version for p in joining]
    for row in await statement("link_jobs").rows(
        tx.conn,
        pipeline_ids=joining,
        job_ids=[survivor["job_id"]] * len(joining),
        versions=versions,
    ):
        tx.pipeline(row["pipeline_id"]).live_jobs += 1
    await statement("leave_jobs").run(
        tx.conn,
        pipeline_ids=list(pipeline_ids[1:]),
        job_ids=[twin["job_id"]] * (len(pipeline_ids) - 1),
        versions=[tx.pipeline(p).next_version for p in pipeline_ids[1:]],
    )
    detail = f"job {survivor['job_id']}, which came back, does its work"
    tx.events.append(
        Event(twin["tenant"], twin["pipeline_id"], twin["job_id"], None, "superseded", detail)
    )
