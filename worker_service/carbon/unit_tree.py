"""The tree of units: each may stand below another one. What is not a tree, and sums along one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.report import Sums

# No institution has so many; a chain of more is a mistake, and no table has room for it.
LEVELS_MAX = 20
_NAMED_MAX = 5


class NotATree(Exception):
    """The places of units contradict each other. The message is a sentence for people."""


@dataclass(frozen=True, slots=True)
class PlacedUnit:
    """A unit and the one above it, by their ids as stored; `parent` is None at the top."""

    unit: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class UnitNode:
    """A unit in the tree, in kg CO2eq. `level` is 0 at the top; `below` includes its own sums."""

    unit: str
    name: str
    parent: str | None
    level: int
    own: Sums
    below: Sums


def check_tree(parents: Mapping[str, str | None]) -> None:
    """Raises NotATree if a unit is below itself, or below LEVELS_MAX others."""
    levels: dict[str, int] = {}
    for unit in parents:
        path: dict[str, None] = {}
        at: str | None = unit
        while at is not None and at not in levels:
            if at in path:
                raise NotATree(_ring_sentence([*path][[*path].index(at) :]))
            path[at] = None
            at = parents.get(at)
        level = 0 if at is None else levels[at]
        for one in reversed(path):
            level += 1
            levels[one] = level
            if level > LEVELS_MAX:
                words = f"{shown_text(one)} would be on level {level}, and there are {LEVELS_MAX}"
                raise NotATree(f"the tree of units is too deep: {words} at most.")


def _ring_sentence(ring: Sequence[str]) -> str:
    """Such as "A is below B, B is below A: no unit can be below itself."."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    said = [f"{shown_text(one)} is below {shown_text(other)}" for one, other in pairs]
    more = f", and {len(said) - _NAMED_MAX:,} more" if len(said) > _NAMED_MAX else ""
    return f"{', '.join(said[:_NAMED_MAX])}{more}: no unit can be below itself."


def placed_within(placed: Sequence[PlacedUnit], own: AbstractSet[str]) -> list[PlacedUnit]:
    """The units of `own`, each below the nearest unit above it that is one of them."""
    parents = {one.unit: one.parent for one in placed}

    def above(unit: str) -> str | None:
        parent = parents[unit]
        for _ in range(LEVELS_MAX):
            if parent is None or parent in own:
                return parent
            parent = parents.get(parent)
        return None

    return [PlacedUnit(one.unit, one.name, above(one.unit)) for one in placed if one.unit in own]


def unit_tree(
    units: Mapping[tuple[str, str], Sums],
    placed: Sequence[PlacedUnit],
    fte: Mapping[str, Decimal] = MappingProxyType({}),
) -> list[UnitNode]:
    """The units that have sums, or units below them that have, each before those below it.

    `units` are sums by id and name, with their full-time equivalents. `fte` has those of all units:
    people of a unit without totals count above it, too. A unit whose parent is not among `placed`
    is at the top.
    """
    own = {unit: sums for (unit, _), sums in units.items()}
    known = {one.unit: one for one in placed}
    for unit in known.keys() & fte.keys() - own.keys():
        own[unit] = Sums()
        own[unit].add_fte(fte[unit])
    # Totals of a unit that was removed.
    known |= {unit: PlacedUnit(unit, name, None) for unit, name in units if unit not in known}
    children: defaultdict[str | None, list[str]] = defaultdict(list)
    for one in sorted(known.values(), key=lambda one: one.unit):
        children[one.parent if one.parent in known else None].append(one.unit)
    order: list[tuple[str, int]] = []
    left = [(unit, 0) for unit in reversed(children[None])]
    while left:
        unit, level = left.pop()
        order.append((unit, level))
        left += [(child, level + 1) for child in reversed(children[unit])]
    below = _summed(order, own, children)
    return [
        UnitNode(
            unit, known[unit].name, known[unit].parent, level, own.get(unit, Sums()), below[unit]
        )
        for unit, level in order
        if unit in below
    ]


def _summed(
    order: Sequence[tuple[str, int]],
    own: Mapping[str, Sums],
    children: Mapping[str | None, Sequence[str]],
) -> Mapping[str, Sums]:
    """The sums of each unit with those below it, which stand behind it in `order`."""
    below: dict[str, Sums] = {}
    for unit, _ in reversed(order):
        parts = [own[unit]] if unit in own else []
        parts += [below[child] for child in children[unit] if child in below]
        if parts:
            below[unit] = Sums()
            for part in parts:
                below[unit].include(part)
    return below
