"""A place of a file is held against where it is in force, and where anybody can look it up."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import AIRPORTS, locations_of, opening
from worker_service.carbon.parse.moved_places import MovedPlaces, moved_places
from worker_service.carbon.parse.references import read_locations
from worker_service.carbon.shipped_places import PLACES, shipped_places

NOWHERE = pl.DataFrame(schema=PLACES)
Degrees = Sequence[float]


def moved(
    file: Mapping[str, Degrees], in_force: Mapping[str, Degrees], shipped: pl.DataFrame = NOWHERE
) -> MovedPlaces:
    there = locations_of(in_force) if in_force else NOWHERE
    return moved_places(locations_of(file), there, shipped, "iata")


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (
            (6.109, 46.2381),
            "GVA lies 5,8.. km .*46.2381, 6.109.: latitude and longitude look swapped$",
        ),
        ((46.2381, -6.109), "the sign of its longitude looks wrong$"),
        ((-46.2381, 6.109), "the sign of its latitude looks wrong$"),
        ((-46.2381, -6.109), "the signs of both look wrong$"),
        ((46.8, 6.109), "GVA lies 62 km from where it is now .46.2381, 6.109.: is that correct.$"),
        ((0, 0), "^GVA lies at 0, 0, where no place is: are its degrees missing.$"),
    ],
)
def test_a_place_that_moves_far_is_warned_of_with_what_was_probably_done(
    at: Degrees, reason: str
) -> None:
    found = moved({"CDG": AIRPORTS["CDG"], "GVA": at}, AIRPORTS).warnings
    assert found.select("row", "column", "value").rows() == [(2, "iata", "GVA")]
    assert found["reason"].str.contains(reason).all(), found["reason"].to_list()


def test_a_place_that_moves_a_little_is_not() -> None:
    assert moved({"GVA": (46.6, 6.109), "NEW": (1, 2)}, AIRPORTS).warnings.is_empty()


def test_a_place_at_nought_is_warned_of_though_nobody_knows_it() -> None:
    assert moved({"XXX": (0, 0), "YYY": (0, 1)}, {}).warnings["value"].to_list() == ["XXX"]


def test_a_new_place_is_held_against_the_airports_that_anybody_knows() -> None:
    file = {"NRT": (35.7647, 140.3864), "ZRH": (8.5492, 47.4647)}
    [warned] = moved(file, {}, shipped_places("plane")).warnings.to_dicts()
    assert warned["value"] == "ZRH"
    assert "from where the package airportsdata has it (47." in warned["reason"]
    assert warned["reason"].endswith(": latitude and longitude look swapped")


def test_a_wrong_place_that_is_in_force_already_is_warned_of_again() -> None:
    swapped = {"ZRH": (8.5492, 47.4647)}
    found = moved(swapped, swapped, shipped_places("plane"))
    assert found.warnings["value"].to_list() == ["ZRH"]
    assert found.swapped == 1


def test_a_correction_is_told_to_be_one() -> None:
    right, swapped = {"ZRH": (47.4647, 8.5492)}, {"ZRH": (8.5492, 47.4647)}
    [warned] = moved(right, swapped, shipped_places("plane")).warnings.to_dicts()
    assert "from where it is now (8.5492, 47.4647)" in warned["reason"]
    assert warned["reason"].endswith(": the package airportsdata has it here, too")


def test_those_that_look_swapped_are_counted() -> None:
    file = {code: (at[1], at[0]) for code, at in AIRPORTS.items()}
    found = moved({**file, "XXX": (0, 0)}, {**AIRPORTS, "XXX": (50, 50)})
    assert (found.warnings.height, found.swapped) == (4, 3)


@pytest.mark.parametrize(
    ("degrees", "hint"),
    [
        ("140.3864,35.7647", "must be from -90 to 90; latitude and longitude look swapped"),
        ("-122.4,37.6", "must be from -90 to 90; latitude and longitude look swapped"),
        ("462381,6.1", "must be from -90 to 90"),
        ("46.2,190", "must be from -180 to 180"),
    ],
)
def test_a_latitude_that_is_none_may_be_a_longitude(degrees: str, hint: str) -> None:
    rejected = read_locations(
        "plane", opening(f"iata,latitude,longitude\nNRT,{degrees}\n")
    ).rejected
    assert rejected["reason"].to_list() == [hint]


def test_nobody_ships_stations() -> None:
    assert shipped_places("train").is_empty()
