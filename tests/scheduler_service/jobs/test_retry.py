"""Backoff doubles, is bounded, and ends."""

import pytest

from scheduler_service.jobs.retry import (
    Again,
    Spent,
    after_drain,
    after_expiry,
    after_fault,
    expiry_pause_seconds,
)
from scheduler_service.jobs.states import JobResult, PipelineStatus, pipeline_status


@pytest.mark.parametrize(
    ("attempts", "asked", "then"),
    [
        (1, None, Again(1.0)),
        (2, None, Again(2.0)),
        (4, None, Again(8.0)),
        (4, 0.0, Again(0.0)),
        (4, 900.0, Again(900.0)),
        (4, 9999.0, Again(3600.0)),
        (5, 0.0, Spent()),
    ],
)
def test_a_fault_waits_and_ends(attempts: int, asked: float | None, then: Again | Spent) -> None:
    assert after_fault(attempts, 5, asked) == then


def test_an_expired_job_runs_again_a_moment_later_until_attempts_are_spent() -> None:
    assert expiry_pause_seconds(0.0, 0.0) == pytest.approx(0.5)
    assert expiry_pause_seconds(1.0, 0.25) == pytest.approx(1.25)
    assert expiry_pause_seconds(1.0, 3.0) == 0.0
    assert after_expiry(4, 5, 0.5) == Again(0.5)
    assert after_expiry(5, 5, 0.5) == Spent()


def test_a_drain_that_costs_an_attempt_waits_for_nothing() -> None:
    assert after_drain(4, 5) == Again(0.0)
    assert after_drain(5, 5) == Spent()


@pytest.mark.parametrize(
    ("live", "failed", "cancelled", "root", "status"),
    [
        (1, 1, False, JobResult.ERROR, PipelineStatus.LIVE),
        (0, 0, False, JobResult.SUCCESS, PipelineStatus.SUCCESS),
        (0, 0, False, JobResult.WARNING, PipelineStatus.SUCCESS),
        (0, 1, False, JobResult.SUCCESS, PipelineStatus.PARTIAL),
        (0, 1, False, JobResult.ERROR, PipelineStatus.FAILED),
        (0, 1, True, JobResult.ERROR, PipelineStatus.CANCELLED),
    ],
)
def test_status_follows_from_counters_and_root(
    live: int, failed: int, cancelled: bool, root: JobResult, status: PipelineStatus
) -> None:
    found = pipeline_status(
        live_jobs=live, failed_jobs=failed, cancelled=cancelled, root_result=root
    )
    assert found is status
