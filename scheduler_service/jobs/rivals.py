"""Which jobs bring the same data as an older one, which must not come back and replace theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.scope import Scope


class Rival(NamedTuple):
    """Jobs of a type that replace what an older one brings, or have replaced it.

    Of a part that is None any will do, but of the unit, where None is a file of all units.
    `name` is what `named_by`, a key of the payload, says; without the key all have one name.
    """

    job_type: str
    named_by: str
    module: int | None
    data_entry_type: int | None
    year: int | None
    unit: str | None
    reference_kind: str | None
    name: str


@dataclass(frozen=True, slots=True)
class _Brings:
    """What jobs of a type bring: of these columns of the scope, and under this key, one replaces
    the other.
    """

    target: str
    columns: frozenset[str]
    named_by: str = ""


_OF_A_MODULE = frozenset({"module", "year"})
_OF_A_TYPE = _OF_A_MODULE | {"data_entry_type"}
_UNIT = frozenset({"unit"})
# Withdrawals are not here: one names its upload by number, and finds nothing if that was replaced.
_BRINGS: Mapping[str, _Brings] = MappingProxyType(
    {
        "csv_ingest": _Brings("entries", _OF_A_TYPE | _UNIT, "source"),
        "api_ingest": _Brings("entries", _OF_A_TYPE | _UNIT, "provider"),
        "routed_ingest": _Brings("entries", _OF_A_MODULE | _UNIT, "source"),
        "factor_ingest": _Brings("factors", _OF_A_TYPE),
        "routed_factor_ingest": _Brings("factors", _OF_A_MODULE),
        "reference_ingest": _Brings("reference", frozenset({"reference_kind"}), "transport_mode"),
        # Units are one list, whatever the year that it opens.
        "unit_sync": _Brings("units", frozenset()),
        "unit_removal": _Brings("units", frozenset()),
    }
)


def rivals_of(job_type: str, scope: Scope, payload: Json | None) -> list[Rival]:
    """Whose newer data such a job would replace; nothing for one that only computes.

    A job that divides a file brings nothing itself, but what follows it: two of a kind are rivals,
    since nobody knows yet which types the older one's file has.
    """
    own = _BRINGS.get(job_type)
    if own is None:
        return []
    parts = {
        column: getattr(scope, column) if column in own.columns else None
        for column in ("module", "data_entry_type", "year", "unit", "reference_kind")
    }
    name = str((payload or {}).get(own.named_by) or "")
    return [
        Rival(other, brings.named_by, name=name, **parts)
        for other, brings in _BRINGS.items()
        if brings.target == own.target and (JOB_TYPES[other].writes_data or other == job_type)
    ]
