"""Names of columns that nobody declared: which one was meant, where that is sure."""

from collections.abc import Sequence

import pytest

from worker_service.carbon.catalogue import declaration
from worker_service.carbon.csv_source.foreign_names import FOREIGN_NAMES
from worker_service.carbon.csv_source.near_names import UnreadColumn, near_name
from worker_service.carbon.declarations import Column
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS, UNIT_COLUMNS
from worker_service.carbon.reference_kinds import RATES

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


PLANES = declaration(20)


def test_kilometres_alone_mean_the_one_column_of_kilometres() -> None:
    assert near_name("km", [column.name for column in entry_columns(PLANES, per_year=True)]) == (
        "distance_km"
    )
    factors = (*PLANES.factors.classification, *PLANES.factors.values)
    assert near_name("km", [column.name for column in factors]) in {"detour_km", ""}


FILES = {
    "units": UNIT_COLUMNS,
    "places": LOCATION_COLUMNS["plane"],
    "entries": entry_columns(PLANES, per_year=True),
    "factors": (*PLANES.factors.classification, *PLANES.factors.values),
    "rates": RATES.columns,
}


@pytest.mark.parametrize(
    ("file", "name", "meant"),
    [
        ("units", "nmae", "name"),
        ("units", "naem", "name"),
        ("units", "unit_name", "name"),
        ("units", "nom", "name"),
        ("units", "bezeichnung", "name"),
        ("units", "unit", "unit_institutional_id"),
        ("units", "code unité", "unit_institutional_id"),
        ("units", "kostenstelle", "unit_institutional_id"),
        ("units", "parent", "parent_unit_id"),
        ("units", "unité supérieure", "parent_unit_id"),
        ("units", "floor", ""),
        ("places", "iata_code", "iata"),
        ("places", "aita", "iata"),
        ("places", "code", "iata"),
        ("places", "lat", "latitude"),
        ("places", "lng", "longitude"),
        ("places", "breitengrad", "latitude"),
        ("places", "country_code", "country"),
        ("places", "pays", "country"),
        ("places", "elevation", ""),
        ("entries", "aéroport de départ", "origin_iata"),
        ("entries", "travel class", "cabin_class"),
        ("entries", "anzahl", "number_of_trips"),
        ("entries", "kostenstelle", "unit_institutional_id"),
        ("entries", "price", ""),
        ("factors", "emission factor", "ef_kg_co2eq_per_km"),
        ("factors", "kategorie", "category"),
        ("factors", "source", ""),
    ],
)
def test_every_kind_of_file_is_told_what_may_be_meant(file: str, name: str, meant: str) -> None:
    assert near_name(name, [column.name for column in FILES[file]]) == meant


@pytest.mark.parametrize("file", FILES)
def test_a_foreign_name_means_one_column_of_a_file(file: str) -> None:
    columns: Sequence[Column] = FILES[file]
    names = [name for column in columns for name in FOREIGN_NAMES.get(column.name, ())]
    assert len(names) == len(set(names))
    assert not set(names) & {column.name for column in columns}


def test_foreign_names_are_of_columns_that_are_declared() -> None:
    assert set(FOREIGN_NAMES) <= {column.name for columns in FILES.values() for column in columns}


def test_an_unread_column_says_what_may_be_meant() -> None:
    assert str(UnreadColumn("rfi", "rfi_adjustment")) == "rfi (did you mean rfi_adjustment?)"
    alike = "number_\u043ef_trips"
    assert str(UnreadColumn(alike, near_name(alike, PLANE))) == (
        f"{alike} (did you mean number_of_trips? It has U+043E CYRILLIC SMALL LETTER O)"
    )
    assert str(UnreadColumn("airline")) == "airline"
