"""Submit: a pipeline and its root in one transaction, once per request_id."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Child, Disposition, Refused, Submission, Submitted
from scheduler_service.store.chain_children import provisional
from scheduler_service.store.place_jobs import Place, Placed, place_jobs
from scheduler_service.store.statements import sparse, statement
from scheduler_service.store.transaction import (
    MustLockMore,
    Needs,
    PipelineState,
    Row,
    Transaction,
)

RequestKey = tuple[str, UUID]


async def submit_jobs(
    tx: Transaction, submissions: Sequence[Submission]
) -> list[Submitted | Refused]:
    """One answer per submission, in order. Nothing of a refused one is written."""
    firsts = _first_of_each(submissions)
    known = await _known(tx, firsts)
    new = [s for s in firsts if _request(s) not in known]
    await tx.lock(_needs(new))
    answers: dict[RequestKey, Submitted | Refused] = {}
    accepted = []
    for submission in new:
        refused = _why_refused(tx, submission)
        if refused is not None:
            answers[_request(submission)] = refused
        else:
            accepted.append(submission)
    for submission in [s for s in accepted if s.validate_only]:
        answers[_request(submission)] = await _validated(tx, submission)
    answers |= await _create(tx, [s for s in accepted if not s.validate_only])
    seen: set[RequestKey] = set()
    out: list[Submitted | Refused] = []
    for submission in submissions:
        key = _request(submission)
        is_first = key not in seen and key not in known
        seen.add(key)
        out.append(answers[key] if is_first else _replayed(submission, firsts, known, answers))
    return out


def _request(submission: Submission) -> RequestKey:
    return submission.scope.tenant, submission.request_id


def _first_of_each(submissions: Sequence[Submission]) -> list[Submission]:
    first: dict[RequestKey, Submission] = {}
    for submission in submissions:
        first.setdefault(_request(submission), submission)
    return list(first.values())


async def _known(tx: Transaction, submissions: Sequence[Submission]) -> dict[RequestKey, Row]:
    rows = await statement("known_requests").rows(
        tx.conn,
        tenants=[s.scope.tenant for s in submissions],
        request_ids=[s.request_id for s in submissions],
    )
    return {(row["tenant"], row["request_id"]): row for row in rows}


def _needs(submissions: Sequence[Submission]) -> Needs:
    keys, years = set(), set()
    for submission in submissions:
        job_type, scope = JOB_TYPES[submission.job_type], submission.scope
        key = job_type.exclusive_key(scope)
        if key is not None and not submission.validate_only:
            keys.add(key)
        if job_type.needs_provisioned_year and scope.year is not None:
            years.add((scope.tenant, scope.year))
    return Needs(keys=frozenset(keys), years=frozenset(years))


def _why_refused(tx: Transaction, submission: Submission) -> Refused | None:
    scope = submission.scope
    if not JOB_TYPES[submission.job_type].needs_provisioned_year or scope.year is None:
        return None
    match tx.years.get((scope.tenant, scope.year)):
        case None:
            return Refused(
                "YEAR_NOT_PROVISIONED",
                f"year {scope.year} of {scope.tenant} is not provisioned: submit a unit_sync first "
                f"(carbonline load units FILE --year {scope.year})",
                {"year": str(scope.year)},
            )
        case True:
            message = f"year {scope.year} of {scope.tenant} is locked"
            return Refused("PERIOD_LOCKED", message, {"year": str(scope.year)})
        case _:
            return None


async def _validated(tx: Transaction, submission: Submission) -> Submitted:
    child = Child("", submission.job_type, submission.scope, None)
    (guess,) = await provisional(tx.conn, [child])
    return Submitted(0, 0, guess.disposition)


async def _create(
    tx: Transaction, submissions: Sequence[Submission]
) -> dict[RequestKey, Submitted | Refused]:
    if not submissions:
        return {}
    recorded = await statement("record_requests").rows(
        tx.conn,
        tenants=[s.scope.tenant for s in submissions],
        request_ids=[s.request_id for s in submissions],
        body_digests=[s.body_digest for s in submissions],
    )
    if len(recorded) < len(submissions):
        # The same request came in twice at once and the other one has committed: start over.
        raise MustLockMore(Needs())
    rows = {(row["tenant"], row["request_id"]): row for row in recorded}
    pipeline_ids = [rows[_request(s)]["pipeline_id"] for s in submissions]
    job_ids = [rows[_request(s)]["job_id"] for s in submissions]
    await _insert_pipelines(tx, submissions, pipeline_ids, job_ids)
    placed = await place_jobs(
        tx,
        [
            Place((pipeline_id,), s.job_type, s.scope, s.payload, s.priority, job_id=job_id)
            for s, pipeline_id, job_id in zip(submissions, pipeline_ids, job_ids, strict=True)
        ],
    )
    await _correct_roots(tx, submissions, pipeline_ids, placed)
    return {
        _request(s): Submitted(pipeline_id, job.job_id, job.disposition)
        for s, pipeline_id, job in zip(submissions, pipeline_ids, placed, strict=True)
    }


async def _insert_pipelines(
    tx: Transaction,
    submissions: Sequence[Submission],
    pipeline_ids: Sequence[int],
    job_ids: Sequence[int],
) -> None:
    await statement("insert_pipelines").run(
        tx.conn,
        pipeline_ids=list(pipeline_ids),
        tenants=[s.scope.tenant for s in submissions],
        kinds=[s.job_type for s in submissions],
        modules=sparse([s.scope.module for s in submissions]),
        data_entry_types=sparse([s.scope.data_entry_type for s in submissions]),
        years=sparse([s.scope.year for s in submissions]),
        units=sparse([s.scope.unit for s in submissions]),
        reference_kinds=sparse([s.scope.reference_kind for s in submissions]),
        root_job_ids=list(job_ids),
        submitted_bys=[s.submitted_by for s in submissions],
        repairs_of=sparse([None for _ in submissions]),
    )
    for s, pipeline_id, job_id in zip(submissions, pipeline_ids, job_ids, strict=True):
        tx.add_new_pipeline(
            PipelineState(
                pipeline_id,
                s.scope.tenant,
                version=1,
                live_jobs=0,
                failed_jobs=0,
                warned_jobs=0,
                root_job_id=job_id,
                is_new=True,
                inserted_root_job_id=job_id,
            )
        )


async def _correct_roots(
    tx: Transaction,
    submissions: Sequence[Submission],
    pipeline_ids: Sequence[int],
    placed: Sequence[Placed],
) -> None:
    """Where the root joined a waiting twin, that twin is the root."""
    joined = []
    for submission, pipeline_id, job in zip(submissions, pipeline_ids, placed, strict=True):
        if job.disposition is Disposition.JOINED:
            tx.pipeline(pipeline_id).root_job_id = job.job_id
            joined.append((submission, job.job_id))
    if joined:
        await statement("correct_requests").run(
            tx.conn,
            tenants=[s.scope.tenant for s, _ in joined],
            request_ids=[s.request_id for s, _ in joined],
            job_ids=[job_id for _, job_id in joined],
        )


def _replayed(
    submission: Submission,
    firsts: Sequence[Submission],
    known: Mapping[RequestKey, Row],
    answers: Mapping[RequestKey, Submitted | Refused],
) -> Submitted | Refused:
    key = _request(submission)
    row = known.get(key)
    if row is not None:
        same = row["body_digest"] == submission.body_digest
        answer: Submitted | Refused = Submitted(
            row["pipeline_id"], row["job_id"], Disposition.REPLAYED
        )
    else:
        first = next(s for s in firsts if _request(s) == key)
        same = first.body_digest == submission.body_digest
        answer = answers[key]
        if isinstance(answer, Submitted):
            answer = Submitted(answer.pipeline_id, answer.job_id, Disposition.REPLAYED)
    if same:
        return answer
    message = "this request_id was used before with another body: make a new UUID"
    return Refused("FIELD_INVALID", message, {"field": "request_id"})
