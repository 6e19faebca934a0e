"""A digest of factors changes if another factor may fit an entry, and only then."""

import dataclasses
from typing import Any

import polars as pl
import pytest

from worker_service.carbon.catalogue import declaration
from worker_service.carbon.declarations import DataEntryType, Matched
from worker_service.carbon.factor_digest import fitting_digest
from worker_service.carbon.matching import MatchByKind, Requirement
from worker_service.carbon.outcomes import EntryOutcome

PLANE = declaration(20)
FACTOR: dict[str, Any] = {
    "factor_id": 1,
    "version": 1,
    "kind": "short",
    "subkind": "economy",
    "stale": False,
    "stale_token": 0,
    "category": "short",
    "cabin_class": "economy",
    "ef_kg_co2eq_per_km": 0.2,
    "rfi_adjustment": 1.9,
    "min_distance": 0.0,
    "max_distance": 800.0,
    "detour_km": 0.0,
}


def digest(*factors: dict[str, Any], declared: DataEntryType = PLANE) -> str:
    return fitting_digest(declared, pl.DataFrame(list(factors)))


@pytest.mark.parametrize(
    "other", [{"ef_kg_co2eq_per_km": 0.3, "version": 2}, {"rfi_adjustment": 1.0}, {}]
)
def test_values_that_only_the_formula_reads_do_not_matter(other: dict[str, Any]) -> None:
    assert digest({**FACTOR, **other}) == digest(FACTOR)


@pytest.mark.parametrize(
    "other",
    [
        {"min_distance": 1.0},
        {"max_distance": 801.0},
        {"detour_km": 95.0},
        {"stale": True},
        {"stale_token": 7},
        {"factor_id": 2},
        {"kind": "long"},
        {"subkind": "first"},
    ],
    ids=str,
)
def test_what_fits_matters(other: dict[str, Any]) -> None:
    assert digest({**FACTOR, **other}) != digest(FACTOR)


def test_another_factor_matters_and_the_order_does_not() -> None:
    second = {**FACTOR, "factor_id": 2}
    assert digest(FACTOR, second) == digest(second, FACTOR)
    assert digest(FACTOR, second) != digest(FACTOR)


class _OwnMatching:
    """Compares who knows what."""

    keys = ("cabin_class",)

    def match(self, keys: pl.DataFrame, factors: pl.DataFrame) -> Matched:
        """Matches all."""
        return Matched(keys, factors)


def test_with_a_matching_of_another_kind_each_value_matters() -> None:
    declared = dataclasses.replace(PLANE, matching=_OwnMatching())
    other = {**FACTOR, "ef_kg_co2eq_per_km": 0.3}
    assert digest(other, declared=declared) != digest(FACTOR, declared=declared)
    assert digest({**FACTOR, "version": 2}, declared=declared) != digest(FACTOR, declared=declared)


def test_a_value_that_decides_whether_there_is_a_row_matters() -> None:
    [row] = PLANE.formula.rows
    above = dataclasses.replace(row, when=pl.col("rfi_adjustment") > 1)
    formula = dataclasses.replace(PLANE.formula, rows=(above,))
    declared = dataclasses.replace(PLANE, formula=formula)
    other = {**FACTOR, "rfi_adjustment": 1.0}
    assert digest(other, declared=declared) != digest(FACTOR, declared=declared)


def test_a_value_that_a_matched_factor_must_have_matters() -> None:
    assert isinstance(PLANE.matching, MatchByKind)
    needed = Requirement(pl.col("rfi_adjustment") > 1, EntryOutcome.NO_FACTOR, pl.lit("no rfi"))
    matching = dataclasses.replace(PLANE.matching, requires=(needed,))
    declared = dataclasses.replace(PLANE, matching=matching)
    other = {**FACTOR, "rfi_adjustment": 1.0}
    assert digest(other, declared=declared) != digest(FACTOR, declared=declared)
