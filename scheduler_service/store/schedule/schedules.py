"""The operations of the store on schedules."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.schedules import ScheduleWanted, TickDone
from scheduler_service.store.core.patient_units import PatientUnits
from scheduler_service.store.core.statements import Connection
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import ShownScheduleRow
from scheduler_service.store.schedule.change_schedules import (
    create_schedule,
    delete_schedule,
    not_there,
    pause_schedule,
    resume_schedule,
    shown_schedules,
)
from scheduler_service.store.schedule.submit_ticks import SubmitTicks


class Schedules:
    """A part of Store."""

    _call_units: PatientUnits
    _readers: Readers
    _submit_ticks: SubmitTicks

    async def create_schedule(
        self, wanted: ScheduleWanted
    ) -> tuple[ShownScheduleRow | None, tuple[datetime, ...]] | Refused:
        """The schedule and its next ticks; without the schedule if it was only validated."""

        async def with_schedule(
            conn: Connection, answer: tuple[datetime, ...] | Refused
        ) -> tuple[ShownScheduleRow | None, tuple[datetime, ...]] | Refused:
            if isinstance(answer, Refused):
                return answer
            if wanted.validate_only:
                return None, answer
            (row,) = await shown_schedules(conn, wanted.tenant, wanted.name)
            return row, answer

        return await self._call_units.run_and_read(
            lambda tx: create_schedule(tx, wanted), with_schedule
        )

    async def pause_schedule(
        self, tenant: str, name: str, reason: str, principal: str
    ) -> ShownScheduleRow | Refused:
        """The schedule, paused by this call or an earlier one."""
        return await self._changed(
            tenant, name, lambda tx: pause_schedule(tx, tenant, name, reason, principal)
        )

    async def resume_schedule(self, tenant: str, name: str) -> ShownScheduleRow | Refused:
        """The schedule, which goes on with its next tick."""
        return await self._changed(tenant, name, lambda tx: resume_schedule(tx, tenant, name))

    async def delete_schedule(self, tenant: str, name: str) -> Refused | None:
        """None if it is deleted by this call."""
        return await self._call_units.run(lambda tx: delete_schedule(tx, tenant, name))

    async def schedule(self, tenant: str, name: str) -> ShownScheduleRow | Refused:
        """The schedule of this name."""
        async with self._readers.connection() as conn:
            found = await shown_schedules(conn, tenant, name)
        return found[0] if found else not_there(tenant, name)

    async def list_schedules(self, tenant: str) -> Sequence[ShownScheduleRow]:
        """A tenant's schedules, by name."""
        async with self._readers.connection() as conn:
            return await shown_schedules(conn, tenant)

    async def submit_due_ticks(self) -> Sequence[TickDone]:
        """What became of the ticks that are due, one of each schedule."""
        return await self._submit_ticks.look()

    async def _changed(
        self, tenant: str, name: str, change: Callable[[UnitOfWork], Awaitable[Refused | None]]
    ) -> ShownScheduleRow | Refused:
        async def with_schedule(
            conn: Connection, refused: Refused | None
        ) -> ShownScheduleRow | Refused:
            if refused is not None:
                return refused
            (row,) = await shown_schedules(conn, tenant, name)
            return row

        return await self._call_units.run_and_read(change, with_schedule)
