"""Names of columns that nobody declared: which one was meant, where that is sure."""

import pytest

from worker_service.carbon.csv_source.near_names import UnreadColumn, near_name

PLANE = (
    "origin_iata",
    "destination_iata",
    "departure_date",
    "number_of_trips",
    "kg_co2eq",
    "note",
    "rfi_adjustment",
    "min_distance",
    "max_distance",
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("number_of_trip", "number_of_trips"),
        ("number of trips", "number_of_trips"),
        ("numberoftrips", "number_of_trips"),
        ("number-of-trips ", "number_of_trips"),
        ("nubmer_of_trips", "number_of_trips"),
        ("kg_co2e", "kg_co2eq"),
        ("kgco2eq", "kg_co2eq"),
        ("rfi", "rfi_adjustment"),
        ("date", "departure_date"),
        ("trips", "number_of_trips"),
        ("dep", "departure_date"),
        # Two columns may be meant, so none is named.
        ("iata", ""),
        ("distance", ""),
        ("airline", ""),
        ("x", ""),
        ("()", ""),
        ("", ""),
    ],
)
def test_a_name_is_told_only_where_it_is_sure(name: str, meant: str) -> None:
    assert near_name(name, PLANE) == meant


def test_an_unread_column_says_what_may_be_meant() -> None:
    assert str(UnreadColumn("rfi", "rfi_adjustment")) == "rfi (did you mean rfi_adjustment?)"
    assert str(UnreadColumn("airline")) == "airline"
