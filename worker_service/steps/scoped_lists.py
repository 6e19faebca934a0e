"""Whoever may see a job may download the lists that its stats name."""

import re
from collections.abc import Mapping

from worker_service.ledger.blob_scopes import FileScope, note_scope
from worker_service.ledger.pool import Ledger
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome, RetryLater, Stats
from worker_service.mechanics.registry import Step
from worker_service.mechanics.run import Run

_REFERENCE = re.compile(r"blob:sha256:[0-9a-f]{64}")
_KEY_ENDS = "_blob"


async def run_with_lists_noted(ledger: Ledger, step: Step, run: Run) -> Outcome:
    """Runs the step. The lists that it names are noted for the scope of its job, before anybody
    hears of them: another job may have made the same bytes first. Raises as the step.
    """
    outcome = await step(run)
    if not isinstance(outcome, RetryLater):
        await note_files(ledger, run.job, lists_of(run.job, outcome.stats))
    return outcome


async def note_files(ledger: Ledger, job: ClaimedJob, names: Mapping[str, str]) -> None:
    """Files by their references, with names for people, are for the scope of the job. Raises
    DatabaseUnavailable.
    """
    if names:
        await note_scope(ledger, _scope_of(job), [*names.items()])


def lists_of(job: ClaimedJob, stats: Stats) -> dict[str, str]:
    """The names of the files that the stats of a job name, by reference."""
    return {
        said: list_name(key.removesuffix(_KEY_ENDS), job)
        for key, said in stats.items()
        if key.endswith(_KEY_ENDS) and isinstance(said, str) and _REFERENCE.fullmatch(said)
    }


def list_name(noun: str, job: ClaimedJob) -> str:
    """How people see a file of rows, such as rejected ones, that a job has made."""
    return f"{noun}_rows_of_job_{job.job_id}.csv"


def _scope_of(job: ClaimedJob) -> FileScope:
    parts = (job.module or 0, job.unit or "", job.data_entry_type or 0, job.year or 0)
    return FileScope(job.tenant, *parts)
