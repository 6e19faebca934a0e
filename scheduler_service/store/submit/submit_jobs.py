"""Submit: a pipeline and its root in one transaction, once per request_id."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scheduler_service.jobs.requests import Child, Disposition, Refused, Submission, Submitted
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.chain.chain_children import provisional
from scheduler_service.store.core.statements import Row, sparse, statement
from scheduler_service.store.core.unit_of_work import (
    KeyState,
    MustLockMore,
    Needs,
    PipelineState,
    UnitOfWork,
)
from scheduler_service.store.ending.insert_jobs import best_priorities, take_number
from scheduler_service.store.submit.known_requests import RequestKey, known_requests, request_of
from scheduler_service.store.submit.limits import crowded


def parts_in_order(submissions: Sequence[Submission]) -> list[Sequence[Submission]]:
    """Parts that are submitted one after the other, so that each submission is answered as if it
    came alone: no request is twice in a part, and none is validated behind one that is made.
    """
    parts: list[Sequence[Submission]] = []
    start, seen, makes = 0, set[RequestKey](), False
    for place, submission in enumerate(submissions):
        request = request_of(submission)
        if request in seen or (makes and submission.validate_only):
            parts.append(submissions[start:place])
            start, seen, makes = place, set[RequestKey](), False
        seen.add(request)
        makes = makes or not submission.validate_only
    return [*parts, submissions[start:]]


async def submit_jobs(
    tx: UnitOfWork, submissions: Sequence[Submission], joiners_max: int
) -> list[Submitted | Refused]:
    """One answer per submission, in order. Nothing of a refused one is written: of one that would
    join a job which `joiners_max` pipelines have joined, for one.
    """
    answers: list[Submitted | Refused | None] = [None] * len(submissions)
    new: Sequence[int] = range(len(submissions))
    needs = needs_of_submissions(submissions)
    if needs or any(submission.validate_only for submission in submissions):
        # Numbers behind keys are for new ones only. What needs no lock is one statement, which
        # says by itself what is new.
        new = await _new(tx, submissions)
        await tx.lock(needs_of_submissions([submissions[place] for place in new]))
    accepted = []
    refused = await crowded(tx, submissions, new, joiners_max)
    for place in new:
        submission = submissions[place]
        closed = why_closed(tx, submission.job_type, submission.scope)
        answers[place] = closed or refused.get(place)
        if answers[place] is None:
            if submission.validate_only:
                answers[place] = await _validated(tx, submission)
            else:
                accepted.append(place)
    created = await _create(tx, [submissions[place] for place in accepted])
    for place, answer in zip(accepted, created, strict=True):
        answers[place] = answer
    if needs and None in created:
        # The same request came in twice at once and the other one has committed: start over.
        raise MustLockMore(Needs())
    if None in answers:
        await _answer_repeats(tx, submissions, answers)
    return [answer for answer in answers if answer is not None]


async def _new(tx: UnitOfWork, submissions: Sequence[Submission]) -> list[int]:
    """Places of the requests that are not known; of one that comes twice the first."""
    first: dict[RequestKey, int] = {}
    for place, submission in enumerate(submissions):
        first.setdefault(request_of(submission), place)
    known = await known_requests(tx, first)
    return [place for request, place in first.items() if request not in known]


def needs_of_submissions(submissions: Sequence[Submission]) -> Needs:
    """What must be locked to make these; empty for those without key and year."""
    keys, years = set(), set()
    for submission in submissions:
        job_type, scope = job_type_of(submission.job_type), submission.scope
        key = job_type.exclusive_key(scope)
        if key is not None and not submission.validate_only:
            keys.add(key)
        if (year := job_type.open_year(scope)) is not None:
            years.add((scope.tenant, year))
    return Needs(keys=frozenset(keys), years=frozenset(years))


def why_closed(tx: UnitOfWork, job_type: str, scope: Scope) -> Refused | None:
    """Why the job's year, which is held, takes no such job; None if it does, or needs no year."""
    year = job_type_of(job_type).open_year(scope)
    if year is None:
        return None
    match tx.years.get((scope.tenant, year)):
        case None if job_type_of(job_type).needs_provisioned_year:
            return Refused(
                "YEAR_NOT_PROVISIONED",
                f"year {year} of {scope.tenant} is not provisioned: submit a unit_sync first "
                f"(carbonline load units FILE --year {year})",
                {"year": str(year)},
            )
        case True:
            message = f"year {year} of {scope.tenant} is locked: its numbers do not change"
            return Refused("PERIOD_LOCKED", message, {"year": str(year)})
        case _:
            return None


async def _validated(tx: UnitOfWork, submission: Submission) -> Submitted:
    child = Child("", submission.job_type, submission.scope, None)
    (guess,) = await provisional(tx.conn, [child])
    return Submitted(0, 0, guess.disposition, guess.disposition)


class _Root(NamedTuple):
    """A root to be: which place it takes behind its key, and whether another of the batch with
    the same coalesce key stands for it.
    """

    submission: Submission
    coalesce_key: str | None = None
    key: KeyState | None = None
    key_number: int | None = None
    must_wait: bool = False
    is_first: bool = False
    follows: bool = False

    @property
    def group(self) -> str | RequestKey:
        """Roots of one group share a job."""
        return self.coalesce_key or request_of(self.submission)


def _roots(tx: UnitOfWork, submissions: Sequence[Submission]) -> list[_Root]:
    roots = []
    led: set[str] = set()
    for submission in submissions:
        job_type, scope = job_type_of(submission.job_type), submission.scope
        exclusive_key = job_type.exclusive_key(scope)
        if exclusive_key is None:
            roots.append(_Root(submission))
            continue
        coalesce_key = job_type.coalesce_key(scope)
        if coalesce_key in led:
            roots.append(_Root(submission, coalesce_key, follows=True))
            continue
        if coalesce_key is not None:
            led.add(coalesce_key)
        key = tx.key(exclusive_key)
        number, must_wait, is_first = take_number(key)
        if is_first:
            # Its number is drawn by the statement; until then the place is taken.
            key.first_job_id = 0
        roots.append(_Root(submission, coalesce_key, key, number, must_wait, is_first))
    return roots


async def _create(tx: UnitOfWork, submissions: Sequence[Submission]) -> list[Submitted | None]:
    """The pipeline of each, with its root, in order; None for a repeat."""
    if not submissions:
        return []
    roots = _roots(tx, submissions)
    answers: list[Submitted | None] = [None] * len(roots)
    joined = []
    for row in await statement("submit_jobs").rows(tx.conn, _MadeRow, **_columns(roots)):
        place = row.number - 1
        root = roots[place]
        job_id, disposition = row.job_id, Disposition.CREATED
        tx.inserted.add(row.pipeline_id)
        if root.key is not None and root.is_first:
            root.key.first_job_id = job_id
        if row.duplicate_id is not None:
            joined.append((root.submission, row, row.duplicate_id))
            job_id, disposition = row.duplicate_id, Disposition.JOINED
        elif root.must_wait:
            disposition = Disposition.QUEUED_BEHIND
        else:
            tx.woken_types.add(root.submission.job_type)
        answers[place] = Submitted(row.pipeline_id, job_id, disposition, disposition)
    await _join(tx, joined)
    return answers


def _columns(roots: Sequence[_Root]) -> dict[str, list[Any] | None]:
    asked = [root.submission for root in roots]
    scopes = [submission.scope for submission in asked]
    types = [job_type_of(submission.job_type) for submission in asked]
    best = best_priorities((root.group, root.submission.priority) for root in roots)
    return {
        "tenants": [scope.tenant for scope in scopes],
        "request_ids": [s.request_id for s in asked],
        "body_digests": [s.body_digest for s in asked],
        "job_types": [s.job_type for s in asked],
        "modules": sparse([scope.module for scope in scopes]),
        "data_entry_types": sparse([scope.data_entry_type for scope in scopes]),
        "years": sparse([scope.year for scope in scopes]),
        "units": sparse([scope.unit for scope in scopes]),
        "reference_kinds": sparse([scope.reference_kind for scope in scopes]),
        "payloads": sparse([s.payload for s in asked]),
        "waits": sparse([root.must_wait or None for root in roots]),
        "priorities": [best[root.group] for root in roots],
        "attempts_maxima": [job_type.attempts_max for job_type in types],
        "coalesce_keys": sparse([root.coalesce_key for root in roots]),
        "exclusive_keys": sparse([r.key.exclusive_key if r.key else None for r in roots]),
        "key_numbers": sparse([root.key_number for root in roots]),
        "slot_keys": sparse([t.slot_key(s) for t, s in zip(types, scopes, strict=True)]),
        "submitted_bys": [s.submitted_by for s in asked],
        "follows": sparse([root.follows or None for root in roots]),
    }


async def _join(tx: UnitOfWork, joined: Sequence[tuple[Submission, "_MadeRow", int]]) -> None:
    """Where a root joined a waiting duplicate, that duplicate is the root."""
    if not joined:
        return
    for submission, row, duplicate_id in joined:
        tx.add_new_pipeline(
            PipelineState(
                row.pipeline_id,
                submission.scope.tenant,
                version=1,
                live_jobs=1,
                failed_jobs=0,
                warned_jobs=0,
                root_job_id=duplicate_id,
                is_new=True,
                inserted_root_job_id=row.job_id,
            )
        )
    await statement("link_jobs").run(
        tx.conn,
        pipeline_ids=[row.pipeline_id for _, row, _ in joined],
        job_ids=[duplicate_id for _, _, duplicate_id in joined],
        versions=[1 for _ in joined],
    )
    await statement("correct_requests").run(
        tx.conn,
        tenants=[submission.scope.tenant for submission, _, _ in joined],
        request_ids=[submission.request_id for submission, _, _ in joined],
        job_ids=[duplicate_id for _, _, duplicate_id in joined],
    )


async def _answer_repeats(
    tx: UnitOfWork,
    submissions: Sequence[Submission],
    answers: list[Submitted | Refused | None],
) -> None:
    """The answer of the same request before, in this batch or earlier; not if the body differs."""
    unanswered = [place for place, answer in enumerate(answers) if answer is None]
    known = await known_requests(tx, {request_of(submissions[place]) for place in unanswered})
    first: dict[RequestKey, int] = {}
    for place, submission in enumerate(submissions):
        first.setdefault(request_of(submission), place)
    for place in unanswered:
        submission = submissions[place]
        request = request_of(submission)
        row = known.get(request)
        if row is not None:
            same = row.body_digest == submission.body_digest
            first_was = None if row.disposition is None else Disposition(row.disposition)
            before: Submitted | Refused | None = Submitted(
                row.pipeline_id, row.job_id, Disposition.REPLAYED, first_was
            )
        else:
            # Of a request that was refused, or only validated, nothing is remembered.
            before = answers[first[request]]
            same = submissions[first[request]].body_digest == submission.body_digest
        answers[place] = before if same else another_body()


def another_body() -> Refused:
    """The refusal of a request_id that stands for something else already."""
    message = "this request_id was used before with another body: make a new UUID"
    return Refused("FIELD_INVALID", message, {"field": "request_id"})


class _MadeRow(Row):
    """A pipeline that was made; `duplicate_id` is the job that its root has joined."""

    __slots__ = ()
    number: int
    pipeline_id: int
    job_id: int
    duplicate_id: int | None
