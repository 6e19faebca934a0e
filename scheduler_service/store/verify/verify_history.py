"""Looks for what breaks an invariant, page by page; each page is one snapshot.

A page has so many jobs at most: of a pipeline that has more, each page has a part.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
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
    PartRow,
    RequestRow,
)

# What a sweep, or a worker's end, may take.
PATIENCE_SECONDS = 60.0
# Of one page. A reader's statement may take two seconds.
JOBS_MAX = 20_000
LAST_JOB = 2**63 - 1
NO_REQUEST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Behind a pipeline, or within it behind one of its jobs."""

    pipeline_id: int
    job_id: int = 0


@dataclass(frozen=True, slots=True)
class VerifiedPage:
    """What was found. `last` is where the next page begins, None on the last page; `ended_through`
    is the last pipeline of the page before the first that has not ended. A pipeline counts on the
    page that has its last job.
    """

    findings: Sequence[Finding]
    count: int
    last: Place | UUID | None
    ended_through: int = 0
    has_live: bool = False


async def verify_pipelines(
    readers: Readers,
    tenant: str,
    after: Place,
    pipelines_max: int,
    *,
    with_claims: bool,
) -> VerifiedPage:
    """The tenant's next pipelines, and, `with_claims`, all live claims of its jobs."""
    ended_through = after.pipeline_id - (after.job_id > 0)
    async with readers.snapshot() as conn:
        rows = await statement("pipelines_to_verify").rows(
            conn,
            PageRow,
            tenant=tenant,
            after_pipeline_id=ended_through,
            pipelines_max=pipelines_max,
            jobs_max=JOBS_MAX,
        )
        page = _of_few_jobs(rows, after)
        part = await _part(conn, page, after)
        ids = [row.pipeline_id for row in page]
        found: list[Finding] = []
        if with_claims:
            found += _findings(
                1,
                await statement("verify_live_claims").rows(
                    conn, FindingRow, tenant=tenant, findings_max=FINDINGS_MAX
                ),
            )
        of_page = {
            "pipeline_ids": ids,
            "first_job_id": part.first_job_id,
            "last_job_id": part.last_job_id,
        }
        found += await _of_jobs(conn, of_page)
        found += await _of_barriers(conn, of_page)
        found += await _of_doubts(conn, of_page)
        if part.is_last:
            found += await _of_pipelines(conn, ids)
    if not part.is_last:
        return VerifiedPage(sorted(found), 0, Place(ids[0], part.last_job_id), ended_through)
    live = next((place for place, row in enumerate(page) if row.is_live), len(page))
    has_more = len(page) < len(rows) or len(rows) == pipelines_max
    return VerifiedPage(
        sorted(found),
        len(page),
        Place(ids[-1]) if has_more else None,
        ids[live - 1] if live else ended_through,
        live < len(page),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The jobs of a page's pipelines that are verified now."""

    first_job_id: int = 0
    last_job_id: int = LAST_JOB

    @property
    def is_last(self) -> bool:
        """Whether no job of these pipelines is left to another page."""
        return self.last_job_id == LAST_JOB


def _of_few_jobs(rows: Sequence[PageRow], after: Place) -> Sequence[PageRow]:
    """As many of them as a page may have jobs, but one at least; one that has begun is alone."""
    if _has_begun(rows, after):
        return rows[:1]
    jobs = list(accumulate(row.jobs for row in rows))
    return rows[: max(1, bisect_right(jobs, JOBS_MAX))]


def _has_begun(rows: Sequence[PageRow], after: Place) -> bool:
    """Whether the first is verified in parts, and still there."""
    return bool(rows) and after.job_id > 0 and rows[0].pipeline_id == after.pipeline_id


async def _part(conn: Connection, page: Sequence[PageRow], after: Place) -> _Part:
    """All jobs of the page's pipelines, or the next ones of the only one, if it has too many."""
    after_job_id = after.job_id if _has_begun(page, after) else 0
    if not after_job_id and (not page or page[0].jobs <= JOBS_MAX):
        return _Part()
    (found,) = await statement("jobs_to_verify").rows(
        conn,
        PartRow,
        pipeline_id=page[0].pipeline_id,
        after_job_id=after_job_id,
        jobs_max=JOBS_MAX,
    )
    last = found.last_job_id if found.jobs == JOBS_MAX else LAST_JOB
    return _Part(after_job_id + 1, last)


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


async def _of_jobs(conn: Connection, of_page: Mapping[str, Any]) -> list[Finding]:
    page = {**of_page, "findings_max": FINDINGS_MAX}
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


async def _of_barriers(conn: Connection, of_page: Mapping[str, Any]) -> list[Finding]:
    barriers = {t.name: t.barrier.after for t in JOB_TYPES.values() if t.barrier is not None}
    rows = await statement("verify_held_children").rows(
        conn,
        FindingRow,
        **of_page,
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


async def _of_doubts(conn: Connection, of_page: Mapping[str, Any]) -> list[Finding]:
    rows = await statement("jobs_in_doubt").rows(conn, InDoubtRow, **of_page)
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
