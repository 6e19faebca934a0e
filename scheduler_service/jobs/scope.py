"""The part of an account that a job reads and writes, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

TYPES_OF_MODULE: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        1: (1, 2),
        2: (20, 21),
        3: (30, 31, 32),
        4: (10, 11, 12),
        5: (60, 61, 62, 63, 64, 65, 66, 67),
        6: (70, 71),
        7: (40, 41),
        8: (50,),
    }
)
MODULE_OF_TYPE: Mapping[int, int] = MappingProxyType(
    {entry_type: module for module, types in TYPES_OF_MODULE.items() for entry_type in types}
)
# Which data-entry types read a kind of reference data.
READERS_OF_REFERENCE: Mapping[str, tuple[int, ...]] = MappingProxyType({"locations": (20, 21)})


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
