"""Files of places and of units."""

import pytest

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.parse.references import read_locations, read_units


def test_locations_are_read_by_normalised_code() -> None:
    content = (
        "iata,name,country,latitude,longitude,city\n"
        "GVA,Geneva,CH,46.2,6.1,x\ngva,Genève,CH,46.3,6.2,x\n"
        "XXX,,,90.5,-181,x\n,,CH,1,1,x\nYYY,,,1,2,x\n"
    )
    table = read_locations("plane", opening(content))
    assert table.accepted.rows() == [
        (2, "plane", "gva", "Genève", "CH", 46.3, 6.2),
        (5, "plane", "yyy", None, None, 1.0, 2.0),
    ]
    assert table.rejected.select("row", "column").rows() == [
        (3, "latitude"),
        (3, "longitude"),
        (4, "iata"),
    ]
    assert table.warnings["row"].to_list() == [1]
    assert [str(column) for column in table.unread_columns] == ["city"]


def test_locations_of_another_shape_are_refused_by_the_names_that_lack() -> None:
    with pytest.raises(RefusedFile, match="lacks the columns latitude, longitude; it has: iata"):
        read_locations("plane", opening("iata,lat,lon\nGVA,1,2\n"))


def test_units_keep_their_spelling_and_are_one_unit_in_any_case() -> None:
    content = "unit_institutional_id;name\naa;A\n0828;Physics\nAA;B\n;c\n"
    table = read_units(opening(content))
    assert table.accepted.rows() == [(2, "0828", "Physics", None), (3, "AA", "B", None)]
    assert table.warnings.select("row", "value").rows() == [(1, "aa")]
    assert table.rejected.select("row", "column").rows() == [(4, "unit_institutional_id")]


@pytest.mark.parametrize("code", ["GENEVA", "GV", "G1A", "ÄÖÜ"])
def test_a_code_that_is_not_of_three_letters_is_warned_of(code: str) -> None:
    text = f"iata,latitude,longitude\ngva,46,6\n{code},46,6\n"
    places = read_locations("plane", opening(text))
    assert places.accepted.height == 2
    assert places.warnings.rows() == [
        (2, "iata", code, "is not an IATA code, which has three letters: is the column right?")
    ]


def test_a_place_under_the_code_of_a_city_is_warned_of_with_its_airports() -> None:
    text = "iata,latitude,longitude\nLON,51.5,-0.1\nLHR,51.47,-0.45\nnyc,40.7,-74\nSXF,52.4,13.5\n"
    places = read_locations("plane", opening(text))
    assert places.accepted.height == 4
    assert [(row, value) for row, _, value, _ in places.warnings.rows()] == [(1, "LON"), (3, "NYC")]
    assert places.warnings["reason"][1] == (
        "is the code of a city (EWR, JFK, LGA), and flights that name it will count from here: is"
        " that meant?"
    )


def test_stations_of_one_name_and_country_are_one_within_two_kilometres_and_else_apart() -> None:
    text = (
        "name,country,latitude,longitude\n"
        "Paris Nord,FR,48.8809,2.3553\n"
        "paris nord,fr,48.8845,2.3590\n"
        "Frankfurt,DE,50.1071,8.6638\n"
        "Frankfurt,DE,52.3420,14.5500\n"
        "Frankfurt,,52.3420,14.5500\n"
        "St Pancras,GB,51.5322,-0.1276\n"
        "St Pancras,GB,51.5322,-0.1276\n"
    )
    read = read_locations("train", opening(text))
    assert read.accepted.select("row_number", "code").rows() == [
        (1, "paris nord, fr"),
        (3, "frankfurt, de"),
        (4, "frankfurt, de @ 52.342 14.55"),
        (7, "st pancras, gb"),
    ]
    assert read.rejected.select("row", "column").rows() == [(5, "country")]
    assert read.warnings.rows() == [
        (
            4,
            "name",
            "Frankfurt",
            (
                "lies 479 km from the station of the same name and country in row 3: trips that"
                " name it have no kilograms until the two have different names"
            ),
        ),
        (
            6,
            "name, country, latitude, longitude",
            "St Pancras, GB, 51.5322, -0.1276",
            "row 7 repeats it and is the one that counts",
        ),
    ]
