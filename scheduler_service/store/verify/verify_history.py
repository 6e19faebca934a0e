"""Looks for what breaks an invariant, page by page; each page is one snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from scheduler_service.jobs.invariants import FINDINGS_MAX, Finding
from scheduler_service.jobs.job_types import JOB_TYPES, follow_ups
from scheduler_service.jobs.states import JobResult, pipeline_status
from scheduler_service.store.core.freshness import AGGREGATION
from scheduler_service.store.core.statements import Connection, statement
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.verify.rows import (
    CountedRow,
    FindingRow,
    InDoubtRow,
    PageRow,
    RequestRow,
)

# What a sweep, or a worker's end, may take.
PATIENCE_SECONDS = 60.0
NO_REQUEST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class VerifiedPage:
    """What was found. `last` is where the next page begins, None on the last page; `ended_through`
    is the last pipeline of the page before the first that has not ended.
    """

    findings: Sequence[Finding]
    count: int
    last: int | UUID | None
    ended_through: int = 0
    has_live: bool = False


async def verify_pipelines(
    readers: Readers,
    tenant: str,
    after_pipeline_id: int,
    pipelines_max: int,
    *,
    with_claims: bool,
) -> VerifiedPage:
    """The tenant's next pipelines, and, `with_claims`, all live claims of its jobs."""
    async with readers.snapshot() as conn:
        page = await statement("pipelines_to_verify").rows(
            conn,
            PageRow,
            tenant=tenant,
            after_pipeline_id=after_pipeline_id,
            pipelines_max=pipelines_max,
        )
        ids = [row.pipeline_id for row in page]
        found: list[Finding] = []
        if with_claims:
            found += _findings(
                1,
                await statement("verify_live_claims").rows(
                    conn, FindingRow, tenant=tenant, findings_max=FINDINGS_MAX
                ),
            )
        found += await _of_jobs(conn, ids)
        found += await _of_barriers(conn, ids)
        found += await _of_pipelines(conn, ids)
        found += await _of_doubts(conn, ids)
    live = next((place for place, row in enumerate(page) if row.is_live), len(page))
    return VerifiedPage(
        sorted(found),
        len(page),
        ids[-1] if len(page) == pipelines_max else None,
        ids[live - 1] if live else after_pipeline_id,
        live < len(page),
    )


async def verify_requests(
    readers: Readers, tenant: str, after: UUID, requests_max: int
) -> VerifiedPage:
    """The tenant's next remembered Submits."""
    async with readers.snapshot() as conn:
        rows = await statement("verify_requests").rows(
            conn, RequestRow, tenant=tenant, after=after, requests_max=requests_max
        )
    found = [
        Finding(
            11,
            row.pipeline_id,
            row.job_id,
            f"request {row.request_id} was answered with it, and it does not exist",
        )
        for row in rows
        if not row.is_kept
    ]
    last = rows[-1].request_id if len(rows) == requests_max else None
    return VerifiedPage(found[:FINDINGS_MAX], len(rows), last)


async def _of_jobs(conn: Connection, ids: Sequence[int]) -> list[Finding]:
    page = {"pipeline_ids": ids, "findings_max": FINDINGS_MAX}
    wait = {"patience_seconds": PATIENCE_SECONDS}
    return [
        *_findings(1, await statement("verify_claims").rows(conn, FindingRow, **page)),
        *_findings(2, await statement("verify_finishes").rows(conn, FindingRow, **page, **wait)),
        *_findings(3, await statement("verify_progress").rows(conn, FindingRow, **page, **wait)),
        *_findings(4, await statement("verify_children").rows(conn, FindingRow, **page)),
        *_findings(6, await statement("verify_keys").rows(conn, FindingRow, **page)),
        *_findings(7, await statement("verify_versions").rows(conn, FindingRow, **page)),
        *_findings(9, await statement("verify_attempts").rows(conn, FindingRow, **page)),
    ]


async def _of_barriers(conn: Connection, ids: Sequence[int]) -> list[Finding]:
    barriers = {t.name: t.barrier.after for t in JOB_TYPES.values() if t.barrier is not None}
    rows = await statement("verify_held_children").rows(
        conn,
        FindingRow,
        pipeline_ids=ids,
        job_types=list(barriers),
        after_types=list(barriers.values()),
        findings_max=FINDINGS_MAX,
    )
    return _findings(5, rows)


async def _of_pipelines(conn: Connection, ids: Sequence[int]) -> list[Finding]:
    rows = await statement("verify_pipelines").rows(conn, CountedRow, pipeline_ids=ids)
    wrong = [(row, _wrong_counters(row)) for row in rows]
    return [Finding(8, row.pipeline_id, 0, detail) for row, detail in wrong if detail]


def _wrong_counters(row: CountedRow) -> str:
    if row.live_jobs != row.live_jobs_found:
        return f"counts {row.live_jobs} live jobs, and has {row.live_jobs_found}"
    if row.finished_jobs not in (None, row.finished_jobs_found):
        return f"counts {row.finished_jobs} finished jobs, and has {row.finished_jobs_found}"
    status = pipeline_status(
        live_jobs=row.live_jobs,
        failed_jobs=row.failed_jobs,
        cancelled=row.cancelled,
        root_result=JobResult(row.root_result) if row.root_result is not None else None,
    )
    return "" if row.status == status else f"is {row.status}, and its jobs make it {status}"


async def _of_doubts(conn: Connection, ids: Sequence[int]) -> list[Finding]:
    rows = await statement("jobs_in_doubt").rows(conn, InDoubtRow, pipeline_ids=ids)
    # What follows from a job of another release, this one does not know.
    rows = [row for row in rows if row.job_type in JOB_TYPES]
    found = [
        Finding(10, row.pipeline_id, row.job_id, "ended in doubt, and nothing recomputes its data")
        for row in rows
        if _lacks_repair(row)
    ]
    written = [
        (row, name) for row in rows for name in JOB_TYPES[row.job_type].ledger_writes(row.scope)
    ]
    open_scopes = await statement("scopes_not_closed").rows(
        conn,
        FindingRow,
        pipeline_ids=[row.pipeline_id for row, _ in written],
        job_ids=[row.job_id for row, _ in written],
        tenants=[row.tenant for row, _ in written],
        ledger_scopes=[name for _, name in written],
        claim_tokens=[row.in_doubt_token for row, _ in written],
        findings_max=FINDINGS_MAX,
    )
    return found[:FINDINGS_MAX] + _findings(10, open_scopes)


def _lacks_repair(row: InDoubtRow) -> bool:
    """One that ended well has its follow-ups in its own pipeline. Reference data are read by years
    that may have been opened since, and totals by types that may have data only since.
    """
    if row.is_repaired or row.open_year is None or row.result in ("SUCCESS", "WARNING"):
        return False
    if row.job_type == AGGREGATION:
        return False
    return bool(follow_ups(row.job_type, row.scope, (row.open_year,)))


def _findings(invariant: int, rows: Sequence[FindingRow]) -> list[Finding]:
    return [Finding(invariant, row.pipeline_id, row.job_id, row.detail) for row in rows]
