"""Places that are none, flights of Brussels, distances without a factor: on a running stack."""

import json
from collections.abc import Iterator

import pytest

from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import UNITS

YEAR = ("--year", "2024")
PLANE = ("--type", "plane", *YEAR)
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\n"
)
HEADER = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class\n"
CITIES = HEADER + (
    "U1,LON,GVA,a1,economy\nU1,GVA,PAR,a1,economy\nU2,NYC,ZRH,a2,economy\nU2,ZRH,LHR,a2,economy\n"
)
BRUSSELS = HEADER + "U1,BRU,AMS,a1,economy\nU2,LUX,FRA,a2,economy\n"
DETOURS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance,detour_km\n"
    "short,economy,0.2906,1.35,0,800,95\nlong,economy,0.15,,800,,\n"
)
GAP = FACTORS.splitlines(keepends=True)[0] + (
    "short,economy,0.2,1,0,3699\nlong,economy,0.1,1,3700,\n"
)
# UK Government GHG conversion factors 2019, radiative forcing and the uplift for detours included.
UK_2019 = FACTORS.splitlines(keepends=True)[0] + (
    "short-haul,economy,0.15573,1,0,3700\nlong-haul,economy,0.14981,1,3700,\n"
)
OF_2019 = HEADER + "U1,LAX,LHR,a1,economy\nU2,TYS,TPA,a2,economy\n"
SAME = HEADER + "U1,GVA,gva,a1,economy\nU2,GVA,ZRH,a2,economy\n"
RETIRED = HEADER + "U1,SXF,GVA,a1,economy\nU2,GVA,SXF,a1,economy\n"
FOUR = (
    "iata,name,country,latitude,longitude\n"
    "SXF,Berlin Schoenefeld (closed),DE,52.38,13.5225\n"
    "FRU,Bishkek (old code),KG,43.0613,74.4776\n"
    "PNH,Phnom Penh (old code),KH,11.5466,104.844\n"
    "KIV,Chisinau (old code),MD,46.9277,28.9310\n"
)


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack with the airports that the product ships."""
    terminal = Terminal(tmp_path_factory.mktemp("places"))
    with terminal.stack():
        units = terminal.type("load", "units", terminal.file("units.csv", UNITS), *YEAR)
        assert units.code == 0, units
        places = terminal.type("load", "locations")
        assert places.code == 0, places
        assert "airports have wrong coordinates in the package airportsdata" in places.err
        assert "ANR, BRU, " in places.err
        factors = terminal.type("load", "factors", terminal.file("factors.csv", FACTORS), *PLANE)
        assert factors.code == 0, factors
        yield terminal


def test_city_codes_are_answered_with_their_airports(terminal: Terminal) -> None:
    submitted = terminal.type("submit", terminal.file("cities.csv", CITIES), *PLANE)
    assert "1 entry has emissions, 3 have none (3 unknown_place;" in submitted.err
    assert "is a city (" in submitted.err
    listed = terminal.type("uncomputed", *YEAR, "--format", "csv").out
    for answer in (
        "LON is a city (LCY, LGW, LHR, ...): name the airport",
        "PAR is a city (BVA, CDG, ORY): name the airport",
        "NYC is a city (EWR, JFK, LGA): name the airport",
    ):
        assert answer in listed


def test_a_retired_code_is_answered_with_what_took_its_place(terminal: Terminal) -> None:
    submitted = terminal.type("submit", terminal.file("retired.csv", RETIRED), *PLANE)
    assert "2 have none (2 unknown_place; the most frequent: SXF is retired" in submitted.err
    listed = terminal.type("uncomputed", *YEAR, "--format", "csv").out
    assert listed.count("SXF is retired: BER took its place") == 2


def test_a_place_that_the_institution_adds_is_known_also_where_its_code_is_retired(
    terminal: Terminal,
) -> None:
    added = terminal.type("load", "locations", terminal.file("four.csv", FOUR))
    assert added.code == 0, added
    assert "corrected" not in added.err
    totals = json.loads(terminal.type("totals", *YEAR, "--format", "json").out)
    assert all(row["total_kg"] > 0.2 * 850 for row in totals["rows"])
    assert terminal.type("totals", *YEAR, "--strict").code == 0


def test_flights_of_brussels_and_luxembourg_have_their_kilometres(terminal: Terminal) -> None:
    terminal.type("submit", terminal.file("brussels.csv", BRUSSELS), *PLANE)
    totals = json.loads(terminal.type("totals", *YEAR, "--format", "json").out)
    kilograms = {row["unit"]: row["total_kg"] for row in totals["rows"]}
    assert kilograms["U1"] == pytest.approx(0.2 * 158, abs=0.2)
    assert kilograms["U2"] == pytest.approx(0.2 * 174, abs=0.2)


def test_a_gap_between_bands_is_a_warning(terminal: Terminal) -> None:
    gap = ("--type", "plane", "--year", "2025")
    units = terminal.type("load", "units", terminal.file("units.csv", UNITS), "--year", "2025")
    assert units.code == 0, units
    loaded = terminal.type("load", "factors", terminal.file("gap.csv", GAP), *gap)
    assert loaded.code == 0
    assert "SUCCESS with warnings" in loaded.out
    said = "row 2, min_distance: no factor of economy for 3,699 to 3,700 km"
    assert f"1 row with a warning; the first: {said}." in loaded.err
    detours = terminal.type("load", "factors", terminal.file("detours.csv", DETOURS), *gap)
    said = "row 2, detour_km: no factor of economy for great circles of 705 to 800 km: detour_km is"
    assert f"1 row with a warning; the first: {said}" in detours.err


def test_flights_at_the_factors_of_the_uk_come_to_what_is_published(terminal: Terminal) -> None:
    of_2019 = ("--type", "plane", "--year", "2019")
    units = terminal.type("load", "units", terminal.file("units.csv", UNITS), "--year", "2019")
    assert units.code == 0, units
    factors = terminal.type("load", "factors", terminal.file("uk.csv", UK_2019), *of_2019)
    assert factors.code == 0, factors
    terminal.type("submit", terminal.file("of_2019.csv", OF_2019), *of_2019)
    totals = json.loads(terminal.type("totals", "--year", "2019", "--format", "json").out)
    kilograms = {row["unit"]: row["total_kg"] for row in totals["rows"]}
    # As the R package footprint publishes them.
    assert kilograms["U1"] == pytest.approx(1312.7, rel=0.005)
    assert kilograms["U2"] == pytest.approx(136.7, rel=0.005)


def test_a_trip_that_ends_where_it_began_counts_and_is_a_warning(terminal: Terminal) -> None:
    submitted = terminal.type("submit", terminal.file("same.csv", SAME), *PLANE, "--source", "b")
    assert submitted.code == 0, submitted
    assert "SUCCESS with warnings" in submitted.out
    said = "row 1, destination_iata: is the same place as origin_iata: is that correct?"
    assert f"1 row with a warning; the first: {said}" in submitted.err
