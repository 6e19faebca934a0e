"""Creates schedules and lets them tick by a clock that stands still until it is set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.schedules import ScheduleWanted, TickDone
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.reads.rows import ShownScheduleRow
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

NOON = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MADE = """
SELECT * FROM scheduler.pipelines WHERE schedule IS NOT NULL ORDER BY pipeline_id
"""
TICKED = """
SELECT e.detail FROM scheduler.job_events AS e JOIN scheduler.pipelines AS p USING (pipeline_id)
WHERE e.event = 'scheduled' AND p.schedule = $1 ORDER BY e.event_id
"""

# The session ends after the submit, in the middle of the transaction.
CRASH = """
CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    RETURN NEW;
END $$;
CREATE TRIGGER crashes BEFORE UPDATE ON scheduler.schedules FOR EACH ROW EXECUTE FUNCTION crash();
"""
REPAIRED = "DROP FUNCTION crash CASCADE"


def wanted(**changes: Any) -> ScheduleWanted:
    """A noop each full hour, of UTC and without jitter."""
    usual: dict[str, Any] = {
        "name": "hourly",
        "cron": "0 * * * *",
        "time_zone": "UTC",
        "job_type": "noop",
        "scope": Scope(TENANT),
        "payload": None,
        "priority": 5,
        "runs_late": True,
        "jitter_seconds": 0,
        "principal": "ann",
    }
    return ScheduleWanted(**(usual | changes))


@dataclass
class ScheduleDriver:
    """A store of schedules, the driver of its jobs, and its clock."""

    driver: StoreDriver
    now: datetime = NOON

    @property
    def store(self) -> Store:
        """The driver's."""
        return self.driver.store

    async def set_clock(self, now: datetime) -> None:
        """From now on the database takes it for this moment."""
        self.now = now
        await self.store.pool.execute(
            "CREATE OR REPLACE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE "
            f"AS 'SELECT CAST(''{now.isoformat()}'' AS timestamptz)'"
        )

    async def later(self, duration: timedelta) -> None:
        """Move the clock."""
        await self.set_clock(self.now + duration)

    async def create(self, **changes: Any) -> ShownScheduleRow:
        """A schedule, which must be taken."""
        answer = await self.store.create_schedule(wanted(**changes))
        assert not isinstance(answer, Refused), answer
        row, _ = answer
        assert row is not None
        return row

    async def shown(self, name: str = "hourly", tenant: str = TENANT) -> ShownScheduleRow:
        """The schedule as it is now."""
        row = await self.store.schedule(tenant, name)
        assert not isinstance(row, Refused), row
        return row

    async def tick(self) -> list[str]:
        """What became of the ticks that are due."""
        return [one.outcome.value for one in await self.look()]

    async def look(self) -> Sequence[TickDone]:
        """The same, with everything that is known of them."""
        return await self.store.submit_due_ticks()

    async def made(self) -> list[dict[str, Any]]:
        """The pipelines of schedules, oldest first."""
        return [dict(row) for row in await self.store.pool.fetch(MADE)]

    async def ticked(self, name: str = "hourly") -> list[str]:
        """The ticks of a schedule that have pipelines, as their timelines say it."""
        rows = await self.store.pool.fetch(TICKED, name)
        return [row["detail"].removeprefix(f"schedule {name}, tick of ") for row in rows]

    async def run_jobs(self) -> None:
        """Every noop is run to its end."""
        for claim in await self.driver.claim_all("noop"):
            await self.driver.finish(claim)
