"""Rolls leaf sums up the emission tree: a node is its own value plus those of its children."""

import decimal
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from worker_service.carbon.emission_tree import SCOPES, with_ancestors

# Any sum of double precision numbers is exact within these digits.
_EXACT = decimal.Context(prec=2_000, traps=[decimal.InvalidOperation, decimal.Inexact])
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class LeafSum:
    """What one unit emitted on one node itself, without those below: an exact sum, in kg CO2eq."""

    unit: str
    emission_type: str
    kg: Decimal
    additional_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many entries of a unit have an outcome."""

    unit: str
    outcome: str
    entry_count: int


@dataclass(frozen=True, slots=True)
class UnitTotals:
    """The totals of a unit in one module and year, in kg CO2eq, exact.

    `scope1`, `scope2` and `scope3` are GHG scopes; `total` is their sum, and that of the roots.
    `by_emission_type` and `by_additional_value` map each path with a value, and its ancestors, to
    its sum; additional values are in the type's own unit.
    """

    unit: str
    scope1: Decimal
    scope2: Decimal
    scope3: Decimal
    total: Decimal
    by_emission_type: Mapping[str, Decimal]
    by_additional_value: Mapping[str, Decimal]
    entry_count: int
    outcome_counts: Mapping[str, int]


@dataclass(slots=True)
class _Sums:
    scopes: defaultdict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    kg: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    additional: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    outcomes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, leaf: LeafSum) -> None:
        scope = SCOPES[leaf.emission_type]
        self.scopes[scope] = _EXACT.add(self.scopes[scope], leaf.kg)
        for path in with_ancestors(leaf.emission_type):
            self.kg[path] = _EXACT.add(self.kg[path], leaf.kg)
            if leaf.additional_value is not None:
                self.additional[path] = _EXACT.add(self.additional[path], leaf.additional_value)

    def totals(self, unit: str) -> UnitTotals:
        scope1, scope2, scope3 = (self.scopes.get(scope, _NOTHING) for scope in (1, 2, 3))
        return UnitTotals(
            unit=unit,
            scope1=scope1,
            scope2=scope2,
            scope3=scope3,
            total=_EXACT.add(_EXACT.add(scope1, scope2), scope3),
            by_emission_type=dict(sorted(self.kg.items())),
            by_additional_value=dict(sorted(self.additional.items())),
            entry_count=sum(self.outcomes.values()),
            outcome_counts=dict(sorted(self.outcomes.items())),
        )


def roll_up(
    leaf_sums: Iterable[LeafSum], outcome_counts: Iterable[OutcomeCount] = ()
) -> tuple[UnitTotals, ...]:
    """Sums up totals per unit, in order of unit. A unit without emissions has zeros.

    Leaf sums may come in any order, and several times for a node. Raises KeyError for a path that
    is unknown or has no GHG scope.
    """
    units: defaultdict[str, _Sums] = defaultdict(_Sums)
    for leaf in leaf_sums:
        units[leaf.unit].add(leaf)
    for count in outcome_counts:
        units[count.unit].outcomes[count.outcome] += count.entry_count
    return tuple(units[unit].totals(unit) for unit in sorted(units))
