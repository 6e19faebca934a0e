"""The sentences by which a job's standing is explained."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scheduler_service.jobs.explain import JobReasonKind, explain, is_claimable
from scheduler_service.jobs.job_facts import FirstJob, JobFacts, KnownWorkers, SetAsideUntil
from scheduler_service.jobs.requests import Pause
from scheduler_service.jobs.states import JobResult, JobState
from scheduler_service.jobs.worker_state import WorkerState

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LIVE = KnownWorkers(1, WorkerState.LIVE, "1.0", serves_tenant=True, claims_type=True)
QUEUED = JobFacts(
    now=NOW,
    tenant="uni",
    job_type="csv_ingest",
    state=JobState.QUEUED,
    result=None,
    message="",
    superseded_by=0,
    run_after=None,
    attempts=0,
    last_worker_id="",
    attempts_max=5,
    runs_alone=False,
    holder=None,
    first=None,
    drain=None,
    pause=None,
    older_jobs=0,
    jobs_ahead=0,
    set_aside=None,
    workers=(LIVE,),
)
WAITING = replace(QUEUED, state=JobState.NOT_STARTED)
FIRST = FirstJob(7, "csv_ingest", JobState.NOT_STARTED, "", NOW + timedelta(seconds=1))
ENABLED = ("csv_ingest",)


def explained(job: JobFacts) -> list[str]:
    return [reason.message for reason in explain(job, ENABLED)]


def test_a_claimable_job_with_a_worker_and_nothing_ahead_needs_no_reason() -> None:
    assert explain(QUEUED, ENABLED) == []
    assert is_claimable(())


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            replace(QUEUED, jobs_ahead=1204),
            "1,204 other jobs of type csv_ingest of the same institution are claimed first.",
        ),
        (
            replace(WAITING, first=FIRST, older_jobs=2),
            (
                "2 older jobs of the same data come first. It is the turn of job 7 (csv_ingest), "
                "which waits until 2026-01-02 03:04:06 UTC."
            ),
        ),
        (
            replace(WAITING, run_after=NOW + timedelta(minutes=1)),
            "The job waits until 2026-01-02 03:05:05 UTC.",
        ),
        (
            replace(
                QUEUED,
                pause=Pause("uni", "csv_ingest", NOW, "ann", "the year is closed", None, None),
            ),
            (
                "Jobs of type csv_ingest have been paused since 2026-01-02 03:04:05 UTC by ann: "
                "the year is closed."
            ),
        ),
        (
            replace(WAITING, set_aside=SetAsideUntil(NOW, "CheckViolationError('x')")),
            (
                "The scheduler has failed at this job or its key and tries again at "
                "2026-01-02 03:04:05 UTC: CheckViolationError('x')."
            ),
        ),
        (
            replace(QUEUED, attempts=2, message="The ledger does not answer"),
            "2 attempts of 5 are used. The last one said: The ledger does not answer.",
        ),
        (
            replace(WAITING, state=JobState.FINISHED, result=JobResult.ERROR, message="Success"),
            'The job has ended with ERROR, and its message is "Success".',
        ),
    ],
)
def test_a_reason_is_a_sentence_with_its_numbers(job: JobFacts, message: str) -> None:
    assert explained(job) == [message]


def test_a_pause_is_blamed_on_an_attempt_where_there_was_one() -> None:
    waits, *_ = explained(replace(WAITING, run_after=NOW + timedelta(minutes=1), attempts=1))
    assert waits == (
        "The job waits until 2026-01-02 03:05:05 UTC, since an attempt failed or expired."
    )


def test_a_job_that_waits_gives_all_its_reasons_at_once() -> None:
    job = replace(
        WAITING, first=FIRST, older_jobs=1, run_after=NOW + timedelta(minutes=1), workers=()
    )
    assert [reason.kind for reason in explain(job, ())] == [
        JobReasonKind.UNKNOWN_TYPE,
        JobReasonKind.OLDER_JOBS,
        JobReasonKind.NOT_DUE,
        JobReasonKind.NO_WORKER,
    ]


@pytest.mark.parametrize(
    ("result", "advised"),
    [
        (JobResult.ERROR, True),
        (JobResult.CANCELLED, True),
        (JobResult.WARNING, False),
        (JobResult.SUCCESS, False),
    ],
)
def test_what_was_left_undone_can_be_run_again(result: JobResult, *, advised: bool) -> None:
    [reason] = explain(replace(WAITING, state=JobState.FINISHED, result=result), ENABLED)
    assert ("`carbonline retry`" in reason.advice) is advised


def test_a_superseded_job_names_the_one_that_does_its_work() -> None:
    job = replace(WAITING, state=JobState.FINISHED, result=JobResult.SUPERSEDED, superseded_by=9)
    [reason] = explain(job, ENABLED)
    assert (reason.job_id, reason.advice) == (9, "")


def test_workers_that_do_not_help_are_counted_with_their_builds() -> None:
    lost = replace(LIVE, state=WorkerState.LOST)
    others = replace(LIVE, claims_type=False, build_id="2.0")
    strangers = replace(LIVE, serves_tenant=False)
    [no_worker] = explain(replace(QUEUED, workers=(lost, others, others, strangers)), ENABLED)
    assert no_worker.message == (
        "No live worker claims jobs of type csv_ingest for tenant uni. Other workers: "
        "1 lost (build 1.0), 2 with other job types (build 2.0), 1 with other tenants."
    )
