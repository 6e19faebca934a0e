"""The compare-and-set of Finish, and the end of the claims that it applied to."""

from collections.abc import Collection, Mapping, Sequence

from scheduler_service.jobs.requests import Ending
from scheduler_service.store.statements import sparse, statement
from scheduler_service.store.transaction import MustLockMore, Needs, Row, Transaction


async def compare_and_set(
    tx: Transaction,
    holders: Sequence[Ending],
    pipelines: Mapping[int, int],
    parents: Collection[int] = (),
) -> dict[int, Row]:
    """Job rows that were ended, by id. `pipelines` names each job's locked owner, `parents` the
    jobs whose staged children are known already.
    """
    if not holders:
        return {}
    ended = await statement("finish_jobs").rows(
        tx.conn,
        job_ids=[e.job_id for e in holders],
        claim_tokens=[e.claim_token for e in holders],
        worker_ids=[e.worker_id for e in holders],
        results=[e.result.value for e in holders],
        messages=sparse([e.message or None for e in holders]),
        error_causes=sparse([e.error_cause or None for e in holders]),
        stats=sparse([e.stats for e in holders]),
        versions=[tx.pipelines[pipelines[e.job_id]].next_version for e in holders],
    )
    for row in ended:
        if row["pipeline_id"] != pipelines[row["job_id"]]:
            # Ownership passed on between the look and the lock.
            raise MustLockMore(Needs(pipelines=frozenset({row["pipeline_id"]})))
    applied = {row["job_id"]: row for row in ended}
    await _end_claims(tx, [e for e in holders if e.job_id in applied], parents)
    return applied


async def _end_claims(tx: Transaction, endings: Sequence[Ending], parents: Collection[int]) -> None:
    if not endings:
        return
    staged = await statement("end_claims").rows(
        tx.conn,
        job_ids=[e.job_id for e in endings],
        claim_tokens=[e.claim_token for e in endings],
    )
    if any(row["job_id"] not in parents for row in staged):
        # A Chain was still on its way when the children were looked for: start over.
        raise MustLockMore(Needs())
