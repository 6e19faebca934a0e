"""Files of exchange rates and rooms, and what their rows are called."""

import json

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.reference_kinds import RATES, REFERENCE_KINDS, ROOMS


def test_a_rate_is_known_by_its_currency_and_year() -> None:
    text = "currency,year,units_per_eur\nCHF,2024,0.95\n chf ,2025,0.93\nUSD,2024,1.08\n"
    table = read_reference_rows(RATES, opening(text))
    assert table.rejected.is_empty()
    rows = [
        (row["key"], row["year"], json.loads(row["data"])["units_per_eur"])
        for row in table.accepted.to_dicts()
    ]
    assert rows == [
        ("chf, 2024", 2024, 0.95),
        ("chf, 2025", 2025, 0.93),
        ("usd, 2024", 2024, 1.08),
    ]


def test_of_two_rates_of_a_year_the_last_counts_and_the_other_is_told() -> None:
    text = "currency,year,units_per_eur\nCHF,2024,0.95\nchf,2024,0.96\n"
    table = read_reference_rows(RATES, opening(text))
    assert [json.loads(data)["units_per_eur"] for data in table.accepted["data"]] == [0.96]
    assert table.warnings["row"].to_list() == [1]


def test_a_rate_of_nothing_or_of_the_euro_or_of_another_currency_is_rejected() -> None:
    text = (
        "currency,year,units_per_eur\nCHF,2024,0\nEUR,2024,0.95\nEUR,2025,1\nDKK,2024,7.45\n"
        'CHF,24,0.95\nUSD,2024,"1,08"\n'
    )
    table = read_reference_rows(RATES, opening(text))
    rejected = table.rejected.select("row", "column").rows()
    assert rejected == [
        (1, "units_per_eur"),
        (2, "units_per_eur"),
        (4, "currency"),
        (5, "year"),
        (6, "units_per_eur"),
    ]
    assert table.rejected["reason"][1] == (
        "must be 1 for EUR, since rates say how many units of a currency one euro is"
    )
    assert table.accepted["key"].to_list() == ["eur, 2025"]


def test_a_room_is_known_by_its_building_and_name_whatever_the_case() -> None:
    text = "building_name,room_name,surface_m2\nCE,CE 1 100,42.5\nce,ce 1 100,43\nCM,2,\n"
    table = read_reference_rows(ROOMS, opening(text))
    assert table.accepted["key"].to_list() == ["ce, ce 1 100", "cm, 2"]
    assert table.accepted["year"].to_list() == [None, None]
    assert [json.loads(data) for data in table.accepted["data"]] == [
        {"building_name": "ce", "room_name": "ce 1 100", "surface_m2": 43},
        {"building_name": "CM", "room_name": "2"},
    ]


def test_two_rooms_that_read_the_same_are_not_taken_for_one() -> None:
    text = 'building_name,room_name,surface_m2\n"A, B",C,10\nA,"B, C",20\n'
    table = read_reference_rows(ROOMS, opening(text))
    assert table.accepted["key"].to_list() == ["a, b, c"]
    assert table.rejected.rows() == [
        (
            2,
            "room_name",
            "B, C",
            "reads a, b, c with what is before it, as row 1 does: leave out a comma",
        )
    ]


def test_a_kind_identifies_rows_by_columns_that_it_has_and_needs() -> None:
    for name, kind in REFERENCE_KINDS.items():
        assert kind.name == name
        needed = [column.name for column in kind.columns if column.required]
        assert set(kind.identity) <= set(needed)
        assert kind.named_by
