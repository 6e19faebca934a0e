"""Reported kilometres against the great circle: GVA-CDG is 408 km, GVA-JFK 6,201 km."""

from collections.abc import Mapping

import pytest

from tests.worker_service.carbon.plane_files import ECONOMY, GOOD, emissions_of

ALL_LENGTHS = ({**ECONOMY, "max_distance": ""},)
LONG = {**GOOD, "destination_iata": "JFK"}


def doubts(*rows: Mapping[str, object]) -> list[tuple[object, ...]]:
    """row_number, column, value, reason."""
    return emissions_of(rows, ALL_LENGTHS).doubtful.drop("entry_set").rows()


@pytest.mark.parametrize(
    ("to", "km", "reason"),
    [
        ("JFK", 1200, "is less than half of the great circle from GVA to JFK, 6,201 km: is that"),
        (
            "CDG",
            40,
            "is less than half of the great circle from GVA to CDG, 408 km: is that correct?",
        ),
        ("JFK", 3853, "is less than the great circle from GVA to JFK, 6,201 km: are these miles?"),
        ("CDG", 253, "is less than the great circle from GVA to CDG, 408 km: are these miles?"),
        (
            "JFK",
            3349,
            "is less than the great circle from GVA to JFK, 6,201 km: are these nautical",
        ),
        ("JFK", 5000, "is less than the great circle from GVA to JFK, 6,201 km: is that correct?"),
        (
            "JFK",
            6.3,
            "the great circle from GVA to JFK, 6,201 km: are these thousands of kilometres?",
        ),
        ("CDG", 2500, "is 6 times the great circle from GVA to CDG, 408 km: is that correct?"),
        (
            "CDG",
            407600,
            "is 1,000 times the great circle from GVA to CDG, 408 km: are these metres?",
        ),
    ],
)
def test_a_distance_that_is_hardly_meant_is_doubted(to: str, km: float, reason: str) -> None:
    [(row, column, value, said)] = doubts(GOOD, {**GOOD, "destination_iata": to, "distance_km": km})
    assert (row, column, value) == (2, "distance_km", str(km))
    assert reason in str(said)


@pytest.mark.parametrize(
    ("to", "km"),
    [("CDG", 408), ("CDG", 385), ("CDG", 503), ("CDG", 2000), ("JFK", 6201), ("JFK", 5700)],
)
def test_a_distance_near_the_great_circle_or_through_a_hub_is_not(to: str, km: float) -> None:
    assert doubts({**GOOD, "destination_iata": to, "distance_km": km}) == []


def test_nothing_is_compared_where_a_place_is_unknown_or_the_trip_ends_where_it_began() -> None:
    unknown = {**GOOD, "destination_iata": "Paris Gare de Lyon", "distance_km": 3}
    assert doubts(unknown, {**GOOD, "destination_iata": "GVA", "distance_km": 900}) == []


def test_the_kilograms_are_those_of_the_reported_distance_all_the_same() -> None:
    computed = emissions_of([{**LONG, "distance_km": 1200}], ALL_LENGTHS)
    assert computed.emissions["kg"].to_list() == [pytest.approx(1200 * 0.2906 * 1.35)]
    assert computed.outcomes["outcome"].to_list() == ["computed"]


def test_every_row_with_such_a_distance_is_named() -> None:
    short = {**LONG, "distance_km": 1200}
    assert [row for row, *_ in doubts(short, LONG, short, {**LONG, "distance_km": 1300})] == [
        1,
        3,
        4,
    ]


def test_a_row_with_kilograms_of_its_own_is_compared_too_and_keeps_them() -> None:
    rows = [{**LONG, "distance_km": 6, "kg_co2eq": 207}, {**GOOD, "distance_km": 408}]
    cut = emissions_of([*rows, {**LONG, "kg_co2eq": 207}], ALL_LENGTHS)
    [(_, row, column, value, said)] = cut.doubtful.rows()
    assert (row, column, value) == (1, "distance_km", "6")
    assert said.startswith("is less than half of the great circle from GVA to JFK, 6,201 km")
    assert cut.emissions.filter(overridden=True)["kg"].to_list() == [207, 207]
    assert cut.outcomes.sort("row_number")["outcome"].to_list() == [
        "overridden",
        "computed",
        "overridden",
    ]


def test_no_place_is_asked_of_a_row_with_kilograms_of_its_own() -> None:
    free = {**LONG, "origin_iata": "home", "distance_km": 6, "kg_co2eq": 207}
    computed = emissions_of([free], ALL_LENGTHS)
    assert computed.doubtful.is_empty()
    assert computed.outcomes["outcome"].to_list() == ["overridden"]
