"""Which data-entry types of a module may share a file, and how a row says of which it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker_service.carbon.catalogue import module_by_id
from worker_service.carbon.declarations import DataEntryType


@dataclass(frozen=True, slots=True)
class Routes:
    """How rows of a shared file are routed.

    `column` names the type by one of the values in `types`. If it is empty, the factors of the year
    decide: those of which type are for what the row has in `kind`.
    """

    column: str
    kind: str
    types: Mapping[str, DataEntryType]

    @property
    def required(self) -> list[str]:
        """The columns that rows of every type must have."""
        each = [{c.name for c in one.columns if c.required} for one in self.types.values()]
        first = next(iter(self.types.values()))
        return [c.name for c in first.columns if c.name in set.intersection(*each)]

    @property
    def optional(self) -> list[str]:
        """The other columns that are read, the routing column and the kind among them."""
        names = [c.name for one in self.types.values() for c in one.columns]
        needed = self.required
        return [n for n in dict.fromkeys([self.column, self.kind, *names]) if n not in needed]


def routes_of(module: int) -> Routes | None:
    """The routes of a module; None if no column tells its types apart. Raises NotSupported."""
    routed = [
        (one.routing, one)
        for one in module_by_id(module).types
        if isinstance(one, DataEntryType) and one.routing is not None and one.factors.kind
    ]
    columns = {routing.column for routing, _ in routed}
    kinds = {one.factors.kind for _, one in routed}
    if not routed:
        return None
    [column], [kind] = columns, kinds
    return Routes(column, kind or "", {routing.value: one for routing, one in routed})
