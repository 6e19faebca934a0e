"""Why totals are stale: one reason, in a fixed order, by tokens and not by times."""

from datetime import UTC, datetime, timedelta

import pytest

from scheduler_service.jobs.freshness import TypeTokens
from scheduler_service.jobs.stale_stats import (
    AggregationJob,
    ChangedType,
    ModuleState,
    StaleReason,
    stale_stats,
)
from scheduler_service.jobs.states import JobResult

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD, NEW = NOW - 2 * HOUR, NOW - HOUR / 2
FRESH = TypeTokens(20, changed_token=1, recalc_claim=2, recalc_end=3)
CHANGED = TypeTokens(20, changed_token=9, recalc_claim=2, recalc_end=3)
NOT_SUMMED = TypeTokens(20, changed_token=1, recalc_claim=2, recalc_end=9)
FAILED = AggregationJob(5, 4, NEW, JobResult.ERROR)
CANCELLED = AggregationJob(5, 4, NEW, JobResult.CANCELLED)
WAITS_LONG = AggregationJob(6, 4, OLD, None)
WAITS = AggregationJob(6, 4, NEW, None)
EVER, STUCK = StaleReason.NO_AGGREGATION_EVER, StaleReason.PENDING_AGGREGATION_STUCK
FAILURE, TOO_OLD = StaleReason.LAST_AGGREGATION_FAILED, StaleReason.LAST_AGGREGATION_TOO_OLD


def state(
    tokens: TypeTokens,
    changed_at: datetime | None = OLD,
    *,
    claim: int = 4,
    newest: AggregationJob | None = None,
    live: AggregationJob | None = None,
) -> ModuleState:
    """Totals of an hour ago and a half; without a claim there are none."""
    at = NOW - 1.5 * HOUR if claim else None
    return ModuleState(2, 2024, (ChangedType(tokens, changed_at),), claim, at, newest, live)


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        pytest.param(state(FRESH), None, id="fresh"),
        pytest.param(state(CHANGED), TOO_OLD, id="changed long ago"),
        pytest.param(state(NOT_SUMMED), TOO_OLD, id="recalculated, not summed"),
        pytest.param(state(CHANGED, NEW), None, id="changed just now"),
        pytest.param(state(CHANGED, None), TOO_OLD, id="nobody knows when"),
        pytest.param(state(CHANGED, claim=0), EVER, id="never summed"),
        pytest.param(state(CHANGED, NEW, claim=0), None, id="not summed yet"),
        pytest.param(state(CHANGED, claim=0, live=WAITS_LONG), EVER, id="never before stuck"),
        pytest.param(state(CHANGED, live=WAITS_LONG, newest=FAILED), STUCK, id="stuck first"),
        pytest.param(state(CHANGED, live=WAITS), TOO_OLD, id="waits, not for long"),
        pytest.param(state(CHANGED, NEW, newest=FAILED), FAILURE, id="a failure at once"),
        pytest.param(
            state(CHANGED, newest=CANCELLED), TOO_OLD, id="a cancelled one has not failed"
        ),
        pytest.param(state(FRESH, newest=FAILED), None, id="failed, and nothing changed since"),
    ],
)
def test_the_first_reason_that_holds_is_given(of: ModuleState, reason: StaleReason | None) -> None:
    found = stale_stats(of, NOW, HOUR, by_age=False)
    assert (found.reason if found is not None else None) == reason


def test_fresh_totals_are_stale_by_age_on_request_only() -> None:
    found = stale_stats(state(FRESH), NOW, HOUR, by_age=True)
    assert found is not None
    assert (found.reason, found.stale_types, found.since) == (TOO_OLD, (), None)
    assert stale_stats(state(FRESH), NOW, 2 * HOUR, by_age=True) is None


def test_the_job_that_failed_or_hangs_is_named() -> None:
    for of, job in (
        (state(CHANGED, newest=FAILED), FAILED),
        (state(CHANGED, live=WAITS_LONG), WAITS_LONG),
        (state(CHANGED), None),
    ):
        found = stale_stats(of, NOW, HOUR, by_age=False)
        assert found is not None
        assert found.job == job
        assert found.stale_types == (20,)
