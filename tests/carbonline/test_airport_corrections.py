"""The airports that the product ships lie where the states publish them.

aerodromes.csv: aerodrome reference points in degrees, minutes and seconds, named by the state whose
AIP (part AD 2.2; the FAA's airport data for the United States) publishes them. They were
written down apart from the package and held against OurAirports: it has each of them within 2.5 km.
"""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

import airportsdata
import pytest

from carbonline.airport_corrections import CORRECTIONS, corrections_sentence
from carbonline.client.airports import airport_rows

AERODROMES = Path(__file__).with_name("aerodromes.csv")
TOLERANCE_KM = 3
Places = Mapping[str, tuple[float, float]]


@pytest.fixture
async def shipped() -> Places:
    text = b"".join([chunk async for chunk in airport_rows()]).decode()
    rows = csv.DictReader(io.StringIO(text))
    return {row["iata"]: (float(row["latitude"]), float(row["longitude"])) for row in rows}


@pytest.fixture
def packaged() -> Places:
    airports = airportsdata.load("IATA").items()
    return {code: (airport["lat"], airport["lon"]) for code, airport in airports}


def aerodromes() -> Places:
    with AERODROMES.open(newline="") as file:
        points = {
            row["iata"]: row["aerodrome_reference_point"].split() for row in csv.DictReader(file)
        }
    return {code: (degrees(point[0]), degrees(point[1])) for code, point in points.items()}


def degrees(written: str) -> float:
    """505405N -> 50.9014."""
    whole, minutes, seconds = int(written[:-5]), int(written[-5:-3]), int(written[-3:-1])
    return (whole + minutes / 60 + seconds / 3600) * (-1 if written[-1] in "SW" else 1)


def km(one: tuple[float, float], other: tuple[float, float]) -> float:
    (phi1, lambda1), (phi2, lambda2) = (map(math.radians, place) for place in (one, other))
    cosine = math.sin(phi1) * math.sin(phi2)
    cosine += math.cos(phi1) * math.cos(phi2) * math.cos(lambda2 - lambda1)
    return 6371.0088 * math.acos(min(1.0, cosine))


def far_off(places: Places) -> list[str]:
    return [code for code, at in aerodromes().items() if km(places[code], at) > TOLERANCE_KM]


def test_what_is_shipped_lies_where_the_states_publish_it(shipped: Places) -> None:
    assert len(aerodromes()) > 70
    assert far_off(shipped) == []


def test_the_list_would_notice_what_is_wrong_in_the_package(packaged: Places) -> None:
    wrong = ["BRU", "LUX", "LGG", "CRL", "OST", "KJK", "ANR", "ISG", "KMG", "NMI"]
    assert far_off(packaged) == wrong


@pytest.mark.parametrize(
    ("origin", "destination", "expected"), [("BRU", "AMS", 158), ("LUX", "FRA", 174)]
)
def test_flights_of_brussels_and_luxembourg_are_as_long_as_they_are(
    shipped: Places, origin: str, destination: str, expected: float
) -> None:
    assert km(shipped[origin], shipped[destination]) == pytest.approx(expected, abs=1)


def test_each_correction_is_still_needed(packaged: Places, shipped: Places) -> None:
    for code, correction in CORRECTIONS.items():
        right = (correction.latitude, correction.longitude)
        assert shipped[code] == right
        assert km(packaged[code], right) > TOLERANCE_KM, f"the package has mended {code}"


def test_the_rest_is_as_the_package_has_it(packaged: Places, shipped: Places) -> None:
    assert shipped.keys() == packaged.keys()
    assert {code for code in shipped if shipped[code] != packaged[code]} == set(CORRECTIONS)


def test_seconds_read_as_decimals_are_those_of_the_package(packaged: Places) -> None:
    misread = {c: one for c, one in CORRECTIONS.items() if "read as decimals" in one.reason}
    assert len(misread) == 8
    for code, one in misread.items():
        at = tuple(sexagesimal(decimal) for decimal in packaged[code])
        assert km((at[0], at[1]), (one.latitude, one.longitude)) < 0.1, code


def sexagesimal(decimal: float) -> float:
    """50.5405 -> 50 degrees 54 minutes 05 seconds."""
    minutes = round((decimal % 1) * 100, 6)
    return decimal // 1 + (minutes // 1) / 60 + (minutes % 1) * 100 / 3600


async def test_an_airport_that_has_moved_has_the_newer_ones_name() -> None:
    text = b"".join([chunk async for chunk in airport_rows()]).decode()
    names = {row["iata"]: row["name"] for row in csv.DictReader(io.StringIO(text))}
    assert names["KMG"] == "Kunming Changshui International Airport"
    assert names["BRU"] == "Brussels Airport"
    moved = {code for code, one in CORRECTIONS.items() if "moved" in one.reason}
    assert {code for code, one in CORRECTIONS.items() if one.name} == moved


def test_corrections_are_named() -> None:
    assert f"{len(CORRECTIONS)} airports" in corrections_sentence()
    assert "ANR, BRU, " in corrections_sentence()
