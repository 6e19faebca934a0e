"""Release: workers return claimed jobs unfinished."""

from collections.abc import Sequence

from scheduler_service.jobs.requests import Release, ReleaseReason
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.ending.end_jobs import end_drains_of
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims

_FAULT = {
    ReleaseReason.DRAIN: Fault.DRAIN,
    ReleaseReason.RETRY_LATER: Fault.RETRY_LATER,
    # The answer to a CANCEL whose job lives after all (others had joined it): as a drain.
    ReleaseReason.CANCELLED: Fault.DRAIN,
    ReleaseReason.NOT_READY: Fault.NOT_READY,
}


async def release_jobs(tx: UnitOfWork, releases: Sequence[Release]) -> list[bool]:
    """Per release, in order, whether this claim held the job, or drained, until now. Of a claim
    that is named twice the first release counts: by then it holds nothing any more.
    """
    holders = await statement("claims_held_by").rows(
        tx.conn,
        _HeldRow,
        job_ids=[r.job_id for r in releases],
        claim_tokens=[r.claim_token for r in releases],
        worker_ids=[r.worker_id for r in releases],
        principals=[r.principal for r in releases],
    )
    places: dict[int, int] = {}
    for row in holders:
        release = releases[row.number - 1]
        if row.tenant in release.tenants:
            places.setdefault(release.claim_token, row.number - 1)
    mine = [releases[place] for place in sorted(places.values())]
    given = await release_claims(
        tx,
        [
            ReleasedClaim(
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
    let_go = {places[token] for token in given | drained}
    return [place in let_go for place in range(len(releases))]


class _HeldRow(Row):
    __slots__ = ()
    number: int
    tenant: str
