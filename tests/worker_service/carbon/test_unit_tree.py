"""Sums along the tree of units: every kilogram once on each level, and a tree that is one."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_service.carbon.report import Sums
from worker_service.carbon.unit_tree import (
    LEVELS_MAX,
    NotATree,
    PlacedUnit,
    check_tree,
    placed_within,
    unit_tree,
)


def sums(kg: float, fte: str | None = None, last_year: float | None = None) -> Sums:
    return Sums(
        scope3=Decimal(kg),
        total=Decimal(kg),
        entry_count=1,
        fte=None if fte is None else Decimal(fte),
        last_year=None if last_year is None else Decimal(last_year),
    )


FACULTY = [
    PlacedUnit("BIO", "Biology", "SCI"),
    PlacedUnit("LAW", "Law", None),
    PlacedUnit("OPT", "Optics", "PHY"),
    PlacedUnit("PHY", "Physics", "SCI"),
    PlacedUnit("SCI", "Science", None),
]


def test_a_faculty_has_the_sums_of_all_below_it() -> None:
    own = {("PHY", "Physics"): sums(10, "1"), ("OPT", "Optics"): sums(5, "0.5", 7)}
    own["LAW", "Law"] = sums(3)
    nodes = unit_tree(own, FACULTY)
    assert [(n.unit, n.parent, n.level, int(n.own.total), int(n.below.total)) for n in nodes] == [
        ("LAW", None, 0, 3, 3),
        ("SCI", None, 0, 0, 15),
        ("PHY", "SCI", 1, 10, 15),
        ("OPT", "PHY", 2, 5, 5),
    ]
    science = nodes[1]
    assert (science.name, science.below.entry_count) == ("Science", 2)
    assert (science.below.fte, science.below.last_year) == (Decimal("1.5"), Decimal(7))


def test_what_stands_below_nothing_of_the_report_is_at_its_top() -> None:
    [physics, optics] = unit_tree({("OPT", "Optics"): sums(5)}, FACULTY[2:4])
    assert (physics.unit, physics.parent, physics.level) == ("PHY", "SCI", 0)
    assert (optics.unit, optics.level) == ("OPT", 1)


def test_the_units_of_somebody_stand_below_the_nearest_one_of_theirs() -> None:
    chain = {"A": None, "B": "A", "C": "B", "D": "C", "E": "D", "X": None}
    placed = [PlacedUnit(unit, "", parent) for unit, parent in chain.items()]
    own = {one.unit: one.parent for one in placed_within(placed, {"A", "D", "E", "X"})}
    assert own == {"A": None, "D": "A", "E": "D", "X": None}
    assert [one.parent for one in placed_within(placed, {"C", "E"})] == [None, "C"]
    # What is not a tree ends, too.
    ring = [PlacedUnit(*one) for one in (("A", "", "B"), ("B", "", "C"), ("C", "", "B"))]
    assert [one.parent for one in placed_within(ring, {"A"})] == [None]


def test_people_of_a_unit_without_totals_count_in_the_units_above_it() -> None:
    fte = {"PHY": Decimal(1), "BIO": Decimal(9)}
    nodes = {one.unit: one for one in unit_tree({("PHY", "Physics"): sums(100, "1")}, FACULTY, fte)}
    assert nodes["SCI"].below.fte == Decimal(10)
    assert nodes["BIO"].below.fte == Decimal(9)
    assert nodes["PHY"].below.fte == Decimal(1)


def test_totals_of_a_removed_unit_are_not_lost() -> None:
    nodes = unit_tree({("OLD", "Gone"): sums(5), ("LAW", "Law"): sums(1)}, FACULTY)
    assert [(one.unit, one.name, one.level) for one in nodes] == [
        ("LAW", "Law", 0),
        ("OLD", "Gone", 0),
    ]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=30), st.data())
def test_totals_add_up_along_every_tree(units: list[float], data: st.DataObject) -> None:
    placed, own = [], {}
    for number, kg in enumerate(units):
        above = data.draw(st.one_of(st.none(), st.integers(0, number - 1))) if number else None
        name = f"unit {number:02}"
        placed.append(PlacedUnit(name, "", None if above is None else f"unit {above:02}"))
        if data.draw(st.booleans()):
            own[name, ""] = sums(kg, last_year=kg / 2)
    nodes = unit_tree(own, data.draw(st.permutations(placed)))
    exact = {node.unit: Fraction(node.below.total) for node in nodes}
    for node in nodes:
        children = [other for other in nodes if other.parent == node.unit]
        below = sum(exact[child.unit] for child in children)
        assert exact[node.unit] == Fraction(node.own.total) + below
        assert all(child.level == node.level + 1 for child in children)
        assert all(nodes.index(child) > nodes.index(node) for child in children)
    whole = sum(Fraction(one.total) for one in own.values())
    assert sum(exact[node.unit] for node in nodes if node.level == 0) == whole
    before = sum(Fraction(node.below.last_year or 0) for node in nodes if node.level == 0)
    assert before == sum(Fraction(one.last_year or 0) for one in own.values())


@pytest.mark.parametrize(
    ("parents", "sentence"),
    [
        ({"A": "A"}, "A is below A: no unit can be below itself."),
        ({"A": "B", "B": "A"}, "A is below B, B is below A: no unit can be below itself."),
        ({"X": "A", "A": "B", "B": "A"}, "A is below B, B is below A: no unit"),
        (
            {f"{n}": f"{(n + 1) % 8}" for n in range(8)},
            "0 is below 1, 1 is below 2, 2 is below 3, 3 is below 4, 4 is below 5, and 3 more: no",
        ),
    ],
)
def test_a_unit_cannot_be_below_itself(parents: dict[str, str], sentence: str) -> None:
    with pytest.raises(NotATree) as refused:
        check_tree(parents)
    assert str(refused.value).startswith(sentence)


def test_a_tree_has_so_many_levels_at_most() -> None:
    chain: dict[str, str | None] = {f"{n}": f"{n - 1}" if n else None for n in range(LEVELS_MAX)}
    check_tree(chain)
    check_tree(dict(reversed(chain.items())))
    with pytest.raises(NotATree, match=f"deep: one more would be on level {LEVELS_MAX + 1}"):
        check_tree({**chain, "one more": f"{LEVELS_MAX - 1}"})
