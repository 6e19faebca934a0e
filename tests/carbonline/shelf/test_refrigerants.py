"""Blends of refrigerants are computed from their components, and are those that are published."""

from decimal import Decimal

import pytest

from carbonline.shelf.refrigerants import blend_potential, blends, potentials_of, process_gases
from carbonline.shelf.sets import shelf

# As the tables of the US EPA (AR5) and of the UK Government print them, rounded to whole kg.
PRINTED_AR5 = {"r-404a": 3943, "r-407c": 1624, "r-410a": 1924, "r-417a": 2127, "r-507a": 3985}
PRINTED_AR4 = {"r-404a": 3922, "r-407c": 1774, "r-410a": 2088, "r-507a": 3985}


def kilograms(report: str) -> dict[str, Decimal]:
    return {
        row["subcategory"] or row["category"]: Decimal(row["ef_kg_co2eq_per_unit"])
        for row in process_gases(report)
    }


def test_half_of_each_component_is_half_of_each_potential() -> None:
    halves = {"hfc-32": Decimal("0.5"), "hfc-125": Decimal("0.5")}
    assert blend_potential(halves, {"hfc-32": Decimal(677), "hfc-125": Decimal(3170)}) == Decimal(
        "1923.5"
    )


@pytest.mark.parametrize(("report", "printed"), [("ar4", PRINTED_AR4), ("ar5", PRINTED_AR5)])
def test_computed_blends_are_the_published_ones(report: str, printed: dict[str, int]) -> None:
    computed = kilograms(report)
    for blend, kg in printed.items():
        assert float(computed[blend]) == pytest.approx(kg, abs=1)


@pytest.mark.parametrize(("year", "report"), [("2022", "ar4"), ("2023", "ar5")])
def test_the_uks_blends_follow_its_change_of_reports(year: str, report: str) -> None:
    """r410a has 2,088 kg until 2022 and 1,924 kg since 2023."""
    rows = shelf()[f"uk-gov-{year}"].rows("process_emissions")
    published = {row["subcategory"]: Decimal(row["ef_kg_co2eq_per_unit"]) for row in rows}
    computed = kilograms(report)
    for blend in ("r410a", "r404a", "r407c", "r507a"):
        assert abs(published[blend] - computed[blend]) <= 1


def test_the_shares_of_a_blend_add_up_to_all_of_it() -> None:
    for blend, components in blends().items():
        assert sum(components.values()) == 1, blend


def test_a_gas_is_found_by_each_of_its_names() -> None:
    computed = kilograms("ar6")
    assert computed["hfc-134a"] == computed["r134a"] == computed["r-134a"] == 1530
    assert (computed["co2"], computed["ch4"]) == (Decimal(1), Decimal("27.9"))


def test_a_report_without_a_potential_leaves_its_gas_and_blends_out() -> None:
    assert "hfc-134" not in potentials_of("ar4")
    assert "hfc-134" not in kilograms("ar4")
