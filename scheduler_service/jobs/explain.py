"""Why a job does not run: every reason, and what would help."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from scheduler_service.jobs.job_facts import FirstJob, JobFacts, KnownWorkers
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.jobs.worker_state import WorkerState

# Each build is a kind of its own.
WORKER_KINDS_NAMED_MAX = 10


class JobReasonKind(StrEnum):
    """Why a job does not run; the names of the proto enum without its prefix."""

    FINISHED = "FINISHED"
    RUNNING = "RUNNING"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    PAUSED_TYPE = "PAUSED_TYPE"
    NOT_DUE = "NOT_DUE"
    OLDER_JOBS = "OLDER_JOBS"
    DRAINING_CLAIM = "DRAINING_CLAIM"
    NEXT_SWEEP = "NEXT_SWEEP"
    SET_ASIDE = "SET_ASIDE"
    RUNS_ALONE = "RUNS_ALONE"
    NO_WORKER = "NO_WORKER"
    JOBS_AHEAD = "JOBS_AHEAD"
    EARLIER_ATTEMPTS = "EARLIER_ATTEMPTS"


# While one of the others holds, a worker that asks still gets the job when its turn comes.
DELAYING = frozenset(
    {
        JobReasonKind.NO_WORKER,
        JobReasonKind.RUNS_ALONE,
        JobReasonKind.JOBS_AHEAD,
        JobReasonKind.EARLIER_ATTEMPTS,
    }
)


@dataclass(frozen=True, slots=True)
class JobReason:
    """One reason. `job_id` and `worker_id` are of what it is about, 0 and "" for none; `until` is
    when it ends by itself at the latest.
    """

    kind: JobReasonKind
    message: str
    advice: str = ""
    job_id: int = 0
    worker_id: str = ""
    until: datetime | None = None
    jobs: int = 0

    @property
    def blocks(self) -> bool:
        """Whether no worker can claim the job while it holds."""
        return self.kind not in DELAYING


def is_claimable(reasons: Collection[JobReason]) -> bool:
    """Whether a worker that asks for the job's type gets it when its turn comes."""
    return not any(reason.blocks for reason in reasons)


def explain(job: JobFacts, enabled: Collection[str]) -> list[JobReason]:
    """Every reason why the job does not run, those that block first.

    `enabled` are the job types that this scheduler hands out.
    """
    match job.state:
        case JobState.FINISHED:
            return [_finished(job)]
        case JobState.RUNNING:
            return [_running(job), *_set_aside(job), *_earlier_attempts(job, job.attempts - 1)]
        case JobState.NOT_STARTED | JobState.QUEUED:
            return _not_running(job, enabled)


def _not_running(job: JobFacts, enabled: Collection[str]) -> list[JobReason]:
    blocking = [*_unknown_type(job, enabled), *_paused_type(job), *_waits(job)]
    delaying = [
        *_no_worker(job),
        *_runs_alone(job),
        *_jobs_ahead(job),
        *_earlier_attempts(job, job.attempts),
    ]
    return blocking + delaying


_AGAIN = "run its pipeline again with `carbonline retry`."
_ADVICE_AFTER: Mapping[JobResult, str] = MappingProxyType(
    {
        JobResult.ERROR: f"Correct what the message names and submit the job again, or {_AGAIN}",
        JobResult.CANCELLED: f"If the job is wanted after all, {_AGAIN}",
    }
)


def _finished(job: JobFacts) -> JobReason:
    said = f": {job.message}" if job.message else ""
    if said and job.result is JobResult.ERROR:
        # Whatever its message says, "Success" for one, the job has failed.
        said = f', and its message is "{job.message}"'
    return JobReason(
        JobReasonKind.FINISHED,
        _sentence(f"The job has ended with {job.result}{said}"),
        _ADVICE_AFTER.get(job.result, "") if job.result is not None else "",
        job_id=job.superseded_by,
    )


def _running(job: JobFacts) -> JobReason:
    worker_id = job.holder.worker_id if job.holder is not None else ""
    return JobReason(
        JobReasonKind.RUNNING,
        f"Worker {worker_id} runs the job.",
        worker_id=worker_id,
        until=job.holder.lease_until if job.holder is not None else None,
    )


def _unknown_type(job: JobFacts, enabled: Collection[str]) -> list[JobReason]:
    if job.job_type in enabled:
        return []
    return [
        JobReason(
            JobReasonKind.UNKNOWN_TYPE,
            f"This scheduler does not run jobs of type {job.job_type}.",
            "Start a scheduler of the release that made the job, or cancel the job's pipeline.",
        )
    ]


def _paused_type(job: JobFacts) -> list[JobReason]:
    pause = job.pause
    if pause is None:
        return []
    why = f": {pause.reason}" if pause.reason else ""
    return [
        JobReason(
            JobReasonKind.PAUSED_TYPE,
            _sentence(
                f"Jobs of type {job.job_type} have been paused since {_moment(pause.paused_at)} "
                f"by {pause.paused_by}{why}"
            ),
            f"Resume them with `carbonline resume {job.job_type}`.",
        )
    ]


def _waits(job: JobFacts) -> list[JobReason]:
    """Why the job is not queued; nothing if it is."""
    if job.state is JobState.QUEUED:
        return []
    found = [*_set_aside(job), *_older_jobs(job), *_draining_claim(job), *_not_due(job)]
    return found or [
        JobReason(
            JobReasonKind.NEXT_SWEEP,
            "Nothing is left to wait for. The scheduler queues the job with its next sweep.",
        )
    ]


def _set_aside(job: JobFacts) -> list[JobReason]:
    if job.set_aside is None:
        return []
    return [
        JobReason(
            JobReasonKind.SET_ASIDE,
            _sentence(
                f"The scheduler has failed at this job or its key and tries again at "
                f"{_moment(job.set_aside.until)}: {job.set_aside.reason}"
            ),
            "Read the scheduler's log, and report the failure as a bug.",
            until=job.set_aside.until,
        )
    ]


def _older_jobs(job: JobFacts) -> list[JobReason]:
    first = job.first
    if first is None:
        return []
    older = "1 older job" if job.older_jobs == 1 else f"{job.older_jobs:,} older jobs"
    come = "comes" if job.older_jobs == 1 else "come"
    return [
        JobReason(
            JobReasonKind.OLDER_JOBS,
            f"{older} of the same data {come} first. It is the turn of job {first.job_id} "
            f"({first.job_type}), {_standing(first)}.",
            f"Wait for job {first.job_id}, or cancel its pipeline. "
            f"`carbonline explain {first.job_id}` says what keeps it.",
            job_id=first.job_id,
            worker_id=first.worker_id,
            jobs=job.older_jobs,
        )
    ]


def _standing(first: FirstJob) -> str:
    match first.state:
        case JobState.RUNNING:
            return f"which worker {first.worker_id} runs"
        case JobState.QUEUED:
            return "which waits for a worker"
        case _ if first.run_after is not None:
            return f"which waits until {_moment(first.run_after)}"
        case _:
            return "which waits, too"


def _draining_claim(job: JobFacts) -> list[JobReason]:
    drain = job.drain
    if drain is None:
        return []
    return [
        JobReason(
            JobReasonKind.DRAINING_CLAIM,
            f"Worker {drain.worker_id} has not released job {drain.job_id} of the same data yet, "
            "which was cancelled or recovered.",
            "Wait: the worker releases it with its next heartbeat, or its lease expires.",
            job_id=drain.job_id,
            worker_id=drain.worker_id,
            until=drain.lease_until,
        )
    ]


def _not_due(job: JobFacts) -> list[JobReason]:
    set_aside_until = job.set_aside.until if job.set_aside is not None else None
    if job.run_after is None or job.run_after <= job.now or job.run_after == set_aside_until:
        return []
    why = ", since an attempt failed or expired" if job.attempts else ""
    return [
        JobReason(
            JobReasonKind.NOT_DUE,
            f"The job waits until {_moment(job.run_after)}{why}.",
            "Wait: the pause grows with each attempt." if job.attempts else "Wait.",
            until=job.run_after,
        )
    ]


def _no_worker(job: JobFacts) -> list[JobReason]:
    able = [one for one in job.workers if one.serves_tenant and one.claims_type]
    if any(one.state is WorkerState.LIVE for one in able):
        return []
    return [
        JobReason(
            JobReasonKind.NO_WORKER,
            f"No live worker claims jobs of type {job.job_type} for tenant {job.tenant}. "
            f"{_who_else(job.workers, able)}",
            "Start a worker that does. `carbonline workers` lists those that the scheduler knows.",
        )
    ]


def _who_else(workers: Sequence[KnownWorkers], able: Sequence[KnownWorkers]) -> str:
    """The workers that do not help, and why each does not; many kinds of them in part."""
    kinds: Counter[tuple[str, str]] = Counter()
    for one in workers:
        if one in able or one.state is WorkerState.LIVE:
            build = one.build_id if one.serves_tenant else ""
            kinds[_why_not(one, able=one in able), build] += one.count
    if not kinds:
        return "The scheduler knows of no worker."
    named = kinds.most_common(WORKER_KINDS_NAMED_MAX)
    parts = [
        f"{count:,} {why}{f' (build {build})' if build else ''}"
        for (why, build), count in sorted(named)
    ]
    others = kinds.total() - sum(count for _, count in named)
    more = f" and {others:,} more" if others else ""
    return f"Other workers: {', '.join(parts)}{more}."


def _why_not(workers: KnownWorkers, *, able: bool) -> str:
    if able:
        return workers.state.lower().replace("_", " ")
    return "with other job types" if workers.serves_tenant else "with other tenants"


def _runs_alone(job: JobFacts) -> list[JobReason]:
    if not job.runs_alone:
        return []
    return [
        JobReason(
            JobReasonKind.RUNS_ALONE,
            "A claim of the job has expired. Since then the job runs alone: a worker gets it when "
            "it runs no other job.",
            "Wait: the scheduler holds other jobs back from one worker until that runs none, or "
            "start a worker.",
        )
    ]


def _jobs_ahead(job: JobFacts) -> list[JobReason]:
    if job.jobs_ahead == 0:
        return []
    jobs = "1 other job" if job.jobs_ahead == 1 else f"{job.jobs_ahead:,} other jobs"
    are = "is" if job.jobs_ahead == 1 else "are"
    return [
        JobReason(
            JobReasonKind.JOBS_AHEAD,
            f"{jobs} of type {job.job_type} of the same institution {are} claimed first.",
            "Wait, or start more workers.",
            jobs=job.jobs_ahead,
        )
    ]


def _earlier_attempts(job: JobFacts, used: int) -> list[JobReason]:
    if used <= 0:
        return []
    attempts = "1 attempt" if used == 1 else f"{used} attempts"
    are = "is" if used == 1 else "are"
    by = f" The last one was by worker {job.last_worker_id}." if job.last_worker_id else ""
    said = f" It said: {job.message}" if by else f" The last one said: {job.message}"
    logs = (
        f"Read the logs of worker {job.last_worker_id}."
        if by
        else "Read the logs of these workers."
    )
    return [
        JobReason(
            JobReasonKind.EARLIER_ATTEMPTS,
            _sentence(
                f"{attempts} of {job.attempts_max} {are} used.{by}{said if job.message else ''}"
            ),
            f"`carbonline job` lists its claims with their workers. {logs}",
            worker_id=job.last_worker_id,
        )
    ]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
