"""Which data-entry types of a module may share a file, and how a row says of which it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker_service.carbon.catalogue import module_by_id
from worker_service.carbon.declarations import Column, DataEntryType
from worker_service.carbon.parse.factors import factor_columns


@dataclass(frozen=True, slots=True)
class Routes:
    """How rows of a shared file are routed.

    `column` names the type by one of the values in `types`. If it is empty, the factors of the year
    decide: those of which type are for what the row has in `kind`. `of_factors`: the rows are
    factors, which nothing else can tell apart.
    """

    column: str
    kind: str
    types: Mapping[str, DataEntryType]
    of_factors: bool = False

    @property
    def columns(self) -> list[tuple[Column, ...]]:
        """The columns of a file of each type."""
        of = factor_columns if self.of_factors else _entry_columns
        return [of(one) for one in self.types.values()]

    @property
    def required(self) -> list[str]:
        """The columns that rows of every type must have."""
        each = [{c.name for c in columns if c.required} for columns in self.columns]
        needed = [c.name for c in self.columns[0] if c.name in set.intersection(*each)]
        return [*needed, self.column] if self.of_factors else needed

    @property
    def optional(self) -> list[str]:
        """The other columns that are read, the routing column and the kind among them."""
        names = [c.name for columns in self.columns for c in columns]
        needed = self.required
        return [n for n in dict.fromkeys([self.column, self.kind, *names]) if n not in needed]


def _entry_columns(declared: DataEntryType) -> tuple[Column, ...]:
    return declared.columns


def routes_of(module: int, *, of_factors: bool = False) -> Routes | None:
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
    types = {routing.value: one for routing, one in routed}
    return Routes(column, kind or "", types, of_factors)
