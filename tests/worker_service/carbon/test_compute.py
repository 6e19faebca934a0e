"""From entries and factors to emissions: the matching rule, outcomes, order, several rows."""

import dataclasses
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.plane_files import (
    AIRPORTS,
    ECONOMY,
    GOOD,
    PLANE,
    emissions_of,
    entries_of,
    factors_of,
    locations_of,
    parsed,
)
from worker_service.carbon.compute import compute
from worker_service.carbon.declarations import Band, EmissionRow
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.outcomes import count_outcomes, uncomputed

_SORTED = ["row_number", "emission_type", "factor_id"]
_BANDED = MatchByKind(
    sought=pl.col("km").cast(pl.String),
    subkind="cabin",
    band=Band("min_distance", "max_distance"),
    band_of=pl.col("km"),
)


def _keys(**columns: list[object]) -> pl.DataFrame:
    nothing = {"outcome": pl.lit(None, pl.String), "detail": pl.lit(None, pl.String)}
    return pl.DataFrame(columns).with_row_index("key_id").with_columns(**nothing)


def _factors(*rows: tuple[str | None, str | None, float, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(at, 1, *row) for at, row in enumerate(rows, 1)],
        schema={
            "factor_id": pl.Int64,
            "version": pl.Int32,
            "kind": pl.String,
            "subkind": pl.String,
            "min_distance": pl.Float64,
            "max_distance": pl.Float64,
        },
        orient="row",
    ).with_columns(stale=pl.lit(value=False), stale_token=pl.lit(0, pl.Int64))


@pytest.mark.parametrize(("km", "factor"), [(0.0, 1), (2499.9, 1), (2500.0, 2), (15000.0, 2)])
def test_a_band_holds_its_lower_end_and_not_its_upper_one(km: float, factor: int) -> None:
    factors = _factors(("short", "economy", 0, 2500), ("long", "economy", 2500, None))
    matched = _BANDED.match(_keys(km=[km], cabin=["economy"]), factors)
    assert matched.factors["factor_id"].to_list() == [factor]


@settings(deadline=None)
@given(
    ends=st.lists(st.integers(1, 50), min_size=1, max_size=5, unique=True).map(sorted),
    km=st.floats(0, 60),
)
def test_bands_that_touch_give_exactly_one_factor(ends: list[int], km: float) -> None:
    bounds: list[tuple[float, float | None]] = [*zip([0, *ends], [*ends, None], strict=True)]
    factors = _factors(*((str(at), "economy", *band) for at, band in enumerate(bounds)))
    matched = _BANDED.match(_keys(km=[km], cabin=["economy"]), factors)
    [found] = matched.factors["factor_id"].to_list()
    low, high = bounds[found - 1]
    assert low <= km
    assert high is None or km < high


def test_of_two_that_fit_the_one_of_the_newest_file_wins_and_an_older_one_fills_gaps() -> None:
    factors = _factors(
        ("old", "economy", 0, 2500),
        ("new", "economy", 0, 1000),
        ("old long", "economy", 2500, None),
    ).with_columns(stale=pl.Series([True, False, True]))
    keys = _keys(km=[500.0, 1500.0, 9000.0], cabin=["economy"] * 3)
    matched = _BANDED.match(keys, factors)
    assert matched.factors.sort("key_id")["factor_id"].to_list() == [2, 1, 3]
    assert matched.keys["outcome"].to_list() == [None, None, None]


def test_of_two_stale_ones_that_fit_the_one_that_became_stale_last_wins() -> None:
    factors = _factors(
        ("first", "economy", 0, None), ("third", "economy", 0, None), ("second", "economy", 0, None)
    ).with_columns(stale=pl.lit(value=True), stale_token=pl.Series([5, 9, 7]))
    matched = _BANDED.match(_keys(km=[500.0], cabin=["economy"]), factors)
    assert matched.factors["factor_id"].to_list() == [2]


def test_a_factor_without_subkind_stands_in_only_where_there_is_no_exact_one() -> None:
    rule = MatchByKind(sought=pl.col("kind_of"), kind="kind_of", subkind="sub")
    factors = _factors(("laptop", "a", 0, None), ("laptop", None, 0, None), ("pc", "a", 0, None))
    keys = _keys(kind_of=["laptop", "laptop", "laptop", "pc", "pc"], sub=["a", "b", None, "b", "a"])
    matched = rule.match(keys, factors)
    assert matched.factors.sort("key_id").select("key_id", "factor_id").rows() == [
        (0, 1),
        (1, 2),
        (2, 2),
        (4, 3),
    ]
    assert matched.keys["outcome"].to_list() == [None, None, None, "no_factor", None]
    assert matched.keys["detail"][3] == "no factor for pc"


def test_several_factors_where_one_is_expected_are_ambiguous() -> None:
    second = {**ECONOMY, "category": "other", "ef_kg_co2eq_per_km": 0.5, "detour_km": ""}
    entries = entries_of(parsed([GOOD]).accepted)
    factors = pl.concat(
        [factors_of([ECONOMY]), factors_of([second]).with_columns(pl.col("factor_id") + 1)]
    )
    computed = compute(PLANE, entries, factors, {"locations": locations_of()})
    assert computed.emissions.is_empty()
    assert computed.outcomes["outcome"].to_list() == ["ambiguous_factor"]
    assert computed.outcomes["detail"][0] == (
        "2 factors for economy at 407.6 km: 1 (short economy, 502.6 km with its detour),"
        " 2 (other economy)"
    )
    plain = {**ECONOMY, "detour_km": ""}
    five = [factors_of([plain]).with_columns(factor_id=pl.lit(n, pl.Int64)) for n in (9, 3, 7, 5)]
    several = compute(PLANE, entries, pl.concat(five), {"locations": locations_of()})
    assert several.outcomes["detail"][0].endswith(
        ": 3 (short economy), 5 (short economy), 7 (short economy) and 1 more"
    )


@pytest.mark.parametrize("code", ["GVA", "CDG"])
def test_a_place_that_is_there_twice_is_ambiguous_and_never_doubles_an_entry(code: str) -> None:
    entries = entries_of(parsed([GOOD]).accepted)
    places = pl.concat([locations_of(), locations_of({code: (1, 1)})])
    computed = compute(PLANE, entries, factors_of([ECONOMY]), {"locations": places})
    assert computed.emissions.is_empty()
    assert computed.outcomes["outcome"].to_list() == ["unknown_place"]
    assert computed.outcomes["detail"].to_list() == [f"ambiguous airport {code}: 2 places have it"]


def test_places_of_another_transport_mode_do_not_count() -> None:
    entries = entries_of(parsed([GOOD]).accepted)
    trains = locations_of().with_columns(transport_mode=pl.lit("train"))
    computed = compute(PLANE, entries, factors_of([ECONOMY]), {"locations": trains})
    assert computed.outcomes["detail"].to_list() == ["unknown airport GVA; unknown airport CDG"]


def test_an_entry_without_a_needed_value_is_counted() -> None:
    entries = entries_of(parsed([GOOD]).accepted).with_columns(cabin_class=pl.lit(None, pl.String))
    computed = compute(PLANE, entries, factors_of([ECONOMY]), {"locations": locations_of()})
    assert computed.emissions.is_empty()
    assert computed.outcomes.select("outcome", "detail").row(0) == (
        "missing_value",
        "no cabin_class",
    )


def test_a_formula_without_a_finite_number_is_counted_and_never_stored() -> None:
    entries = entries_of(parsed([GOOD, {**GOOD, "number_of_trips": 2}]).accepted)
    factors = factors_of([ECONOMY]).with_columns(ef_kg_co2eq_per_km=pl.lit(float("nan")))
    computed = compute(PLANE, entries, factors, {"locations": locations_of()})
    assert computed.emissions.is_empty()
    assert computed.outcomes["outcome"].to_list() == ["missing_value"] * 2


def test_every_entry_has_exactly_one_outcome_and_they_are_counted() -> None:
    rows: list[dict[str, object]] = [
        {**GOOD},
        {**GOOD},
        {**GOOD, "unit_institutional_id": "0829"},
        {**GOOD, "origin_iata": "XXX"},
        {**GOOD, "cabin_class": "first"},
        {**GOOD, "kg_co2eq": 0},
    ]
    computed = emissions_of(rows)
    assert sorted(computed.outcomes["row_number"]) == [1, 2, 3, 4, 5, 6]
    assert count_outcomes(computed.outcomes).rows() == [
        (1, "0828", "computed", 2),
        (1, "0828", "no_factor", 1),
        (1, "0828", "overridden", 1),
        (1, "0828", "unknown_place", 1),
        (1, "0829", "computed", 1),
    ]
    assert sorted(uncomputed(computed.outcomes)["row_number"]) == [4, 5]
    assert sorted(computed.emissions["row_number"]) == [1, 2, 3, 6]


def test_no_entries_and_no_factors_keep_the_columns() -> None:
    full = emissions_of([GOOD])
    none = compute(
        PLANE,
        entries_of(parsed([GOOD]).accepted).clear(),
        factors_of([ECONOMY]).clear(),
        {"locations": locations_of().clear()},
    )
    assert none.emissions.is_empty()
    assert none.emissions.schema == full.emissions.schema
    assert none.outcomes.schema == full.outcomes.schema


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 30))
def test_the_order_of_rows_changes_nothing(seed: int, count: int) -> None:
    pick = random.Random(seed)
    places = [*AIRPORTS, "XXX"]
    rows = [
        {
            **GOOD,
            "origin_iata": pick.choice(places),
            "destination_iata": pick.choice(places),
            "cabin_class": pick.choice(["economy", "business"]),
            "kg_co2eq": pick.choice(["", "", "7"]),
        }
        for _ in range(count)
    ]
    entries = entries_of(parsed(rows).accepted)
    factors = factors_of(
        [ECONOMY, {**ECONOMY, "category": "l", "min_distance": 800, "max_distance": ""}]
    )
    places_frame = locations_of()
    one = compute(PLANE, entries, factors, {"locations": places_frame})
    other = compute(
        PLANE,
        entries.sample(fraction=1, shuffle=True, seed=seed % 1000),
        factors.reverse(),
        {"locations": places_frame.reverse()},
    )
    assert one.emissions.sort(_SORTED).equals(other.emissions.sort(_SORTED))
    assert one.outcomes.sort("row_number").equals(other.outcomes.sort("row_number"))


def test_a_type_may_book_several_rows_per_entry_and_use_every_factor() -> None:
    declared = dataclasses.replace(
        PLANE,
        lookups=(),
        references=(),
        matching=MatchByKind(sought=pl.lit("all"), every_match=True),
        formula=dataclasses.replace(
            PLANE.formula,
            rows=(
                EmissionRow(pl.lit("waste.recycling.paper"), pl.col("ef_kg_co2eq_per_km") * 10),
                EmissionRow(pl.lit("equipment.it"), pl.col("number_of_trips") * 1.0),
            ),
        ),
    )
    entries = entries_of(parsed([GOOD, {**GOOD, "kg_co2eq": 42}]).accepted)
    factors = factors_of(
        [ECONOMY, {**ECONOMY, "category": "l", "min_distance": 800, "max_distance": ""}]
    )
    computed = compute(declared, entries, factors, {})
    booked = computed.emissions.sort(_SORTED).select("row_number", "emission_type", "scope", "kg")
    assert booked.rows() == [
        (1, "equipment.it", 2, 1.0),
        (1, "equipment.it", 2, 1.0),
        (1, "waste.recycling.paper", 3, 2.906),
        (1, "waste.recycling.paper", 3, 2.906),
        (2, "professional_travel.plane.eco", 3, 42.0),
    ]
    assert computed.outcomes.sort("row_number")["outcome"].to_list() == ["computed", "overridden"]


def test_a_reference_that_is_not_given_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError, match="locations"):
        compute(PLANE, entries_of(parsed([GOOD]).accepted), factors_of([ECONOMY]), {})
