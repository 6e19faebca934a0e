"""Whatever the clock, the schedulers and their crashes do, each tick that is to run runs once."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler_service.jobs.schedules import LATE_SECONDS, TickOutcome
from scheduler_service.store.store import Store
from tests.scheduler_service.store.schedule.schedule_driver import (
    CRASH,
    MINUTE,
    REPAIRED,
    ScheduleDriver,
)
from tests.scheduler_service.store.store_driver import TENANT

SET_ASIDE_UNTIL = "SELECT max(until) FROM scheduler.set_asides WHERE step = 'schedule'"
NAMES = count()
GRID = 5 * MINUTE


class Model:
    """Which ticks of every fifth minute run, by arithmetic alone."""

    def __init__(self, now: datetime, *, runs_late: bool) -> None:
        self.next = on_grid(now)
        self.runs_late = runs_late
        self.ran: list[datetime] = []

    def look(self, now: datetime) -> None:
        late = timedelta(seconds=LATE_SECONDS)
        while self.next <= now:
            if self.runs_late or now - self.next <= late:
                self.ran.append(self.next)
            following = self.next + GRID
            self.next = following if now - following <= late else on_grid(now)


def on_grid(now: datetime) -> datetime:
    """The first fifth minute behind a moment."""
    whole = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    return whole + GRID


def words(tick: datetime) -> str:
    """As a timeline says it."""
    return f"{tick.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


Event = tuple[int, bool, int]
LIVE = "SELECT count(*) FROM scheduler.pipelines WHERE schedule = $1 AND status = 'LIVE'"
EVENTS = st.lists(
    st.tuples(st.integers(-20, 40), st.booleans(), st.integers(1, 3)), min_size=1, max_size=8
)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    # One database for all examples: each has a schedule of its own.
    suppress_health_check=list(HealthCheck),
)
@given(events=EVENTS, runs_late=st.booleans())
async def test_whatever_happens_each_tick_that_is_to_run_runs_once(
    schedules: ScheduleDriver, other: Store, events: list[Event], runs_late: bool
) -> None:
    """The clock is moved, also back; schedulers look at once, and crash in the middle."""
    name = f"s{next(NAMES)}"
    await schedules.create(name=name, cron="*/5 * * * *", runs_late=runs_late)
    model, overlapped = Model(schedules.now, runs_late=runs_late), list[datetime]()
    for minutes, crashes, looks in events:
        await schedules.later(minutes * MINUTE)
        if crashes:
            await crash(schedules)
        model.look(schedules.now)
        for _ in range(4):
            stores = [schedules.store, other][: 1 + looks // 2] * looks
            done = await asyncio.gather(*(one.submit_due_ticks() for one in stores))
            live = await schedules.store.pool.fetchval(LIVE, name)
            assert live <= 1, "a schedule has one live pipeline at most"
            overlapped += [
                one.tick for each in done for one in each if one.outcome is TickOutcome.OVERLAPPED
            ]
            await schedules.run_jobs()
    # Of two ticks that are late at once, the second may have met the job of the first.
    ran = await schedules.ticked(name)
    passed_over = [words(tick) for tick in overlapped]
    assert sorted([*ran, *passed_over]) == [words(tick) for tick in model.ran]
    await schedules.store.delete_schedule(TENANT, name)


async def crash(schedules: ScheduleDriver) -> None:
    """Whoever looks now dies behind its submit. The pause of what was set aside goes by."""
    await schedules.store.pool.execute(CRASH)
    try:
        await schedules.tick()
    finally:
        await schedules.store.pool.execute(REPAIRED)
    until = await schedules.store.pool.fetchval(SET_ASIDE_UNTIL)
    if until is not None and until > schedules.now:
        await schedules.set_clock(until + timedelta(seconds=1))
