"""Schedules: jobs that the scheduler submits itself, and what becomes of each tick."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile
from typing import NamedTuple, Protocol
from uuid import UUID, uuid5

from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.ticks import due_at, ticks

# Of one tenant.
SCHEDULES_MAX = 100
# An outage that is shorter is told from none by nobody: its ticks are late, not missed.
LATE_SECONDS = 300
JITTER_SECONDS, JITTER_SECONDS_MAX = 300, 3600
# Of ticks that nobody was there for, so many are counted.
PASSED_OVER_MAX = 1000
# The moments that are shown of a schedule before they come.
TICKS_SHOWN = 5
_TICKS = UUID("5f0c3c0e-8a1b-5d0e-9d53-0f1c7d1d6a52")


class TickOutcome(StrEnum):
    """What became of a tick; the names of the proto enum without its prefix."""

    SUBMITTED = "SUBMITTED"
    REFUSED = "REFUSED"
    OVERLAPPED = "OVERLAPPED"
    MISSED = "MISSED"


class ScheduleTimes(Protocol):
    """What says when a schedule ticks."""

    @property
    def tenant(self) -> str:
        """The tenant."""
        ...

    @property
    def name(self) -> str:
        """Its name within the tenant."""
        ...

    @property
    def cron(self) -> str:
        """The expression."""
        ...

    @property
    def time_zone(self) -> str:
        """The zone of the expression."""
        ...

    @property
    def jitter_seconds(self) -> int:
        """By how much its ticks may be due later."""
        ...


@dataclass(frozen=True, slots=True)
class ScheduleWanted:
    """One CreateSchedule. A `scope` without the year that its type needs means the year of each
    tick. With `runs_late`, a tick that nobody was there for runs once there is somebody.
    """

    name: str
    cron: str
    time_zone: str
    job_type: str
    scope: Scope
    payload: Json | None
    priority: int
    runs_late: bool
    jitter_seconds: int
    principal: str
    validate_only: bool = False

    @property
    def tenant(self) -> str:
        """The tenant of the job."""
        return self.scope.tenant


class TickDone(NamedTuple):
    """What became of a tick. `pipeline_id` is None unless it was submitted. `passed_over` of those
    behind it, PASSED_OVER_MAX at most, were missed with it.
    """

    tenant: str
    schedule: str
    job_type: str
    tick: datetime
    outcome: TickOutcome
    pipeline_id: int | None
    message: str
    passed_over: int


def outcome_of(now: datetime, due: datetime, *, runs_late: bool, is_busy: bool) -> TickOutcome:
    """What becomes of a tick that is due. `is_busy`: the pipeline of an earlier one has not ended.

    So a schedule has one live pipeline at most, however long nobody runs its jobs.
    """
    if is_busy:
        return TickOutcome.OVERLAPPED
    if not runs_late and now - due > timedelta(seconds=LATE_SECONDS):
        return TickOutcome.MISSED
    return TickOutcome.SUBMITTED


def request_id_of(schedule_id: int, tick: datetime) -> UUID:
    """The request id of a tick's Submit: whoever repeats it gets the pipeline of the first."""
    return uuid5(_TICKS, f"{schedule_id} {tick.isoformat()}")


class NextTick(NamedTuple):
    """A tick, and when it is due."""

    tick: datetime
    due_at: datetime


def first_tick(wanted: ScheduleTimes, now: datetime) -> NextTick | None:
    """The tick that is next from now on; None if there is none within 50 years."""
    coming = tuple(islice(ticks(wanted.cron, wanted.time_zone, now), 2))
    if not coming:
        return None
    following = coming[1] if len(coming) > 1 else None
    name = f"{wanted.tenant}/{wanted.name}"
    return NextTick(coming[0], due_at(coming[0], following, wanted.jitter_seconds, name))


def tick_after(wanted: ScheduleTimes, tick: datetime, now: datetime) -> NextTick | None:
    """The tick behind one that was looked at. If that is missed, too, the first from now on: of
    many that nobody was there for, one is looked at.
    """
    following = first_tick(wanted, tick)
    if following is None or now - following.due_at <= timedelta(seconds=LATE_SECONDS):
        return following
    return first_tick(wanted, now)


def passed_over(wanted: ScheduleTimes, tick: datetime, until: datetime) -> int:
    """How many ticks there are between two of them, PASSED_OVER_MAX at most."""
    between = takewhile(lambda one: one < until, ticks(wanted.cron, wanted.time_zone, tick))
    return sum(1 for _ in islice(between, PASSED_OVER_MAX))
