"""Roll-up over the tree: sums of leaves, exactly, in any order."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker_service.carbon.emission_tree import EMISSION_TYPES, SCOPES
from worker_service.carbon.totals import LeafSum, OutcomeCount, roll_up

_LEAVES = st.lists(
    st.builds(
        LeafSum,
        unit=st.sampled_from(["0828", "0829"]),
        emission_type=st.sampled_from(sorted(SCOPES)),
        kg=st.floats(0, 1e15).map(Decimal),
        additional_value=st.none() | st.floats(0, 1e9).map(Decimal),
    )
)


def test_the_worked_example_of_totals() -> None:
    [totals] = roll_up(
        [
            LeafSum("u", "research_facilities.animal.mice", Decimal(40)),
            LeafSum("u", "research_facilities.facilities", Decimal(100)),
        ]
    )
    assert totals.by_emission_type == {
        "research_facilities": 140,
        "research_facilities.animal": 40,
        "research_facilities.animal.mice": 40,
        "research_facilities.facilities": 100,
    }
    assert [totals.scope1, totals.scope2, totals.scope3, totals.total] == [0, 0, 140, 140]


def test_scopes_stand_apart_and_add_up() -> None:
    [totals] = roll_up(
        [
            LeafSum("u", "equipment.it", Decimal(60)),
            LeafSum("u", "purchases.goods_and_services.it_equipment", Decimal(40)),
            LeafSum("u", "process_emissions.co2", Decimal(100)),
        ]
    )
    assert [totals.scope1, totals.scope2, totals.scope3] == [100, 60, 40]
    assert totals.total == 200


def test_a_value_on_an_inner_node_is_its_own_beside_its_children() -> None:
    [totals] = roll_up(
        [
            LeafSum("u", "professional_travel.plane", Decimal("150.5")),
            LeafSum("u", "professional_travel.plane.eco", Decimal("0.1"), Decimal(503)),
        ]
    )
    assert totals.by_emission_type["professional_travel.plane"] == Decimal("150.6")
    assert totals.by_additional_value["professional_travel"] == 503


@settings(deadline=None)
@given(leaves=_LEAVES, seed=st.integers())
def test_every_node_is_the_exact_sum_of_what_lies_at_or_below_it(
    leaves: list[LeafSum], seed: int
) -> None:
    shuffled = leaves[:]
    random.Random(seed).shuffle(shuffled)
    assert roll_up(shuffled) == roll_up(leaves)
    for totals in roll_up(leaves):
        own = [leaf for leaf in leaves if leaf.unit == totals.unit]
        for path, kg in totals.by_emission_type.items():
            below = (
                leaf.kg
                for leaf in own
                if leaf.emission_type == path or leaf.emission_type.startswith(path + ".")
            )
            assert Fraction(kg) == sum(map(Fraction, below))
        roots = (kg for path, kg in totals.by_emission_type.items() if "." not in path)
        assert Fraction(totals.total) == sum(map(Fraction, roots))


def test_tiny_and_huge_numbers_add_without_loss() -> None:
    tiny, huge = Decimal("5e-324"), Decimal("1.7e308")
    leaves = [LeafSum("u", "food.vegetarian", kg) for kg in (tiny, huge)]
    [totals] = roll_up(leaves)
    assert Fraction(totals.total) == Fraction(tiny) + Fraction(huge)


def test_a_unit_without_emissions_is_told_with_its_outcomes() -> None:
    [totals] = roll_up([], [OutcomeCount("u", "no_factor", 3), OutcomeCount("u", "computed", 1)])
    assert totals.total == 0
    assert totals.entry_count == 4
    assert totals.outcome_counts == {"computed": 1, "no_factor": 3}


def test_a_path_outside_the_tree_or_without_scope_is_an_error() -> None:
    for path in ("professional_travel.rocket", "buildings.rooms"):
        with pytest.raises(KeyError):
            roll_up([LeafSum("u", path, Decimal(1))])


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("professional_travel.plane.eco", 3),
        ("waste.recycling", 3),
        ("waste.biogas.cooking_vegetable_oil", 3),
        ("buildings", None),
        ("buildings.rooms", None),
        ("buildings.rooms.lighting.office", 2),
        ("buildings.rooms.heating_thermal", 1),
        ("buildings.combustion.other", 1),
        ("buildings.construction_and_renovation", 3),
        ("process_emissions.refrigerants", 1),
        ("equipment.it", 2),
        ("purchases", None),
        ("purchases.additional.ln2", 1),
        ("purchases.goods_and_services.vehicles", 3),
        ("research_facilities.it_facilities.scitas", 3),
        ("external.ai.mistral_ai", 3),
    ],
)
def test_a_node_has_its_scope(path: str, scope: int | None) -> None:
    assert EMISSION_TYPES[path].scope == scope


def test_every_node_hangs_on_a_node_of_the_tree() -> None:
    for path, node in EMISSION_TYPES.items():
        assert node.path == path
        assert node.parent is None or node.parent in EMISSION_TYPES
