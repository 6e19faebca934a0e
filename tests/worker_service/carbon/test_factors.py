"""Factor files: identities, bands, and what is warned of."""

import pytest

from tests.worker_service.carbon.plane_files import ECONOMY, FACTOR_COLUMNS, PLANE, csv_of, opening
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.parse.factors import ParsedFactors, read_factors

_DETOUR = "detour_km is added before bands are compared, so bands that touch need the same"


def read(*rows: dict[str, object]) -> ParsedFactors:
    return read_factors(PLANE, opening(csv_of(FACTOR_COLUMNS, rows)))


def test_a_factor_has_its_identity_values_and_place_in_the_tree() -> None:
    [factor] = read({**ECONOMY, "category": " Short-haul", "max_distance": ""}).accepted.to_dicts()
    assert factor["classification"] == '{"category":"short-haul","cabin_class":"economy"}'
    assert (factor["kind"], factor["subkind"]) == ("short-haul", "economy")
    assert factor["emission_type"] == "professional_travel.plane.eco"
    assert factor["values"] == (
        '{"ef_kg_co2eq_per_km":0.2906,"rfi_adjustment":1.35,"min_distance":0.0,"detour_km":95.0}'
    )
    assert factor["max_distance"] is None


def test_a_band_without_a_lower_end_begins_at_zero() -> None:
    assert read({**ECONOMY, "min_distance": ""}).accepted["min_distance"].to_list() == [0.0]


def test_of_two_equal_identities_the_last_stands_and_the_other_is_a_warning() -> None:
    endless = {**ECONOMY, "max_distance": ""}
    factors = read(endless, {**endless, "category": "SHORT ", "ef_kg_co2eq_per_km": 0.5})
    assert factors.accepted["ef_kg_co2eq_per_km"].to_list() == [0.5]
    assert factors.warnings.rows() == [
        (
            1,
            "category, cabin_class",
            "short, economy",
            "row 2 repeats it and is the one that counts",
        )
    ]
    assert factors.rejected.is_empty()


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"ef_kg_co2eq_per_km": ""}, "ef_kg_co2eq_per_km", "is missing"),
        ({"ef_kg_co2eq_per_km": "0,2"}, "ef_kg_co2eq_per_km", "decimal comma"),
        ({"ef_kg_co2eq_per_km": "-0.2"}, "ef_kg_co2eq_per_km", "at least 0"),
        ({"cabin_class": "hammock"}, "cabin_class", "must be one of"),
        ({"category": ""}, "category", "is missing"),
        ({"min_distance": 800}, "max_distance", "must be larger than min_distance"),
    ],
)
def test_a_bad_factor_is_a_row_error(changed: dict[str, object], column: str, reason: str) -> None:
    factors = read({**ECONOMY, **changed})
    assert factors.accepted.is_empty()
    [rejected] = factors.rejected.to_dicts()
    assert rejected["column"] == column
    assert reason in rejected["reason"]


@pytest.mark.parametrize(
    ("bands", "overlap"),
    [
        ([(0, 800), (800, "")], None),
        ([(800, ""), (0, 800)], None),
        ([(0, 800), (1000, 2000)], None),
        ([(0, 800), (799, "")], "0 to 800 (row 1) and 799 to no end (row 2)"),
        ([(0, 10), (0, 10)], "0 to 10 (row 1) and 0 to 10 (row 2)"),
        ([(0, ""), (5000, 6000)], "0 to no end (row 1) and 5000 to 6000 (row 2)"),
        ([(50, 60), (0, 100), (10, 20)], "0 to 100 (row 2) and 10 to 20 (row 3)"),
    ],
)
def test_bands_of_one_class_that_overlap_refuse_the_file(
    bands: list[tuple[object, object]], overlap: str | None
) -> None:
    rows = [
        {**ECONOMY, "category": f"band {at}", "min_distance": low, "max_distance": high}
        for at, (low, high) in enumerate(bands)
    ]
    other_class = {**ECONOMY, "cabin_class": "first"}
    if overlap is None:
        assert read(*rows, other_class).accepted.height == len(bands) + 1
        return
    with pytest.raises(RefusedFile) as refused:
        read(*rows, other_class)
    assert refused.value.cause is Cause.CONTRADICTION
    assert str(refused.value) == f"bands of economy overlap: {overlap}"


@pytest.mark.parametrize(
    ("bands", "warnings"),
    [
        ([(0, 800), (800, "")], []),
        ([(800, ""), ("", 800)], []),
        ([(0, 3699), (3700, "")], [(2, "min_distance", "3700", "3,699 to 3,700 km")]),
        ([(3700, ""), (0, 3699.5)], [(1, "min_distance", "3700", "3,699.5 to 3,700 km")]),
        ([(500, "")], [(1, "min_distance", "500", "0 to 500 km")]),
        ([(0, 9000)], [(1, "max_distance", "9000", "9,000 km and more")]),
        ([(0, 20500)], []),
        (
            [(1, 2), (3, 4)],
            [
                (1, "min_distance", "1", "0 to 1 km"),
                (2, "min_distance", "3", "2 to 3 km"),
                (2, "max_distance", "4", "4 km and more"),
            ],
        ),
    ],
)
def test_distances_without_a_factor_of_the_class_are_warned_of(
    bands: list[tuple[object, object]], warnings: list[tuple[int, str, str, str]]
) -> None:
    rows = [
        {**ECONOMY, "category": f"band {at}", "min_distance": low, "max_distance": high}
        for at, (low, high) in enumerate(bands)
    ]
    other_class = {**ECONOMY, "cabin_class": "first", "max_distance": ""}
    factors = read(*rows, other_class)
    assert factors.accepted.height == len(bands) + 1
    assert factors.warnings.rows() == [
        (row, column, value, f"no factor of economy for {where}")
        for row, column, value, where in warnings
    ]


@pytest.mark.parametrize(
    ("bands", "warnings"),
    [
        ([(0, 800, 95), (800, "", 95)], []),
        ([(0, 800, ""), (800, "", 0)], []),
        ([(0, 800, 95), (800, "", "")], [(2, "no factor", "705 to 800 km")]),
        ([(0, 800, ""), (800, "", 95)], [(2, "2 factors", "705 to 800 km")]),
        ([(800, "", 95), (0, 800, "")], [(1, "2 factors", "705 to 800 km")]),
        # The second band ends below 0.
        ([(0, 800, ""), (800, 850, 900), (850, "", 0)], [(3, "no factor", "800 to 850 km")]),
        ([(0, 800, ""), (800, 1500, 900), (1500, "", 700)], [(1, "2 factors", "0 to 600 km")]),
        ([(0, 800, ""), (800, "", 900)], [(2, "2 factors", "0 to 800 km")]),
    ],
)
def test_bands_whose_detours_differ_are_compared_as_flights_meet_them(
    bands: list[tuple[object, object, object]], warnings: list[tuple[int, str, str]]
) -> None:
    rows = [
        {
            **ECONOMY,
            "category": f"band {at}",
            "min_distance": low,
            "max_distance": high,
            "detour_km": detour,
        }
        for at, (low, high, detour) in enumerate(bands)
    ]
    factors = read(*rows, {**ECONOMY, "cabin_class": "first", "max_distance": ""})
    assert factors.accepted.height == len(bands) + 1
    assert factors.warnings.rows() == [
        (
            row,
            "detour_km",
            str(bands[row - 1][2] or 0),
            f"{how_many} of economy for great circles of {where}: {_DETOUR}",
        )
        for row, how_many, where in warnings
    ]


def test_what_is_warned_of_counts_without_the_rows_that_are_rejected() -> None:
    whole = [
        {**ECONOMY, "max_distance": 800},
        {**ECONOMY, "category": "empty", "min_distance": 900, "max_distance": 900},
        {**ECONOMY, "category": "long", "min_distance": 1000, "max_distance": ""},
    ]
    factors = read(*whole)
    assert factors.rejected["row"].to_list() == [2]
    assert factors.warnings["reason"].to_list() == ["no factor of economy for 800 to 1,000 km"]


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        (
            {"ef_kg_co2eq_per_km": "200"},
            "ef_kg_co2eq_per_km",
            "200 kg per km in one row is more than 10",
        ),
        (
            {"rfi_adjustment": "900"},
            "rfi_adjustment",
            "900 as rfi_adjustment in one row is more than 10",
        ),
        (
            {"detour_km": "950000"},
            "detour_km",
            "950,000 km of detour in one row is more than 1,000",
        ),
    ],
)
def test_an_implausible_factor_is_warned_of(
    changed: dict[str, object], column: str, reason: str
) -> None:
    factors = read({**ECONOMY, "max_distance": "", **changed})
    assert factors.rejected.is_empty()
    assert (column, reason + ": is that correct?") in factors.warnings.select(
        "column", "reason"
    ).rows()


@pytest.mark.parametrize("column", ["ef_kg_co2eq_per_km", "rfi_adjustment"])
def test_a_factor_that_makes_every_flight_weigh_nothing_is_warned_of(column: str) -> None:
    factors = read({**ECONOMY, "max_distance": "", column: "0"})
    assert factors.accepted.height == 1
    assert factors.warnings.select("row", "column", "reason").rows() == [
        (1, column, "is 0, so flights with this factor have 0 kg: is that correct?")
    ]
