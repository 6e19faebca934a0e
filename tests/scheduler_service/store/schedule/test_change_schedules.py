"""Schedules are created once, paused, resumed and deleted, each by its tenant alone."""

import asyncio
from typing import Any

import pytest

from scheduler_service.jobs import schedules as rules
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.schedule import change_schedules
from tests.scheduler_service.store.schedule.schedule_driver import HOUR, ScheduleDriver, wanted
from tests.scheduler_service.store.store_driver import TENANT


async def reason(schedules: ScheduleDriver, **changes: Any) -> str:
    """Why a schedule is refused."""
    answer = await schedules.store.create_schedule(wanted(**changes))
    assert isinstance(answer, Refused)
    return answer.reason


async def test_a_repeated_create_answers_the_first_and_another_of_the_name_is_refused(
    schedules: ScheduleDriver,
) -> None:
    first = await schedules.create()
    assert await schedules.create() == first
    for changes in (
        {"cron": "1 * * * *"},
        {"time_zone": "Europe/Zurich"},
        {"payload": {"a": 1}},
        {"priority": 1},
        {"runs_late": False},
        {"jitter_seconds": 1},
        {"scope": Scope(TENANT, year=2024)},
    ):
        assert await reason(schedules, **changes) == "SCHEDULE_EXISTS", changes
    assert len(await schedules.store.list_schedules(TENANT)) == 1


async def test_of_many_creates_at_once_one_stands_for_all(schedules: ScheduleDriver) -> None:
    rows = await asyncio.gather(*(schedules.create() for _ in range(8)))
    assert len({row.schedule_id for row in rows}) == 1


async def test_a_validation_writes_nothing_and_says_when_it_would_tick(
    schedules: ScheduleDriver,
) -> None:
    answer = await schedules.store.create_schedule(wanted(validate_only=True))
    assert not isinstance(answer, Refused)
    row, coming = answer
    assert row is None
    assert [tick.hour for tick in coming] == [13, 14, 15, 16, 17]
    assert await schedules.store.list_schedules(TENANT) == []


async def test_a_tenant_has_so_many_schedules_and_no_more(
    schedules: ScheduleDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rules.SCHEDULES_MAX == 100
    monkeypatch.setattr(change_schedules, "SCHEDULES_MAX", 2)
    for name in ("first", "second"):
        await schedules.create(name=name)
    assert await reason(schedules, name="third") == "TOO_MANY_SCHEDULES"
    await schedules.create(name="first")
    await schedules.create(name="third", scope=Scope("other"))


async def test_what_ticks_during_a_pause_is_passed_over(schedules: ScheduleDriver) -> None:
    await schedules.create()
    paused = await schedules.store.pause_schedule(TENANT, "hourly", "why", "bob")
    assert not isinstance(paused, Refused)
    assert (paused.paused_by, paused.pause_reason) == ("bob", "why")
    assert await schedules.store.pause_schedule(TENANT, "hourly", "other", "eve") == paused
    await schedules.later(3 * HOUR)
    assert await schedules.tick() == []
    resumed = await schedules.store.resume_schedule(TENANT, "hourly")
    assert not isinstance(resumed, Refused)
    assert (resumed.paused_at, resumed.pause_reason) == (None, None)
    assert await schedules.store.resume_schedule(TENANT, "hourly") == resumed
    assert await schedules.tick() == []
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    assert await schedules.ticked() == ["2026-11-28 16:00 UTC"]


async def test_a_tick_that_came_before_a_pause_is_still_due_after_it(
    schedules: ScheduleDriver,
) -> None:
    """Nobody had looked at it yet, as while its jitter lasts or no scheduler runs."""
    created = await schedules.create()
    await schedules.later(HOUR)
    await schedules.store.pause_schedule(TENANT, "hourly", "", "bob")
    assert await schedules.tick() == []
    resumed = await schedules.store.resume_schedule(TENANT, "hourly")
    assert not isinstance(resumed, Refused)
    assert resumed.next_tick == created.next_tick
    assert await schedules.tick() == ["SUBMITTED"]
    assert await schedules.tick() == []


async def test_a_resume_after_the_clock_went_back_repeats_no_tick(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create()
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]
    await schedules.run_jobs()
    await schedules.later(-HOUR)
    await schedules.store.pause_schedule(TENANT, "hourly", "", "bob")
    await schedules.store.resume_schedule(TENANT, "hourly")
    await schedules.later(HOUR)
    assert await schedules.tick() == []
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]


async def test_a_deleted_schedule_submits_nothing_and_its_pipelines_stay(
    schedules: ScheduleDriver,
) -> None:
    await schedules.create()
    await schedules.later(HOUR)
    await schedules.tick()
    assert await schedules.store.delete_schedule(TENANT, "hourly") is None
    assert isinstance(await schedules.store.delete_schedule(TENANT, "hourly"), Refused)
    await schedules.run_jobs()
    await schedules.later(HOUR)
    assert await schedules.tick() == []
    assert [one["status"] for one in await schedules.made()] == ["SUCCESS"]
    # A new one of the name is another one: its ticks are its own.
    await schedules.create()
    await schedules.later(HOUR)
    assert await schedules.tick() == ["SUBMITTED"]


async def test_a_name_is_its_tenants_alone(schedules: ScheduleDriver) -> None:
    await schedules.create()
    await schedules.create(scope=Scope("other"))
    store = schedules.store
    assert [row.tenant for row in await store.list_schedules("other")] == ["other"]
    await store.pause_schedule("other", "hourly", "", "eve")
    await store.delete_schedule("other", "hourly")
    assert (await schedules.shown()).paused_at is None
    for answer in (
        await store.schedule("other", "hourly"),
        await store.pause_schedule("other", "hourly", "", "eve"),
        await store.resume_schedule("other", "hourly"),
    ):
        assert isinstance(answer, Refused)
        assert answer.reason == "SCHEDULE_NOT_FOUND"
