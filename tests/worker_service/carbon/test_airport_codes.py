"""Codes that are no airports: cities are answered with theirs, retired ones with successors."""

import csv
from importlib.resources import files

import airportsdata
import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import (
    AIRPORTS,
    ECONOMY,
    GOOD,
    PLANE,
    entries_of,
    factors_of,
    locations_of,
    parsed,
)
from worker_service.carbon.airport_codes import airport_hints
from worker_service.carbon.compute import Computed, compute

DETAIL_CHARS_MAX = 120
KHERSON = "KHE (Kherson International Airport) is retired: load its place or name another airport"


def codes() -> list[dict[str, str]]:
    text = files("worker_service.carbon").joinpath("airport_codes.csv").read_text()
    return list(csv.DictReader(text.splitlines()))


def flown(origin: str, destination: str, places: pl.DataFrame) -> Computed:
    rows = [{**GOOD, "origin_iata": origin, "destination_iata": destination}]
    return compute(
        PLANE, entries_of(parsed(rows).accepted), factors_of([ECONOMY]), {"locations": places}
    )


@pytest.mark.parametrize(
    ("origin", "destination", "detail"),
    [
        ("LON", "GVA", "LON is a city (LCY, LGW, LHR, ...): name the airport"),
        ("GVA", "nyc", "NYC is a city (EWR, JFK, LGA): name the airport"),
        ("SXF", "GVA", "SXF is retired: BER took its place"),
        ("GVA", "TSE", "TSE is retired: NQZ took its place"),
        ("GVA", "PFN", "PFN is retired: ECP took its place"),
        ("GVA", "DHA", "DHA is retired: DMM took its place"),
        ("GVA", "YXD", "YXD is retired: YEG took its place"),
        ("GVA", "FRU", "FRU is retired: BSZ took its place"),
        (
            "GVA",
            "KHE",
            KHERSON,
        ),
        ("XXX", "GVA", "unknown airport XXX"),
        (
            "PAR",
            "KIV",
            "PAR is a city (BVA, CDG, ORY): name the airport; KIV is retired: RMO took its place",
        ),
    ],
)
def test_a_code_that_is_not_an_airport_is_answered_and_nothing_is_computed(
    origin: str, destination: str, detail: str
) -> None:
    computed = flown(origin, destination, locations_of())
    assert computed.emissions.is_empty()
    assert computed.outcomes.select("outcome", "detail").rows() == [("unknown_place", detail)]


@pytest.mark.parametrize("code", ["SXF", "LON"])
def test_a_place_that_the_institution_loads_is_one(code: str) -> None:
    places = locations_of({**AIRPORTS, code: (48.0, 6.0)})
    computed = flown(code, "GVA", places)
    assert computed.outcomes["outcome"].to_list() == ["computed"]


def test_every_answer_is_short_and_there_once() -> None:
    hints = airport_hints()
    assert not hints["code"].is_duplicated().any()
    assert not hints["hint"].is_null().any()
    assert (hints["hint"].str.len_chars() <= DETAIL_CHARS_MAX).all()


def test_no_airport_of_today_is_called_something_else() -> None:
    airports = airportsdata.load("IATA")
    for row in codes():
        assert row["code"] not in airports
        assert row["kind"] in {"city", "retired"}
        assert set(row["airports"].split()) <= set(airports), row


def test_the_cities_of_the_package_are_all_there_with_their_airports() -> None:
    known = {row["code"]: set(row["airports"].split()) for row in codes() if row["kind"] == "city"}
    airports = airportsdata.load("IATA")
    for code, city in airportsdata.load_iata_macs().items():
        if code not in airports:
            assert set(city["airports"]) <= known[code]
