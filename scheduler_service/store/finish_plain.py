"""Finish of jobs that end alone: the same compare-and-set, with little to follow from it."""

from collections.abc import Sequence

from scheduler_service.jobs.job_types import JOB_TYPES, JobType
from scheduler_service.jobs.requests import Ended, Ending, FinishOutcome
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.barrier import WAITING_FOR
from scheduler_service.store.end_claims import compare_and_set
from scheduler_service.store.statements import statement
from scheduler_service.store.transaction import Transaction

APPLIED = Ended(FinishOutcome.APPLIED)


def _ends_alone(job_type: JobType) -> bool:
    follows = job_type.writes or job_type.provisions_year or job_type.name in WAITING_FOR
    keys = job_type.dedup or job_type.exclusive or job_type.barrier or job_type.has_slot
    return not follows and not keys


PLAIN_TYPES = tuple(sorted(t.name for t in JOB_TYPES.values() if _ends_alone(t)))


async def finish_plain(tx: Transaction, endings: Sequence[Ending]) -> list[Ended | None]:
    """APPLIED for each ending that was, in order; None for what `finish_jobs` has to decide."""
    rows = await statement("hold_plain_endings").rows(
        tx.conn,
        job_ids=[e.job_id for e in endings],
        claim_tokens=[e.claim_token for e in endings],
        worker_ids=[e.worker_id for e in endings],
        principals=[e.principal for e in endings],
        job_types=PLAIN_TYPES,
    )
    pipelines: dict[int, int] = {}
    first: dict[int, tuple[int, Ending]] = {}
    for row in rows:
        tx.hold_pipeline(row)
        for place in row["places"]:
            ending = endings[place - 1]
            pipelines[ending.job_id] = row["pipeline_id"]
            first.setdefault(ending.job_id, (place - 1, ending))
    applied = await compare_and_set(tx, [ending for _, ending in first.values()], pipelines)
    answers: list[Ended | None] = [None] * len(endings)
    for job_id in applied:
        number, ending = first[job_id]
        answers[number] = APPLIED
        state = tx.pipeline(pipelines[job_id])
        state.live_jobs -= 1
        state.failed_jobs += ending.result is JobResult.ERROR
        state.warned_jobs += ending.result is JobResult.WARNING
        tx.plain_ends.append((state, ending))
    return answers
