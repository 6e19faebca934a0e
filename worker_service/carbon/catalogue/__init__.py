"""All modules of the carbon account, and lookups of the declarations of their types."""

from typing import TypeGuard

from worker_service.carbon.catalogue.modules import MODULES as MODULES
from worker_service.carbon.declarations import (
    OVERRIDE_KEY,
    DataEntryType,
    FactorLookup,
    Lookup,
    Module,
    UndeclaredType,
)
from worker_service.carbon.great_circle import TripDistance
from worker_service.carbon.reference_lookup import ReferenceLookup


class NotSupported(Exception):
    """The module or data-entry type is unknown, or not yet supported. A sentence for people."""


def module_by_id(module: int) -> Module:
    """The module with this enum number. Raises NotSupported."""
    for known in MODULES:
        if known.id == module:
            return known
    raise NotSupported(f"there is no module {module}")


def type_by_id(data_entry_type: int) -> DataEntryType | UndeclaredType:
    """The data-entry type with this enum number, supported or not. Raises NotSupported."""
    for module in MODULES:
        for known in module.types:
            if known.id == data_entry_type:
                return known
    raise NotSupported(f"there is no data-entry type {data_entry_type}")


def declaration(data_entry_type: int) -> DataEntryType:
    """The declaration of a data-entry type. Raises NotSupported if it is unknown or undeclared."""
    known = type_by_id(data_entry_type)
    if isinstance(known, UndeclaredType):
        raise NotSupported(f"{known.name} is not yet supported")
    return known


def module_of(data_entry_type: int) -> Module:
    """The module that a data-entry type belongs to. Raises NotSupported."""
    for module in MODULES:
        if any(known.id == data_entry_type for known in module.types):
            return module
    raise NotSupported(f"there is no data-entry type {data_entry_type}")


def place_columns(
    transport_mode: str,
) -> list[tuple[int, tuple[tuple[str, ...], ...], tuple[str, ...]]]:
    """The data-entry types whose entries name places of a transport mode.

    Tuples of the type, the columns of each place (its code, or its name and country), and the
    columns that excuse an entry from naming known ones: its own kilograms or kilometres.
    """
    return [
        (known.id, (lookup.origin, lookup.destination), (OVERRIDE_KEY, lookup.reported_km))
        for module in MODULES
        for known in module.types
        if isinstance(known, DataEntryType)
        for lookup in known.lookups
        if isinstance(lookup, TripDistance) and lookup.transport_mode == transport_mode
    ]


def row_columns(kind: str) -> list[tuple[int, tuple[str, ...], tuple[str, ...], bool]]:
    """The data-entry types whose entries name rows of a kind of reference data.

    Tuples of the type, the columns that name the row, those that excuse an entry from it, and
    whether the factors of entries name rows by the same columns.
    """

    def is_of(lookup: Lookup | FactorLookup) -> TypeGuard[ReferenceLookup]:
        return isinstance(lookup, ReferenceLookup) and lookup.kind.name == kind

    return [
        (known.id, lookup.keys, (OVERRIDE_KEY,), any(map(is_of, known.factor_lookups)))
        for module in MODULES
        for known in module.types
        if isinstance(known, DataEntryType)
        for lookup in known.lookups
        if is_of(lookup)
    ]
