"""The columns that a mapping of each kind of file may name."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from worker_service.carbon.declarations import Column, DataEntryType
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.factors import factor_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS, UNIT_COLUMNS
from worker_service.carbon.reference_kinds import REFERENCE_KINDS

ENTRIES, LOCATIONS = "entries", "locations"


def _of_entries(declared: DataEntryType) -> Sequence[Column]:
    # A file of one unit has the columns of a file of all, but for the unit's.
    return entry_columns(declared, per_year=True)


# Kinds of files that are of one data-entry type.
OF_A_TYPE: Mapping[str, Callable[[DataEntryType], Sequence[Column]]] = MappingProxyType(
    {ENTRIES: _of_entries, "factors": factor_columns}
)
OF_NO_TYPE: Mapping[str, Sequence[Column]] = MappingProxyType(
    {
        "units": UNIT_COLUMNS,
        # Of all modes: a saved mapping is of none, and which one a file is of, its job says.
        LOCATIONS: tuple(chain.from_iterable(LOCATION_COLUMNS.values())),
        **{name: kind.columns for name, kind in REFERENCE_KINDS.items()},
    }
)
FILE_KINDS = (*OF_A_TYPE, *OF_NO_TYPE)
