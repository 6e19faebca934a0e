"""Release: workers give claims back unfinished."""

from collections.abc import Sequence

from scheduler_service.jobs.requests import Release, ReleaseReason
from scheduler_service.store.drains import end_drains_of
from scheduler_service.store.give_back import Fault, GivenBack, give_back
from scheduler_service.store.statements import statement
from scheduler_service.store.transaction import Transaction

_FAULT = {
    ReleaseReason.DRAIN: Fault.DRAIN,
    ReleaseReason.RETRY_LATER: Fault.RETRY_LATER,
    # The answer to a CANCEL whose job lives after all (others had joined it): as a drain.
    ReleaseReason.CANCELLED: Fault.DRAIN,
}


async def release_jobs(tx: Transaction, releases: Sequence[Release]) -> list[bool]:
    """Per release, in order, whether this claim held the job, or drained, until now."""
    holders = await statement("claims_held_by").rows(
        tx.conn,
        claim_tokens=[r.claim_token for r in releases],
        worker_ids=[r.worker_id for r in releases],
        principals=[r.principal for r in releases],
    )
    held = {(row["job_id"], row["claim_token"]) for row in holders}
    mine = [r for r in releases if (r.job_id, r.claim_token) in held]
    given = await give_back(
        tx,
        [
            GivenBack(
                r.job_id, r.claim_token, _FAULT[r.reason], r.written, r.message, r.delay_seconds
            )
            for r in mine
        ],
    )
    drained = await end_drains_of(
        tx,
        [
            (r.claim_token, (r.worker_id, r.principal), r.written)
            for r in mine
            if r.claim_token not in given
        ],
    )
    let_go = given | drained
    return [r.claim_token in let_go and (r.job_id, r.claim_token) in held for r in releases]
