"""Ticks: the moments that a cron expression names in a time zone, and when each is due."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from zlib import crc32
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

CRON_CHARACTERS_MAX = 100
FIELDS = 5
_FORM = (
    "a cron expression of five fields, minute, hour, day of month, month and day of week, such as "
    '"15 2 * * *" for 02:15 of each day'
)
_SHARES = 2**32


def ticks(cron: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    """The moments behind `after` that the expression names in the zone, in UTC, each once.

    As Debian's cron has it (man 8 cron): an expression that names its hours and minutes loses and
    repeats nothing on the days when clocks change. A time that is left out comes right after the
    change, and of one that comes twice the first counts. With `*` for minute or hour, every
    such moment counts. Raises CronSimError or ZoneInfoNotFoundError for what the checks below
    refuse.
    """
    last = after
    for local in CronSim(cron, after.astimezone(ZoneInfo(time_zone))):
        tick = local.astimezone(UTC)
        # The library looks from the time on the wall, which a change of clocks shows twice.
        if tick > last:
            yield tick
            last = tick


def due_at(
    tick: datetime, following: datetime | None, jitter_seconds: float, name: str
) -> datetime:
    """When a tick is due: later by a share of the jitter, which is the name's and the same each
    time, so that schedules of one expression spread. It is due before the tick that follows it.
    """
    room = timedelta(seconds=jitter_seconds)
    if following is not None:
        room = min(room, following - tick)
    return tick + room * (crc32(name.encode()) / _SHARES)


def year_of(tick: datetime, time_zone: str) -> int:
    """The year in which a tick falls where its time zone is."""
    return tick.astimezone(ZoneInfo(time_zone)).year


def fault_of_cron(cron: str) -> str | None:
    """What is wrong with an expression, in words for its author; None if it names moments."""
    if len(cron) > CRON_CHARACTERS_MAX:
        return f"has {len(cron):,} characters: at most {CRON_CHARACTERS_MAX} allowed"
    if len(cron.split()) != FIELDS:
        # The library would take a sixth for seconds.
        return f"must be {_FORM}: wrong number of fields"
    try:
        first = next(iter(CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))), None)
    except CronSimError as error:
        said = str(error)
        return f"must be {_FORM}: {said[:1].lower()}{said[1:]}"
    return None if first is not None else "names no moment within 50 years: check day and month"


def fault_of_time_zone(name: str) -> str | None:
    """What is wrong with the name of a time zone; None if there is such a zone."""
    known = _time_zones()
    if name in known:
        return None
    near = get_close_matches(name[:64], known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "such as Europe/Zurich or UTC"
    return f"must be a time zone of the IANA database: {hint}"


@cache
def _time_zones() -> frozenset[str]:
    # What a machine calls its own is another zone on another machine.
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})
