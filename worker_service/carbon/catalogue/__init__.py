"""Every module of the carbon account, one file each, and how to find a declaration."""

from worker_service.carbon.catalogue.buildings import BUILDINGS
from worker_service.carbon.catalogue.equipment import EQUIPMENT
from worker_service.carbon.catalogue.external_cloud_and_ai import EXTERNAL_CLOUD_AND_AI
from worker_service.carbon.catalogue.headcount import HEADCOUNT
from worker_service.carbon.catalogue.process_emissions import PROCESS_EMISSIONS
from worker_service.carbon.catalogue.professional_travel import PROFESSIONAL_TRAVEL
from worker_service.carbon.catalogue.purchase import PURCHASE
from worker_service.carbon.catalogue.research_facilities import RESEARCH_FACILITIES
from worker_service.carbon.declarations import (
    OVERRIDE_KEY,
    DataEntryType,
    Module,
    UndeclaredType,
)
from worker_service.carbon.great_circle import TripDistance

MODULES: tuple[Module, ...] = (
    HEADCOUNT,
    PROFESSIONAL_TRAVEL,
    BUILDINGS,
    EQUIPMENT,
    PURCHASE,
    RESEARCH_FACILITIES,
    EXTERNAL_CLOUD_AND_AI,
    PROCESS_EMISSIONS,
)


class NotSupported(Exception):
    """The module or data-entry type is unknown, or known and not yet declared."""


def module_by_id(module: int) -> Module:
    """The module; NotSupported for a number that no module has."""
    for known in MODULES:
        if known.id == module:
            return known
    raise NotSupported(f"there is no module {module}")


def type_by_id(data_entry_type: int) -> DataEntryType | UndeclaredType:
    """The data-entry type, declared or not; NotSupported for a number that no type has."""
    for module in MODULES:
        for known in module.types:
            if known.id == data_entry_type:
                return known
    raise NotSupported(f"there is no data-entry type {data_entry_type}")


def declaration(data_entry_type: int) -> DataEntryType:
    """The declaration; NotSupported, with a sentence for people, where there is none."""
    known = type_by_id(data_entry_type)
    if isinstance(known, UndeclaredType):
        raise NotSupported(f"{known.name} is not yet supported")
    return known


def module_of(data_entry_type: int) -> Module:
    """The module that a data-entry type belongs to; NotSupported for an unknown number."""
    for module in MODULES:
        if any(known.id == data_entry_type for known in module.types):
            return module
    raise NotSupported(f"there is no data-entry type {data_entry_type}")


def place_columns(transport_mode: str) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """Types whose entries name places of the mode: type, the columns, and those that excuse one.

    An entry with its own kilograms or kilometres needs no place.
    """
    return [
        (known.id, (lookup.origin, lookup.destination), (OVERRIDE_KEY, lookup.reported_km))
        for module in MODULES
        for known in module.types
        if isinstance(known, DataEntryType)
        for lookup in known.lookups
        if isinstance(lookup, TripDistance) and lookup.transport_mode == transport_mode
    ]
