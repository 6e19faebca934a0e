"""The current job and the last success of each slot of a year."""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduler_service.jobs.active import slots_of_year
from scheduler_service.store.core.statements import statement
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import JobSummaryRow


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that has a job. `last_success` is None if none has ended well."""

    slot_key: str
    current: JobSummaryRow
    last_success: JobSummaryRow | None


async def read_slots(
    readers: Readers,
    tenant: str,
    year: int,
    modules: Sequence[int],
    *,
    after: str,
    slots_max: int,
) -> list[Slot]:
    """By key, those behind `after`. Without modules also the slots of units and places."""
    keys = [key for key in slots_of_year(tenant, year, modules) if key > after]
    async with readers.snapshot() as conn:
        rows = await statement("slot_jobs").rows(conn, _SlotJobRow, slot_keys=keys)
    current = {row.slot_key: row for row in rows if not row.ended_well}
    success = {row.slot_key: row for row in rows if row.ended_well}
    return [Slot(key, current[key], success.get(key)) for key in sorted(current)][:slots_max]


class _SlotJobRow(JobSummaryRow):
    """A job, and the slot that it is the current job of, or the last success."""

    __slots__ = ()
    slot_key: str
    ended_well: bool
