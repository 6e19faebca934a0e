"""Submit of roots that wait for nothing: the same rows, made by one statement."""

from collections.abc import Sequence

from scheduler_service.jobs.job_types import JOB_TYPES, JobType
from scheduler_service.jobs.requests import Disposition, Submission, Submitted
from scheduler_service.store.statements import sparse, statement
from scheduler_service.store.transaction import Transaction


def _starts_alone(job_type: JobType) -> bool:
    keys = job_type.dedup or job_type.exclusive or job_type.has_slot
    return not keys and not job_type.needs_provisioned_year


PLAIN_TYPES = frozenset(t.name for t in JOB_TYPES.values() if _starts_alone(t))


async def submit_plain(
    tx: Transaction, submissions: Sequence[Submission]
) -> list[Submitted | None]:
    """The pipeline of each submission that made one, in order; None for what `submit_jobs` has
    to decide: repeats among them.
    """
    plain = [
        (number, submission)
        for number, submission in enumerate(submissions)
        if submission.job_type in PLAIN_TYPES and not submission.validate_only
    ]
    answers: list[Submitted | None] = [None] * len(submissions)
    if not plain:
        return answers
    asked = [submission for _, submission in plain]
    scopes = [submission.scope for submission in asked]
    rows = await statement("submit_plain").rows(
        tx.conn,
        tenants=[scope.tenant for scope in scopes],
        request_ids=[s.request_id for s in asked],
        body_digests=[s.body_digest for s in asked],
        job_types=[s.job_type for s in asked],
        modules=sparse([scope.module for scope in scopes]),
        data_entry_types=sparse([scope.data_entry_type for scope in scopes]),
        years=sparse([scope.year for scope in scopes]),
        units=sparse([scope.unit for scope in scopes]),
        reference_kinds=sparse([scope.reference_kind for scope in scopes]),
        payloads=sparse([s.payload for s in asked]),
        priorities=[s.priority for s in asked],
        fair_stamps=[tx.fair_share.stamp(scope.tenant) for scope in scopes],
        attempts_maxima=[JOB_TYPES[s.job_type].attempts_max for s in asked],
        submitted_bys=[s.submitted_by for s in asked],
    )
    for row in rows:
        number, submission = plain[row["number"] - 1]
        answers[number] = Submitted(row["pipeline_id"], row["job_id"], Disposition.CREATED)
        tx.woken_types.add(submission.job_type)
    return answers
