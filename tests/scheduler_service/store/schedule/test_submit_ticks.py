"""Each tick is submitted once, whatever the number of schedulers and whatever crashes."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import structlog

from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.schedules import (
    PASSED_OVER_MAX,
    TickDone,
    TickOutcome,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.schedule import submit_ticks
from scheduler_service.store.store import Store
from scheduler_service.sweeps.loop import Sweep
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.schedule.schedule_driver import (
    CRASH,
    HOUR,
    MINUTE,
    REPAIRED,
    ScheduleDriver,
)
from tests.scheduler_service.store.store_driver import PLANE, TENANT, TRAVEL

# Of schedule `second` COMMIT fails, when all of the transaction has been done.
COMMIT_FAILS = """
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'no commit';
END $$;
CREATE CONSTRAINT TRIGGER fails AFTER UPDATE ON scheduler.schedules DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.name = 'second') EXECUTE FUNCTION fails();
"""
# The look goes on, and finds no clock.
CLOCK_STOPS = """
CREATE FUNCTION stops() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    ALTER FUNCTION scheduler.clock() RENAME TO lost_clock;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER stops AFTER UPDATE ON scheduler.schedules DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION stops();
"""
AS_BEFORE = """
UPDATE scheduler.schedules
SET next_tick = last_tick, due_at = last_tick, last_tick = NULL, last_outcome = NULL,
    last_pipeline_id = NULL
"""


class Heard(Observer):
    """What became of ticks, as it is told."""

    def __init__(self) -> None:
        self.done: list[TickDone] = []

    def ticked(self, done: Sequence[TickDone]) -> None:
        self.done += done


async def test_nothing_is_submitted_before_a_tick_is_due(schedules: ScheduleDriver) -> None:
    row = await schedules.create()
    assert row.due_at == row.next_tick == datetime(2026, 11, 28, 13, tzinfo=UTC)
    await schedules.set_clock(row.due_at - timedelta(seconds=1))
    assert await schedules.tick() == []
    await schedules.set_clock(row.due_at)
    assert await schedules.tick() == ["SUBMITTED"]
    assert await schedules.tick() == []


async def test_a_pipeline_says_which_schedule_made_it_and_who_had_created_that(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create(priority=3)
    await schedules.later(HOUR)
    [done] = await schedules.look()
    [pipeline] = await schedules.made()
    assert (pipeline["schedule"], pipeline["submitted_by"]) == ("hourly", "ann")
    assert pipeline["pipeline_id"] == done.pipeline_id
    assert await schedules.ticked() == ["2026-11-28 13:00 UTC"]
    row = await schedules.shown()
    assert (row.last_pipeline_id, row.last_status) == (done.pipeline_id, "LIVE")
    assert row.next_tick == datetime(2026, 11, 28, 14, tzinfo=UTC)


async def test_schedulers_that_look_at_once_submit_a_tick_once(
    schedules: ScheduleDriver, other: Store
) -> None:
    for number in range(20):
        await schedules.create(name=f"s{number}")
    for hour in range(3):
        await schedules.later(HOUR)
        looks = (schedules.store, other) * 3
        done = await asyncio.gather(*(one.submit_due_ticks() for one in looks))
        assert sorted(one.schedule for of_one in done for one in of_one) == sorted(
            f"s{number}" for number in range(20)
        )
        assert len(await schedules.made()) == 20 * (hour + 1)
        await schedules.run_jobs()


async def test_a_tick_that_is_looked_at_again_is_answered_with_its_pipeline(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create()
    await schedules.later(HOUR)
    [first] = await schedules.look()
    await schedules.store.pool.execute(AS_BEFORE)
    [again] = await schedules.look()
    assert again == first
    assert len(await schedules.made()) == 1


async def test_a_crash_between_submit_and_commit_leaves_the_tick_to_the_next_look(
    schedules: ScheduleDriver,
) -> None:
    row = await schedules.create()
    await schedules.later(HOUR)
    await schedules.store.pool.execute(CRASH)
    await schedules.tick()
    await schedules.store.pool.execute(REPAIRED)
    assert await schedules.made() == []
    assert (await schedules.shown()).next_tick == row.next_tick
    await schedules.later(MINUTE)
    assert await schedules.tick() == ["SUBMITTED"]
    assert await schedules.ticked() == ["2026-11-28 13:00 UTC"]


async def test_of_ticks_that_nobody_was_there_for_one_runs_late(schedules: ScheduleDriver) -> None:
    await schedules.create()
    await schedules.later(50 * HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    await schedules.run_jobs()
    assert await schedules.tick() == []
    assert await schedules.ticked() == ["2026-11-28 13:00 UTC"]
    row = await schedules.shown()
    assert row.next_tick == datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert row.last_message == "49 ticks behind it were missed"


async def test_ticks_that_nobody_was_there_for_are_skipped_if_the_schedule_says_so(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create(runs_late=False)
    await schedules.later(2 * HOUR + 10 * MINUTE)
    [done] = await schedules.look()
    assert (done.outcome, done.passed_over) == (TickOutcome.MISSED, 1)
    assert await schedules.tick() == []
    assert (await schedules.shown()).last_message == (
        "nobody had submitted it five minutes after it was due; one tick behind it was missed"
    )
    await schedules.later(48 * HOUR)
    assert await schedules.tick() == ["MISSED"]
    await schedules.later(50 * MINUTE)
    assert await schedules.tick() == ["SUBMITTED"]
    assert await schedules.ticked() == ["2026-11-30 15:00 UTC"]


async def test_a_tick_that_is_late_by_a_restart_is_not_missed(schedules: ScheduleDriver) -> None:
    await schedules.create(runs_late=False, cron="* * * * *")
    await schedules.later(3 * MINUTE)
    for _ in range(3):
        assert await schedules.tick() == ["SUBMITTED"]
        await schedules.run_jobs()
    assert await schedules.tick() == []


async def test_a_tick_waits_for_nothing_and_submits_nothing_beside_the_one_before(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create()
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    await schedules.later(HOUR)
    assert await schedules.tick() == ["OVERLAPPED"]
    row = await schedules.shown()
    assert row.last_message == "the pipeline of an earlier tick has not ended"
    assert row.last_pipeline_id == (await schedules.made())[0]["pipeline_id"]
    await schedules.run_jobs()
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    assert len(await schedules.made()) == 2


async def test_ticks_that_were_missed_are_counted_up_to_a_bound(schedules: ScheduleDriver) -> None:
    await schedules.create(cron="* * * * *")
    await schedules.later(30 * 24 * HOUR)
    [done] = await schedules.look()
    assert done.passed_over == PASSED_OVER_MAX
    assert done.message == "1,000 or more ticks behind it were missed"


async def test_a_retry_stands_for_the_pipeline_that_failed_and_holds_up_the_next_tick(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create()
    await schedules.later(HOUR)
    [done] = await schedules.look()
    for _ in range(2):
        [claim] = await schedules.driver.claim_all("noop")
        await schedules.driver.finish(claim, JobResult.ERROR)
        row = await schedules.shown()
        assert row.last_status == "FAILED"
        assert row.shown_pipeline_id is not None
        answer = await schedules.driver.retry(row.shown_pipeline_id)
        assert not isinstance(answer, Refused)
        assert (await schedules.shown()).shown_pipeline_id == answer.pipeline_id
        await schedules.later(HOUR)
        assert await schedules.tick() == ["OVERLAPPED"]
    await schedules.run_jobs()
    row = await schedules.shown()
    assert (row.last_status, row.last_pipeline_id) == ("SUCCESS", done.pipeline_id)
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]


async def test_a_tick_that_is_refused_says_why_and_the_next_one_comes(
    schedules: ScheduleDriver,
) -> None:
    scope = Scope(TENANT, TRAVEL, PLANE, 2031)
    await schedules.create(job_type="emission_recalc", scope=scope)
    await schedules.later(HOUR)
    assert await schedules.tick() == ["REFUSED"]
    assert "[YEAR_NOT_PROVISIONED]" in (await schedules.shown()).last_message
    await schedules.driver.provision(2031)
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    assert (await schedules.shown()).last_message == ""


async def test_a_schedule_that_fails_delays_only_itself_and_shows_why(
    schedules: ScheduleDriver,
) -> None:
    for name in ("first", "second", "third"):
        await schedules.create(name=name)
    await schedules.store.pool.execute(
        "UPDATE scheduler.schedules SET time_zone = 'Atlantis' WHERE name = 'second'"
    )
    await schedules.later(HOUR)
    await schedules.tick()
    assert {one["schedule"] for one in await schedules.made()} == {"first", "third"}
    assert "Atlantis" in ((await schedules.shown("second")).stuck or "")
    assert (await schedules.shown("first")).stuck is None


async def test_a_tick_whose_transaction_fails_at_its_end_is_not_told(
    schedules: ScheduleDriver,
) -> None:
    for name in ("first", "second", "third"):
        await schedules.create(name=name)
    await schedules.store.pool.execute(COMMIT_FAILS)
    await schedules.later(HOUR)
    assert {one.schedule for one in await schedules.look()} == {"first", "third"}
    assert "no commit" in ((await schedules.shown("second")).stuck or "")


async def test_what_became_of_a_tick_is_told_though_the_look_fails_behind_it(
    schedules: ScheduleDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit_ticks, "BATCH_MAX", 1)
    for name in ("first", "second"):
        await schedules.create(name=name)
    await schedules.later(HOUR)
    await schedules.store.pool.execute(CLOCK_STOPS)
    heard = Heard()
    store = Store(
        schedules.store.pools, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0, observer=heard
    )
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await store.submit_due_ticks()
    await schedules.store.pool.execute("ALTER FUNCTION scheduler.lost_clock() RENAME TO clock")
    assert [one.schedule for one in heard.done] == ["first"]


async def test_a_schedule_that_is_locked_holds_up_no_other(
    schedules: ScheduleDriver, database_url: str
) -> None:
    for name in ("first", "second"):
        await schedules.create(name=name)
    await schedules.later(HOUR)
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT FROM scheduler.schedules WHERE name = 'first' FOR UPDATE")
            [done] = await schedules.look()
    finally:
        await holder.close()
    assert done.schedule == "second"
    assert await schedules.tick() == ["SUBMITTED"]


async def test_the_year_left_out_is_that_of_the_tick_where_its_zone_is(
    schedules: ScheduleDriver,
) -> None:
    # In Auckland the year begins at 11:00 of UTC.
    await schedules.create(
        cron="30 0 1 1 *",
        time_zone="Pacific/Auckland",
        job_type="unit_sync",
        payload={"provider": "unit-directory"},
    )
    await schedules.set_clock(datetime(2026, 12, 31, 11, 30, tzinfo=UTC))
    assert await schedules.tick() == ["SUBMITTED"]
    assert (await schedules.made())[0]["year"] == 2027


async def test_jitter_spreads_tenants_and_is_the_same_each_night(
    schedules: ScheduleDriver,
) -> None:
    rows = [
        await schedules.create(
            name="nightly",
            cron="0 2 * * *",
            jitter_seconds=600,
            scope=Scope(f"university-{number}"),
        )
        for number in range(20)
    ]
    waits = {row.due_at - row.next_tick for row in rows}
    assert len(waits) == 20
    assert timedelta(0) <= min(waits) <= max(waits) < timedelta(seconds=600)
    first = rows[0]
    await schedules.set_clock(first.due_at)
    await schedules.tick()
    again = await schedules.shown("nightly", first.tenant)
    assert again.due_at == first.due_at + timedelta(days=1)


async def test_the_next_sweep_comes_at_the_next_tick(schedules: ScheduleDriver) -> None:
    row = await schedules.create()
    sweep = Sweep(schedules.store, structlog.get_logger())
    assert await sweep.pause_seconds() > 0.7 * schedules.store.sweep_seconds
    await schedules.set_clock(row.due_at - timedelta(seconds=1))
    assert 0.1 < await sweep.pause_seconds() <= 1.1
    await schedules.set_clock(row.due_at)
    await sweep.once()
    assert len(await schedules.made()) == 1
