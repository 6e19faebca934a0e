"""Activity files: what is accepted, and the reason for everything that is not."""

from collections.abc import Mapping

import pytest

from tests.unit.carbon.plane_files import (
    COLUMNS,
    GOOD,
    PLANE,
    SCOPE,
    YEAR,
    batches_of,
    csv_of,
    opening,
    parsed,
)
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.parse.entries import EntryScope, read_entries


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"unit_institutional_id": "9999"}, "unit_institutional_id", "is not a unit of the"),
        ({"unit_institutional_id": " "}, "unit_institutional_id", "is missing"),
        ({"origin_iata": ""}, "origin_iata", "is missing"),
        ({"user_institutional_id": ""}, "user_institutional_id", "is missing"),
        ({"origin_iata": "x" * 1_001}, "origin_iata", "is longer than 1,000 characters"),
        ({"cabin_class": ""}, "cabin_class", "is missing"),
        ({"cabin_class": "premium"}, "cabin_class", "must be one of economy, business, first"),
        ({"number_of_trips": "0"}, "number_of_trips", "must be at least 1"),
        ({"number_of_trips": "-3"}, "number_of_trips", "must be at least 1"),
        ({"number_of_trips": "1.5"}, "number_of_trips", "must be a whole number"),
        ({"number_of_trips": "1.0"}, "number_of_trips", "must be a whole number"),
        ({"number_of_trips": "0,8"}, "number_of_trips", "has a decimal comma: write 0.8"),
        ({"number_of_trips": "1'000"}, "number_of_trips", "thousands separator: write 1000"),
        ({"number_of_trips": "many"}, "number_of_trips", "is not a number"),
        ({"number_of_trips": "9" * 30}, "number_of_trips", "too large"),
        ({"number_of_trips": "9" * 17}, "number_of_trips", "too large"),
        ({"kg_co2eq": "0,8"}, "kg_co2eq", "has a decimal comma: write 0.8"),
        ({"kg_co2eq": "1.234,5"}, "kg_co2eq", "has a decimal comma: write 1234.5"),
        ({"kg_co2eq": "1'000"}, "kg_co2eq", "has a thousands separator: write 1000"),
        ({"kg_co2eq": "1\u2019000.5"}, "kg_co2eq", "has a thousands separator: write 1000.5"),
        ({"kg_co2eq": "1,000.50"}, "kg_co2eq", "has a thousands separator: write 1000.50"),
        ({"kg_co2eq": "1\u00a0000"}, "kg_co2eq", "has a thousands separator: write 1000"),
        ({"kg_co2eq": "£5"}, "kg_co2eq", "is not a number"),
        ({"kg_co2eq": "nan"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "inf"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "1e400"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "1e16"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "-1"}, "kg_co2eq", "must be at least 0"),
        ({"departure_date": "31.03.2024"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2024-3-1"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2024-02-30"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2025-01-01"}, "departure_date", "lies outside the year 2024"),
    ],
)
def test_a_bad_field_is_a_row_error(changed: Mapping[str, str], column: str, reason: str) -> None:
    batch = parsed([{**GOOD, **changed}])
    assert batch.accepted.is_empty()
    [rejected] = batch.rejected.to_dicts()
    assert (rejected["row"], rejected["column"]) == (1, column)
    assert reason in rejected["reason"]
    assert rejected["value"].removesuffix("…") in changed.get(column, "")


def test_a_row_is_normalised_and_typed() -> None:
    row = {
        **GOOD,
        "origin_iata": "  gVa\u00a0",
        "cabin_class": "Business",
        "user_institutional_id": " Ab1 ",
        "departure_date": "2024-02-29",
        "number_of_trips": " 2 ",
        "kg_co2eq": "0",
        "note": ' Said "so", twice ',
    }
    [accepted] = parsed([row]).accepted.to_dicts()
    assert accepted.pop("departure_date").isoformat() == "2024-02-29"
    assert accepted == {
        "row_number": 1,
        "unit": "0828",
        "origin_iata": "gva",
        "destination_iata": "cdg",
        "user_institutional_id": "Ab1",
        "cabin_class": "business",
        "number_of_trips": 2,
        "kg_co2eq": 0.0,
        "note": 'Said "so", twice',
    }


def test_a_unit_is_found_in_any_case_and_stored_as_the_institution_spells_it() -> None:
    scope = EntryScope(YEAR, ("Chem-É", "0828"))
    decomposed = "  CHEM-E\u0301"
    batch = parsed([{**GOOD, "unit_institutional_id": decomposed}], scope)
    assert batch.accepted["unit"].to_list() == ["Chem-É"]


def test_every_bad_field_of_a_row_is_told_and_the_row_is_counted_once() -> None:
    batch = parsed(
        [GOOD, {**GOOD, "origin_iata": "", "number_of_trips": 0, "unit_institutional_id": "?"}]
    )
    assert batch.rejected["row"].to_list() == [2, 2, 2]
    assert batch.rejected_rows == 1
    assert batch.accepted["row_number"].to_list() == [1]


def test_an_override_excuses_the_cabin_and_nothing_else() -> None:
    batch = parsed(
        [
            {**GOOD, "cabin_class": "Premium", "kg_co2eq": "150.5"},
            {**GOOD, "cabin_class": "", "kg_co2eq": "0"},
            {**GOOD, "cabin_class": "premium", "kg_co2eq": "0,8"},
            {**GOOD, "origin_iata": "", "kg_co2eq": "1"},
            {**GOOD, "cabin_class": "premium", "kg_co2eq": "-1"},
        ]
    )
    assert batch.accepted["cabin_class"].to_list() == ["premium", None]
    assert batch.rejected.select("row", "column").rows() == [
        (3, "cabin_class"),
        (3, "kg_co2eq"),
        (4, "origin_iata"),
        (5, "cabin_class"),
        (5, "kg_co2eq"),
    ]


def test_a_file_for_one_unit_need_not_name_it_and_may_not_name_another() -> None:
    scope = EntryScope(YEAR, SCOPE.units, unit="0828")
    columns = [name for name in COLUMNS if name != "unit_institutional_id"]
    unnamed = {name: value for name, value in GOOD.items() if name != "unit_institutional_id"}
    [batch] = batches_of(csv_of(columns, [unnamed]), scope)
    assert batch.accepted["unit"].to_list() == ["0828"]
    batch = parsed(
        [GOOD, {**GOOD, "unit_institutional_id": ""}, {**GOOD, "unit_institutional_id": "0829"}],
        scope,
    )
    assert batch.accepted["unit"].to_list() == ["0828", "0828"]
    [rejected] = batch.rejected.to_dicts()
    assert rejected["value"] == "0829"
    assert "another unit than 0828" in rejected["reason"]


def test_a_file_of_all_units_must_name_them() -> None:
    columns = [name for name in COLUMNS if name != "unit_institutional_id"]
    unnamed = {name: value for name, value in GOOD.items() if name != "unit_institutional_id"}
    with pytest.raises(RefusedFile, match="lacks the columns unit_institutional_id"):
        batches_of(csv_of(columns, [unnamed]))


def test_unknown_columns_are_named_and_never_stored() -> None:
    content = csv_of([*COLUMNS, "Airline"], [{**GOOD, "Airline": "LX"}])
    file = read_entries(PLANE, opening(content), SCOPE)
    assert file.unknown_columns == ("airline",)
    assert "airline" not in next(file.batches).accepted.columns


def test_long_values_are_cut_in_the_list_of_errors() -> None:
    [rejected] = parsed([{**GOOD, "cabin_class": "x" * 500}]).rejected.to_dicts()
    assert rejected["value"] == "x" * 80 + "…"


def test_nothing_good_is_an_empty_frame_with_the_same_columns() -> None:
    bad, good = parsed([{**GOOD, "number_of_trips": 0}]), parsed([GOOD])
    assert bad.accepted.is_empty()
    assert bad.accepted.schema == good.accepted.schema
    assert good.rejected.schema == bad.rejected.schema


def test_control_characters_of_a_value_are_shown_as_escapes() -> None:
    [rejected] = parsed([{**GOOD, "cabin_class": "a\x1b[31m\nb\u202ec"}]).rejected.to_dicts()
    assert rejected["value"] == "a\\x1b[31m\\nb\\u202ec"
