"""A report is a sum of module totals: nothing is lost, nothing counts twice, in any order."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_service.carbon.emission_tree import EMISSION_TYPES, SCOPES
from worker_service.carbon.report import IT_NODES, Sums, report
from worker_service.carbon.totals import LeafSum, OutcomeCount, UnitTotals, roll_up
from worker_service.ledger.totals import StoredTotals, unit_row

A_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_LEAVES = st.lists(
    st.tuples(
        st.sampled_from(["0828", "0829", "0830"]),
        st.integers(1, 8),
        st.sampled_from(sorted(SCOPES)),
        st.floats(0, 1e12),
    ),
    max_size=20,
)
Leaf = tuple[str, int, str, float]


def stored(leaves: Sequence[Leaf]) -> list[StoredTotals]:
    """Module totals as the ledger has them, of leaves (unit, module, path, kg)."""
    found = []
    for module in sorted({leaf[1] for leaf in leaves}):
        sums = [LeafSum(u, path, Decimal(kg)) for u, m, path, kg in leaves if m == module]
        counts = [OutcomeCount(leaf.unit, "computed", 1) for leaf in sums]
        found += [of_module(module, totals) for totals in roll_up(sums, counts)]
    return found


def of_module(module: int, totals: UnitTotals) -> StoredTotals:
    row = unit_row(totals)
    return StoredTotals(
        unit=row.unit,
        unit_name=f"Unit {row.unit}",
        module=module,
        scope1=row.scope1,
        scope2=row.scope2,
        scope3=row.scope3,
        total=row.total,
        by_emission_type=row.by_emission_type,
        by_additional_value=row.by_additional_value,
        entry_count=row.entry_count,
        outcome_counts=row.outcome_counts,
        computed_at=A_MOMENT,
        claim_token=1,
    )


def whole_of(leaves: Sequence[Leaf]) -> Sums:
    whole = report(stored(leaves), [], {}).whole
    assert whole is not None
    return whole


def seen(*values: object) -> tuple[object, ...]:
    """Values of several types, to be compared with what they are equal to."""
    return values


def test_the_worked_example_of_a_report() -> None:
    whole = whole_of(
        [
            ("u", 4, "equipment.it", 60.0),
            ("u", 5, "purchases.goods_and_services.it_equipment", 40.0),
            ("u", 8, "process_emissions.co2", 100.0),
        ]
    )
    assert [whole.scope1, whole.scope2, whole.scope3, whole.total] == [100, 60, 40, 200]
    assert whole.it_total == 100
    assert seen(*whole.largest) == ("process_emissions", 100)


def test_each_kind_of_it_counts_once_and_nothing_else_does() -> None:
    leaves = [("u", 4, path, 1.0) for path in SCOPES if not path.startswith("external")]
    leaves += [("u", 7, "external.clouds.calcul", 1.0), ("u", 7, "external.ai.openai", 1.0)]
    # it, it_equipment, it_facilities with scitas and rcp, a cloud, an AI.
    assert whole_of(leaves).it_total == 1 + 1 + 3 + 1 + 1
    nested = [a for a in IT_NODES for b in IT_NODES if a.startswith(f"{b}.")]
    assert not nested
    assert set(IT_NODES) <= EMISSION_TYPES.keys()


def test_kilograms_per_full_time_equivalent() -> None:
    totals = stored([("a", 2, "professional_travel", 900.0), ("b", 2, "food", 100.0)])
    made = report(totals, [], {"a": Decimal("0.5"), "b": Decimal("1.5")})
    assert made.whole is not None
    assert seen(made.whole.fte, made.whole.kg_per_fte) == (2, 500)
    assert made.units["a", "Unit a"].kg_per_fte == 1800
    assert made.modules[2].fte is None
    without = report(totals, [], {}).whole
    assert without is not None
    assert seen(without.fte, without.kg_per_fte) == (None, None)
    zero = report(totals, [], {"a": Decimal(0)}).whole
    assert zero is not None
    assert seen(zero.fte, zero.kg_per_fte) == (0, None)


def test_what_is_gone_since_last_year_has_zeros() -> None:
    before = stored([("gone", 3, "buildings.combustion.natural_gas", 7.0), ("a", 2, "food", 5.0)])
    made = report(stored([("a", 2, "food", 4.0)]), before, {})
    assert [seen(unit, sums.total, sums.last_year) for (unit, _), sums in made.units.items()] == [
        ("a", 4, 5),
        ("gone", 0, 7),
    ]
    assert [seen(number, sums.total, sums.last_year) for number, sums in made.modules.items()] == [
        (2, 4, 5),
        (3, 0, 7),
    ]
    assert made.whole is not None
    assert seen(made.whole.total, made.whole.last_year) == (4, 12)
    gas = next(node for node in made.nodes if node.path == "buildings.combustion.natural_gas")
    assert seen(gas.kg, gas.last_year, gas.scope) == (0, 7, 1)


def test_without_a_year_before_there_is_nothing_to_compare_with() -> None:
    made = report(stored([("a", 2, "food", 4.0)]), [], {})
    assert made.whole is not None
    assert made.whole.last_year is None
    assert [node.last_year for node in made.nodes] == [None]


def test_a_year_without_totals_has_no_whole() -> None:
    made = report([], stored([("a", 2, "food", 4.0)]), {})
    assert made.whole is None
    assert [seen(unit, sums.total) for (unit, _), sums in made.units.items()] == [("a", 0)]


def test_outcomes_are_summed() -> None:
    counts = [OutcomeCount("a", "computed", 2), OutcomeCount("a", "no_factor", 3)]
    [totals] = roll_up([], counts)
    whole = report([of_module(1, totals), of_module(2, totals)], [], {}).whole
    assert whole is not None
    assert whole.outcomes == {"computed": 4, "no_factor": 6}
    assert (whole.entry_count, whole.without_kilograms) == (10, 6)


@given(_LEAVES, _LEAVES, st.randoms(use_true_random=False))
def test_sums_add_up_along_every_tree_in_any_order(
    leaves: list[Leaf], before: list[Leaf], shuffle: random.Random
) -> None:
    totals = stored(leaves)
    made = report(totals, stored(before), {})
    again = list(totals)
    shuffle.shuffle(again)
    assert report(again, stored(before), {}) == made
    if not leaves:
        assert made.whole is None
        return
    assert made.whole is not None
    exact = sum(Fraction(leaf[3]) for leaf in leaves)
    whole = made.whole
    assert Fraction(whole.total) == exact
    for groups in (made.units, made.modules):
        assert sum(Fraction(sums.total) for sums in groups.values()) == exact
        assert sum(sums.entry_count for sums in groups.values()) == whole.entry_count
        last = sum(Fraction(sums.last_year or 0) for sums in groups.values())
        assert last == sum(Fraction(leaf[3]) for leaf in before)
    assert Fraction(whole.scope1 + whole.scope2 + whole.scope3) == pytest.approx(exact, rel=1e-12)
    roots = sum(node.kg for node in made.nodes if "." not in node.path)
    # Nodes are kept as doubles, one rounding for each unit, module and node.
    assert float(roots) == pytest.approx(float(exact), rel=1e-12)
    own = {path: sum(leaf[3] for leaf in leaves if leaf[2] == path) for path in SCOPES}
    kg = {node.path: float(node.kg) for node in made.nodes}
    for path, of_node in kg.items():
        below = sum(kg[child] for child in kg if child.rpartition(".")[0] == path)
        assert of_node == pytest.approx(own.get(path, 0) + below, rel=1e-9, abs=1e-6)
