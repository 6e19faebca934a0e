"""Finish: the compare-and-set, with everything that follows from it, in one transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Ended, Ending, FinishOutcome, Refused, Written
from scheduler_service.jobs.states import JobResult
from scheduler_service.store import children, dark_ends, drains
from scheduler_service.store.end_claims import compare_and_set
from scheduler_service.store.end_jobs import end_jobs, needs_of_end, pipelines_of
from scheduler_service.store.ends import End
from scheduler_service.store.statements import statement
from scheduler_service.store.transaction import Needs, Row, Transaction


async def finish_jobs(tx: Transaction, endings: Sequence[Ending]) -> list[Ended | Refused]:
    """One answer per ending, in order. A claim named twice is decided by its first ending."""
    ids = [e.job_id for e in endings]
    rows = {row["job_id"]: row for row in await _peek(tx, ids)}
    holders = _first_of_each([e for e in endings if _holds(rows.get(e.job_id), e)], rows)
    await tx.lock(await _needs(tx, [rows[e.job_id] for e in holders]))
    applied = await compare_and_set(
        tx,
        holders,
        pipelines={job_id: row["pipeline_id"] for job_id, row in rows.items()},
        parents=[job_id for job_id, row in rows.items() if row["has_children"]],
    )
    ends = await _ends(tx, [e for e in holders if e.job_id in applied], rows, applied)
    await _provision_years(tx, ends)
    placed = await end_jobs(tx, ends)
    first = {_claim(e): e for e in holders if e.job_id in applied}
    refused = await _answer_refused(tx, [e for e in endings if _claim(e) not in first])
    unanswered = set(first)
    answers: list[Ended | Refused] = []
    for ending in endings:
        claim = _claim(ending)
        if claim not in first:
            answers.append(refused[ending.job_id, ending.claim_token, ending.result])
        elif claim in unanswered:
            unanswered.remove(claim)
            answers.append(Ended(FinishOutcome.APPLIED, placed.get(ending.job_id, ())))
        else:
            answers.append(_repeat(ending, first[claim]))
    return answers


def _claim(ending: Ending) -> tuple[int, int, UUID, str]:
    return ending.job_id, ending.claim_token, ending.worker_id, ending.principal


async def _peek(tx: Transaction, job_ids: Sequence[int]) -> list[Row]:
    return await statement("peek_endings").rows(tx.conn, job_ids=sorted(set(job_ids)))


def _first_of_each(endings: Sequence[Ending], rows: Mapping[int, Row]) -> list[Ending]:
    """By job; a stranger that shares the batch does not stand in the holder's way."""
    first: dict[int, Ending] = {}
    for ending in endings:
        holder = first.setdefault(ending.job_id, ending)
        worker_id = rows[ending.job_id]["worker_id"]
        if holder.worker_id != worker_id and ending.worker_id == worker_id:
            first[ending.job_id] = ending
    return [first[job_id] for job_id in sorted(first)]


def _holds(row: Row | None, ending: Ending) -> bool:
    """Until the compare-and-set a claim may be lost, but it never gets another principal."""
    return (
        row is not None
        and row["claim_token"] == ending.claim_token
        and row["principal"] == ending.principal
    )


def _repeat(ending: Ending, first: Ending) -> Ended:
    same = ending.result is first.result
    return Ended(FinishOutcome.ALREADY_APPLIED if same else FinishOutcome.CONFLICT)


async def _needs(tx: Transaction, rows: Sequence[Row]) -> Needs:
    needs = Needs()
    joinable = [row["job_id"] for row in rows if row["coalesce_key"] is not None]
    joined: dict[int, list[int]] = {}
    if joinable:
        for link in await statement("links_of_jobs").rows(tx.conn, job_ids=joinable):
            joined.setdefault(link["job_id"], []).append(link["pipeline_id"])
    for row in rows:
        needs |= needs_of_end(row, joined.get(row["job_id"], ()))
    parents = [row for row in rows if row["has_children"]]
    if parents:
        staged = await statement("staged_children_of").rows(
            tx.conn,
            parent_job_ids=[row["job_id"] for row in parents],
            claim_tokens=[row["claim_token"] for row in parents],
        )
        needs |= children.needs_of_children(staged)
    return needs


async def _ends(
    tx: Transaction,
    endings: Sequence[Ending],
    rows: Mapping[int, Row],
    applied: Mapping[int, Row],
) -> list[End]:
    dark = [e for e in endings if _is_dark(rows[e.job_id], e)]
    await dark_ends.mark_dark(tx, [(rows[e.job_id], e.claim_token) for e in dark])
    newly_dark = {e.job_id: e.claim_token for e in dark}
    pipelines = await pipelines_of(tx, [rows[e.job_id] for e in endings])
    return [
        End(
            row=rows[e.job_id],
            result=e.result,
            pipeline_ids=pipelines[e.job_id],
            token=e.claim_token,
            dark_token=newly_dark.get(e.job_id, applied[e.job_id]["dark_token"]),
            has_children=rows[e.job_id]["has_children"],
        )
        for e in endings
    ]


def _is_dark(row: Row, ending: Ending) -> bool:
    may_have_written = ending.result is JobResult.ERROR and ending.written is Written.UNKNOWN
    return may_have_written and JOB_TYPES[row["job_type"]].writes_data


async def _provision_years(tx: Transaction, ends: Sequence[End]) -> None:
    years = sorted(
        {
            (end.scope.tenant, end.scope.year)
            for end in ends
            if end.done and JOB_TYPES[end.row["job_type"]].provisions_year and end.scope.year
        }
    )
    if years:
        await statement("provision_years").run(
            tx.conn, tenants=[tenant for tenant, _ in years], years=[year for _, year in years]
        )


async def _answer_refused(
    tx: Transaction, refused: Sequence[Ending]
) -> dict[tuple[int, int, JobResult], Ended | Refused]:
    """Why each did not apply, by job, claim and result: read again, now that all is decided."""
    if not refused:
        return {}
    rows = {row["job_id"]: row for row in await _peek(tx, [e.job_id for e in refused])}
    answers: dict[tuple[int, int, JobResult], Ended | Refused] = {}
    stale: list[Ending] = []
    for ending in refused:
        answer = _why_refused(rows.get(ending.job_id), ending)
        answers[ending.job_id, ending.claim_token, ending.result] = answer
        if isinstance(answer, Ended) and answer.outcome is FinishOutcome.STALE:
            stale.append(ending)
    await drains.end_drains_of(
        tx, [(e.claim_token, (e.worker_id, e.principal), _said(e)) for e in stale]
    )
    return answers


def _why_refused(row: Row | None, ending: Ending) -> Ended | Refused:
    if row is None:
        return Refused("JOB_NOT_FOUND", f"there is no job {ending.job_id}")
    if row["finished_by_token"] != ending.claim_token:
        return Ended(FinishOutcome.STALE)
    if row["result"] == ending.result:
        return Ended(FinishOutcome.ALREADY_APPLIED)
    return Ended(FinishOutcome.CONFLICT)


def _said(ending: Ending) -> Written:
    """A cancelled job's claim that comes to Finish has ended its drain; what did it write?"""
    return ending.written if ending.result is JobResult.ERROR else Written.UNKNOWN
