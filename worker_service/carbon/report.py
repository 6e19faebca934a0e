"""Sums module totals up to a report: scopes, nodes of the emission tree, people, last year."""

import decimal
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from worker_service.carbon.catalogue.headcount.member import MEMBER
from worker_service.carbon.emission_tree import EMISSION_TYPES
from worker_service.carbon.outcomes import without_kilograms

# The full-time equivalents of a unit are a sum of this column over the entries of this type.
FTE_TYPE, FTE_COLUMN = MEMBER.id, "fte"
# No node is below another, so that each kilogram counts once.
IT_NODES = (
    "equipment.it",
    "purchases.goods_and_services.it_equipment",
    "research_facilities.it_facilities",
    "external.clouds",
    "external.ai",
)
# More digits than any sum of double precision numbers has.
_EXACT = decimal.Context(prec=2_000)


class OfModule(Protocol):
    """The totals of one unit in one module and year; amounts are kg CO2eq."""

    @property
    def unit(self) -> str:
        """The unit's id."""

    @property
    def unit_name(self) -> str:
        """The unit's name."""

    @property
    def module(self) -> int:
        """The module's number."""

    @property
    def scope1(self) -> Decimal:
        """GHG scope 1, exact."""

    @property
    def scope2(self) -> Decimal:
        """GHG scope 2, exact."""

    @property
    def scope3(self) -> Decimal:
        """GHG scope 3, exact."""

    @property
    def total(self) -> Decimal:
        """The sum of the three, exact."""

    @property
    def by_emission_type(self) -> Mapping[str, float]:
        """Kilograms by path of the emission tree; a node includes its children."""

    @property
    def by_additional_value(self) -> Mapping[str, float]:
        """Additional values by path, in the type's own unit."""

    @property
    def entry_count(self) -> int:
        """Entries, computed or not."""

    @property
    def outcome_counts(self) -> Mapping[str, int]:
        """Entries by outcome."""


@dataclass(slots=True)
class Sums:
    """Sums of module totals, exact whatever the order, in kg CO2eq.

    `last_year` is the total of the year before, `fte` the full-time equivalents of members; None if
    there are none.
    """

    scope1: Decimal = Decimal(0)
    scope2: Decimal = Decimal(0)
    scope3: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    nodes: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    additional: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    entry_count: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    fte: Decimal | None = None
    last_year: Decimal | None = None

    def add(self, totals: OfModule) -> None:
        """Adds the totals of a unit and module."""
        self.scope1 = _EXACT.add(self.scope1, totals.scope1)
        self.scope2 = _EXACT.add(self.scope2, totals.scope2)
        self.scope3 = _EXACT.add(self.scope3, totals.scope3)
        self.total = _EXACT.add(self.total, totals.total)
        for path, kg in totals.by_emission_type.items():
            self.nodes[path] = _EXACT.add(self.nodes[path], Decimal(kg))
        for path, value in totals.by_additional_value.items():
            self.additional[path] = _EXACT.add(self.additional[path], Decimal(value))
        self.entry_count += totals.entry_count
        self.outcomes.update(totals.outcome_counts)

    def include(self, others: "Sums") -> None:
        """Adds other sums, with their year before and their people."""
        self.scope1 = _EXACT.add(self.scope1, others.scope1)
        self.scope2 = _EXACT.add(self.scope2, others.scope2)
        self.scope3 = _EXACT.add(self.scope3, others.scope3)
        self.total = _EXACT.add(self.total, others.total)
        for mine, theirs in ((self.nodes, others.nodes), (self.additional, others.additional)):
            for path, value in theirs.items():
                mine[path] = _EXACT.add(mine[path], value)
        self.entry_count += others.entry_count
        self.outcomes.update(others.outcomes)
        if others.last_year is not None:
            self.add_last_year(others.last_year)
        if others.fte is not None:
            self.add_fte(others.fte)

    def add_last_year(self, kg: Decimal) -> None:
        """Adds to the total of the year before."""
        self.last_year = _EXACT.add(self.last_year or Decimal(0), kg)

    def add_fte(self, fte: Decimal) -> None:
        """Adds full-time equivalents."""
        self.fte = _EXACT.add(self.fte or Decimal(0), fte)

    @property
    def it_total(self) -> Decimal:
        """The kilograms of information technology, each once."""
        total = Decimal(0)
        for path in IT_NODES:
            total = _EXACT.add(total, self.nodes.get(path, Decimal(0)))
        return total

    @property
    def largest(self) -> tuple[str, Decimal]:
        """The root with the most kilograms, the first by name of equals; ("", 0) without any."""
        roots = sorted((path, kg) for path, kg in self.nodes.items() if "." not in path and kg > 0)
        return max(roots, key=lambda root: root[1], default=("", Decimal(0)))

    @property
    def kg_per_fte(self) -> float | None:
        """Kilograms per full-time equivalent, None without any."""
        return kg_per_fte(self.total, self.fte)

    @property
    def without_kilograms(self) -> int:
        """Entries that have none."""
        return without_kilograms(self.outcomes)


def kg_per_fte(kg: Decimal, fte: Decimal | None) -> float | None:
    """Kilograms per full-time equivalent, None without any."""
    return float(kg) / float(fte) if fte else None


@dataclass(frozen=True, slots=True)
class NodeSums:
    """A node with its children, in kg CO2eq; see `Sums`. `additional` is None without any."""

    path: str
    kg: Decimal
    last_year: Decimal | None
    additional: Decimal | None
    scope: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """The sums of a year. `whole` is None if the year has no totals."""

    whole: Sums | None
    units: Mapping[tuple[str, str], Sums]
    modules: Mapping[int, Sums]
    nodes: Sequence[NodeSums]


def report(
    totals: Sequence[OfModule],
    before: Sequence[OfModule],
    fte: Mapping[str, Decimal],
) -> Report:
    """Sums up totals of a year beside those of the year before.

    `fte` has the full-time equivalents of the year's members by unit. What had totals only in the
    year before has zeros.
    """
    whole = Sums()
    units: defaultdict[tuple[str, str], Sums] = defaultdict(Sums)
    modules: defaultdict[int, Sums] = defaultdict(Sums)
    for one in totals:
        for sums in (whole, units[one.unit, one.unit_name], modules[one.module]):
            sums.add(one)
    for one in before:
        for sums in (whole, units[one.unit, one.unit_name], modules[one.module]):
            sums.add_last_year(one.total)
    for (unit, _), sums in units.items():
        if unit in fte:
            sums.add_fte(fte[unit])
    for number in fte.values():
        whole.add_fte(number)
    return Report(
        whole if totals else None,
        dict(sorted(units.items())),
        dict(sorted(modules.items())),
        _nodes(whole, before),
    )


def _nodes(whole: Sums, before: Sequence[OfModule]) -> list[NodeSums]:
    earlier = _summed(before)
    known = whole.nodes.keys() | earlier.keys()
    return [
        NodeSums(
            path,
            whole.nodes.get(path, Decimal(0)),
            earlier.get(path, Decimal(0)) if before else None,
            whole.additional.get(path),
            node.scope,
        )
        for path, node in EMISSION_TYPES.items()
        if path in known
    ]


def _summed(totals: Iterable[OfModule]) -> Mapping[str, Decimal]:
    sums = Sums()
    for one in totals:
        sums.add(one)
    return sums.nodes
