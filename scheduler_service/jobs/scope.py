"""The part of an account that a job reads and writes, and what follows from it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from scheduler_service.jobs.catalogue import TYPES_OF_MODULE


class EntityType(StrEnum):
    """How wide a job reaches; stored as its name."""

    MODULE_PER_YEAR = "MODULE_PER_YEAR"
    MODULE_UNIT_SPECIFIC = "MODULE_UNIT_SPECIFIC"
    GLOBAL_PER_YEAR = "GLOBAL_PER_YEAR"


@dataclass(frozen=True, slots=True)
class Scope:
    """Tenant and the parts that a job type takes; None where it takes none."""

    tenant: str
    module: int | None = None
    data_entry_type: int | None = None
    year: int | None = None
    unit: str | None = None
    reference_kind: str | None = None

    @property
    def entity_type(self) -> EntityType:
        """A unit given, no module, or else."""
        if self.unit is not None:
            return EntityType.MODULE_UNIT_SPECIFIC
        if self.module is None:
            return EntityType.GLOBAL_PER_YEAR
        return EntityType.MODULE_PER_YEAR

    def types(self) -> tuple[int, ...]:
        """The data-entry types it covers: its own, or all of its module."""
        if self.data_entry_type is not None:
            return (self.data_entry_type,)
        return TYPES_OF_MODULE[self.module] if self.module is not None else ()

    def narrowed(self, data_entry_type: int | None) -> "Scope":
        """The same module and year for one type (or for none), all units."""
        return replace(self, data_entry_type=data_entry_type, unit=None, reference_kind=None)
