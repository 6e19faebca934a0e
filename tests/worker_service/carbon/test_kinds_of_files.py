"""A file that was given for another one is called what it is."""

import pytest

from worker_service.carbon.kinds_of_files import kind_of_file

TRIP = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,note"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (TRIP, "plane entries: carbonline submit --type plane"),
        (
            "category,cabin_class,ef_kg_co2eq_per_km",
            "plane factors: carbonline load factors --type plane",
        ),
        ("unit_institutional_id,name,faculty", "units: carbonline load units"),
        ("iata,latitude,longitude", "places: carbonline load locations"),
        ("name,country,latitude,longitude", "places: carbonline load locations"),
    ],
)
def test_it_is_named_with_its_command(header: str, said: str) -> None:
    assert kind_of_file(header.split(",")) == f"These are the columns of {said}."


@pytest.mark.parametrize("header", ["", "origin,destination", "name", "iata,latitude"])
def test_columns_of_no_kind_have_no_name(header: str) -> None:
    assert kind_of_file(header.split(",")) == ""
