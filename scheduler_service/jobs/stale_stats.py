"""Which totals are stale, for how long, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler_service.jobs.freshness import TypeTokens, is_seen
from scheduler_service.jobs.states import JobResult


class StaleReason(StrEnum):
    """Why totals are stale; the names of the proto enum without its prefix. The first that holds
    is given.
    """

    NO_AGGREGATION_EVER = "NO_AGGREGATION_EVER"
    PENDING_AGGREGATION_STUCK = "PENDING_AGGREGATION_STUCK"
    LAST_AGGREGATION_FAILED = "LAST_AGGREGATION_FAILED"
    LAST_AGGREGATION_TOO_OLD = "LAST_AGGREGATION_TOO_OLD"


@dataclass(frozen=True, slots=True)
class ChangedType:
    """A data-entry type with its tokens, and when its data changed last, if that is known."""

    tokens: TypeTokens
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AggregationJob:
    """An aggregation: the one with the newest claim, or the one that is not over."""

    job_id: int
    pipeline_id: int
    created_at: datetime
    result: JobResult | None


@dataclass(frozen=True, slots=True)
class ModuleState:
    """What is known of a module's totals in a year. `claim` is the token of the last aggregation
    that ended well, 0 if there is none; `newest` has the newest claim of all aggregations, `live`
    has not ended.
    """

    module: int
    year: int
    types: Sequence[ChangedType]
    claim: int
    aggregated_at: datetime | None
    newest: AggregationJob | None
    live: AggregationJob | None


@dataclass(frozen=True, slots=True)
class StaleStats:
    """Totals that are stale. `since` is None if unknown, `job` the one that failed or hangs."""

    state: ModuleState
    reason: StaleReason
    stale_types: Sequence[int]
    since: datetime | None
    job: AggregationJob | None = None


def stale_stats(
    state: ModuleState, now: datetime, older_than: timedelta, *, by_age: bool
) -> StaleStats | None:
    """Why the totals have been stale for longer than `older_than`; None if they have not.

    A failure is told at once. With `by_age`, fresh totals that are older count as stale, too.
    """
    unseen = [one for one in state.types if not is_seen(one.tokens, state.claim)]
    stale_types = tuple(sorted(one.tokens.data_entry_type for one in unseen))
    since = min((one.changed_at for one in unseen if one.changed_at is not None), default=None)
    limit = now - older_than

    def found(reason: StaleReason, job: AggregationJob | None = None) -> StaleStats:
        return StaleStats(state, reason, stale_types, since, job)

    is_overdue = bool(unseen) and (since is None or since <= limit)
    if state.claim == 0 and is_overdue:
        return found(StaleReason.NO_AGGREGATION_EVER)
    if state.live is not None and state.live.created_at <= limit:
        return found(StaleReason.PENDING_AGGREGATION_STUCK, state.live)
    failed = state.newest is not None and state.newest.result is JobResult.ERROR
    if unseen and failed:
        return found(StaleReason.LAST_AGGREGATION_FAILED, state.newest)
    is_old = by_age and state.aggregated_at is not None and state.aggregated_at <= limit
    if (is_overdue or is_old) and state.claim > 0:
        return found(StaleReason.LAST_AGGREGATION_TOO_OLD)
    return None
