"""When cron expressions tick, also on the days when clocks change, and what is said of bad ones."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler_service.jobs.ticks import due_at, fault_of_cron, fault_of_time_zone, ticks, year_of

# With a change of clocks at 2, at 0, by half an hour, within UTC-5, and none.
ZONES = ("Europe/Zurich", "America/Havana", "Australia/Lord_Howe", "America/New_York", "UTC")
ZURICH = "Europe/Zurich"


def some(cron: str, time_zone: str, after: datetime, number: int) -> list[str]:
    """Ticks as the clock on the wall shows them."""
    found = islice(ticks(cron, time_zone, after), number)
    return [f"{tick.astimezone(ZoneInfo(time_zone)):%d %H:%M %Z}" for tick in found]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        # There is no 02:30 on the 29th: right behind the change instead.
        ("30 2 * * *", (2026, 3, 28), ["28 02:30 CET", "29 03:00 CEST", "30 02:30 CEST"]),
        # There are two 02:30 on the 25th: the first counts.
        ("30 2 * * *", (2026, 10, 24), ["24 02:30 CEST", "25 02:30 CEST", "26 02:30 CET"]),
        # With a star, whatever the clock shows.
        ("30 * * * *", (2026, 3, 29, 1), ["29 01:30 CET", "29 03:30 CEST", "29 04:30 CEST"]),
        (
            "30 * * * *",
            (2026, 10, 25, 1),
            ["25 01:30 CEST", "25 02:30 CEST", "25 02:30 CET", "25 03:30 CET"],
        ),
        ("15 2 * * MON", (2026, 11, 28), ["30 02:15 CET", "07 02:15 CET"]),
        ("0 0 L * *", (2026, 2, 1), ["28 00:00 CET", "31 00:00 CEST"]),
    ],
)
def test_ticks_follow_the_clock_on_the_wall(
    cron: str, after: tuple[int, int, int], expected: list[str]
) -> None:
    start = datetime(*after, tzinfo=ZoneInfo(ZURICH))
    assert some(cron, ZURICH, start - timedelta(seconds=1), len(expected)) == expected


def test_who_looks_when_a_time_comes_for_the_second_time_finds_no_tick_before() -> None:
    # The second 02:40 of the day: the tick of 02:50 was behind the first.
    after = datetime(2026, 10, 25, 1, 40, tzinfo=UTC)
    assert some("50 2 * * *", ZURICH, after, 2) == ["26 02:50 CET", "27 02:50 CET"]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    start=st.dates(date(2020, 1, 1), date(2029, 1, 1)),
)
def test_a_daily_schedule_ticks_once_on_each_day_whatever_clocks_do(
    zone: str, hour: int, minute: int, start: date
) -> None:
    begin = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(zone))
    end = begin + timedelta(days=380)
    after = begin.astimezone(UTC) - timedelta(seconds=1)
    found = list(
        takewhile(lambda t: t < end.astimezone(UTC), ticks(f"{minute} {hour} * * *", zone, after))
    )
    assert all(one < following for one, following in pairwise(found))
    days = [tick.astimezone(ZoneInfo(zone)).date() for tick in found]
    assert days == [start + timedelta(days=n) for n in range(380)]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    zone=st.sampled_from(ZONES),
    cron=st.sampled_from(
        ["30 2 * * *", "*/20 * * * *", "0,30 1-3 * * *", "59 1 * * *", "0 0 1 * *"]
    ),
    minutes=st.integers(0, 3 * 365 * 24 * 60),
)
def test_where_one_begins_to_look_changes_no_tick(zone: str, cron: str, minutes: int) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    whole = list(islice(ticks(cron, zone, first), 12))
    for place, tick in enumerate(whole[:-1]):
        assert next(ticks(cron, zone, tick)) == whole[place + 1]


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "wrong number of fields"),
        ("@daily", "wrong number of fields"),
        ("0 0 2 * * *", "wrong number of fields"),
        ("0 2 * *", "wrong number of fields"),
        ("0 24 * * *", "bad hour"),
        ("61 * * * *", "bad minute"),
        ("0 2 * 13 *", "bad month"),
        ("0 2 30 2 *", "bad day-of-month"),
        ("0 2 * * FRIDAY", "bad day-of-week"),
        ("0 2 */0 * *", "bad day-of-month"),
        ("\0 * * * *", "bad minute"),
    ],
)
def test_a_bad_expression_is_told_what_it_must_be_and_which_field_is_wrong(
    cron: str, said: str
) -> None:
    fault = fault_of_cron(cron)
    assert fault is not None
    assert 'such as "15 2 * * *" for 02:15 of each day' in fault
    assert fault.endswith(f": {said}")


def test_an_expression_that_is_long_or_names_no_day_is_refused() -> None:
    assert "at most 100" in (fault_of_cron("0 " * 200) or "")
    assert "within 50 years" in (fault_of_cron("* * */20 * 1L") or "")
    assert fault_of_cron("15 2 * * *") is None


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text("0123456789*/-,#LW MONJAN\u00b9\n", max_size=20))
def test_whatever_is_typed_is_taken_or_told(cron: str) -> None:
    if fault_of_cron(cron) is None:
        first = datetime(2026, 1, 1, tzinfo=UTC)
        assert next(ticks(cron, ZURICH, first)) > first


@pytest.mark.parametrize("name", ["", "Zurich", "../etc/passwd", "Europe", "localtime", "x" * 999])
def test_a_time_zone_that_there_is_not_is_told(name: str) -> None:
    assert "time zone of the IANA database" in (fault_of_time_zone(name) or "")


def test_a_misspelt_time_zone_is_told_the_nearest() -> None:
    assert "did you mean Europe/Zurich" in (fault_of_time_zone("Europe/Zürich") or "")
    assert fault_of_time_zone("Europe/Zurich") is None


def test_a_tick_is_due_before_the_next_one_however_large_the_jitter() -> None:
    tick = datetime(2026, 1, 1, tzinfo=UTC)
    following = tick + timedelta(minutes=1)
    for number in range(100):
        assert tick <= due_at(tick, following, 3600, f"uni/{number}") < following
        assert due_at(tick, None, 0, f"uni/{number}") == tick


def test_a_tick_belongs_to_the_year_where_its_zone_is() -> None:
    assert year_of(datetime(2026, 12, 31, 11, 30, tzinfo=UTC), "Pacific/Auckland") == 2027
