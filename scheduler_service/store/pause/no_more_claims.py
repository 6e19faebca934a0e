"""The operations of the store by which job types and workers get no more claims."""

from collections.abc import Sequence
from uuid import UUID

from scheduler_service.jobs.requests import Pause, Refused, WorkerDrain
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.core.patient_units import PatientUnits
from scheduler_service.store.pause.drain_worker import drain_worker
from scheduler_service.store.pause.pause_job_types import pause_job_type, resume_job_type


class NoMoreClaims:
    """A part of Store."""

    _call_units: PatientUnits
    _observer: Observer

    async def pause_job_type(
        self, tenants: Sequence[str], job_type: str, reason: str, principal: str
    ) -> list[Pause]:
        """Per tenant the pause of the type: a new one, or the earlier one that still lasts.

        A Claim that is in flight may still take a job; none that begins afterwards does.
        """
        pauses = await self._call_units.run(
            lambda tx: pause_job_type(tx, tenants, job_type, reason, principal)
        )
        self._observer.paused(pauses)
        return pauses

    async def resume_job_type(
        self, tenants: Sequence[str], job_type: str, principal: str
    ) -> list[Pause]:
        """The pauses that this ended; waiting Claims look again."""
        resumed = await self._call_units.run(
            lambda tx: resume_job_type(tx, tenants, job_type, principal)
        )
        self._observer.resumed(resumed)
        return resumed

    async def drain_worker(
        self, worker_id: UUID, tenants: Sequence[str], reason: str, principal: str
    ) -> WorkerDrain | Refused:
        """Who asked the worker to drain first. No Claim of it that begins afterwards gets a job."""
        asked = await self._call_units.run(
            lambda tx: drain_worker(tx, worker_id, tenants, reason, principal)
        )
        if isinstance(asked, WorkerDrain):
            self._observer.drain_asked(asked)
        return asked
