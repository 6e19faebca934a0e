"""Activity files: what is accepted, and the reason for everything that is not."""

import random
from collections.abc import Iterable, Mapping

import pytest

from tests.worker_service.carbon.plane_files import (
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
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse import equal_rows
from worker_service.carbon.parse.entries import EntryBatch, EntryScope, read_entries


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"unit_institutional_id": "9999"}, "unit_institutional_id", "is not a unit of the"),
        ({"unit_institutional_id": " "}, "unit_institutional_id", "is missing"),
        ({"origin_iata": ""}, "origin_iata", "is missing"),
        ({"user_institutional_id": ""}, "user_institutional_id", "is missing"),
        ({"origin_iata": "x" * 1_001}, "origin_iata", "is longer than 1,000 characters"),
        ({"cabin_class": ""}, "cabin_class", "is missing"),
        ({"cabin_class": "hammock"}, "cabin_class", "must be one of economy, premium_economy, "),
        ({"cabin_class": "F"}, "cabin_class", "write first"),
        ({"cabin_class": "Première"}, "cabin_class", "write first"),
        ({"number_of_trips": "0"}, "number_of_trips", "must be at least 1"),
        ({"number_of_trips": "-3"}, "number_of_trips", "must be at least 1"),
        ({"number_of_trips": "1.5"}, "number_of_trips", "must be a whole number, such as 2"),
        ({"number_of_trips": "2.05"}, "number_of_trips", "must be a whole number, such as 2"),
        ({"number_of_trips": "0,8"}, "number_of_trips", "must be a whole number, such as 2"),
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
        ({"kg_co2eq": "£5"}, "kg_co2eq", "has £ beside the number: write the number alone"),
        ({"kg_co2eq": "-£5"}, "kg_co2eq", "has £ beside the number: write the number alone"),
        ({"kg_co2eq": "1'000.- CHF"}, "kg_co2eq", "is not a number"),
        ({"kg_co2eq": "1'000 kg"}, "kg_co2eq", "has kg beside the number: write the number alone"),
        ({"kg_co2eq": "5 %"}, "kg_co2eq", "has % beside the number: write the number alone"),
        ({"number_of_trips": "2x"}, "number_of_trips", "has x beside the number"),
        ({"kg_co2eq": "nan"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "inf"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "1e400"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "1e16"}, "kg_co2eq", "is not a"),
        ({"kg_co2eq": "-1"}, "kg_co2eq", "must be at least 0"),
        ({"departure_date": "31.03.2024"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2024-3-1"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2024-02-30"}, "departure_date", "must be a date like 2024-03-31"),
        ({"departure_date": "2025-01-01"}, "departure_date", "lies outside the year 2024"),
        ({"departure_date": "2025-01-01 00:00"}, "departure_date", "lies outside the year 2024"),
        ({"departure_date": "2024-03-31 22:00:00Z"}, "departure_date", "leave the time out"),
        ({"departure_date": "2024-03-31T08:15"}, "departure_date", "leave the time out"),
        ({"departure_date": "2024-02-30 00:00:00"}, "departure_date", "must be a date like"),
    ],
)
def test_a_bad_field_is_a_row_error(changed: Mapping[str, str], column: str, reason: str) -> None:
    batch = parsed([{**GOOD, **changed}])
    assert batch.accepted.is_empty()
    [rejected] = batch.rejected.to_dicts()
    assert (rejected["row"], rejected["column"]) == (1, column)
    assert reason in rejected["reason"]
    assert rejected["value"].removesuffix("…") in shown_text(changed.get(column, ""))


@pytest.mark.parametrize("word", ["Total", " TOTAL: ", "Grand total", "Summe", "Total général"])
def test_a_total_row_has_one_reason(word: str) -> None:
    total = {"unit_institutional_id": word, "number_of_trips": "13"}
    [rejected] = parsed([GOOD, total]).rejected.to_dicts()
    assert (rejected["row"], rejected["value"]) == (2, shown_text(word))
    assert rejected["reason"] == "looks like a total row: delete it"


def test_a_flight_to_an_airport_whose_code_is_a_word_for_a_total_keeps_its_reasons() -> None:
    [rejected] = parsed([{**GOOD, "origin_iata": "SUM", "cabin_class": ""}]).rejected.to_dicts()
    assert (rejected["column"], rejected["reason"]) == ("cabin_class", "is missing")


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
        "distance_km": None,
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
    [batch, _] = batches_of(csv_of(columns, [unnamed]), scope)
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
    with pytest.raises(RefusedFile, match="lacks the column unit_institutional_id"):
        batches_of(csv_of(columns, [unnamed]))


def test_unknown_columns_are_named_and_never_stored() -> None:
    content = csv_of([*COLUMNS, "Airline"], [{**GOOD, "Airline": "LX"}])
    file = read_entries(PLANE, opening(content), SCOPE)
    assert [str(column) for column in file.unread_columns] == ["Airline"]
    stored = next(file.batches).accepted.columns
    assert "airline" not in map(str.casefold, stored)


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


def warned_of(
    rows: Iterable[Mapping[str, object]],
) -> tuple[list[tuple[int, str, str]], EntryBatch]:
    """Row, column and reason of every warning of a file, and its last batch."""
    batches = batches_of(csv_of(COLUMNS, rows))
    said = [
        row for batch in batches for row in batch.warned.select("row", "column", "reason").rows()
    ]
    return said, batches[-1]


def test_an_implausible_number_is_accepted_with_a_warning() -> None:
    rows = [{**GOOD, "number_of_trips": trips} for trips in (1_000, 104_523, 1_000_000)]
    batch = parsed(rows)
    more = "in one row is more than 1,000: is that correct?"
    assert batch.accepted["number_of_trips"].to_list() == [1_000, 104_523, 1_000_000]
    assert batch.warned.rows() == [
        (2, "number_of_trips", "104523", f"104,523 trips {more}"),
        (3, "number_of_trips", "1000000", f"1,000,000 trips {more}"),
    ]
    assert batch.warned_rows == 2


def test_a_trip_that_ends_where_it_began_is_warned_of_with_a_distance_too() -> None:
    same = {**GOOD, "origin_iata": "GVA", "destination_iata": "gva "}
    said, _ = warned_of([GOOD, same, {**same, "distance_km": 40}, {**same, "kg_co2eq": 1}])
    assert said == [
        (2, "destination_iata", "is the same place as origin_iata: is that correct?"),
        (
            *(3, "destination_iata"),
            "is the same place as origin_iata: is distance_km that of a round trip?",
        ),
        (4, "destination_iata", "is the same place as origin_iata: is that correct?"),
    ]


def test_dated_rows_that_are_equal_to_the_letter_are_warned_of() -> None:
    monday, tuesday = ({**GOOD, "departure_date": f"2024-03-{day}"} for day in (25, 26))
    said, last = warned_of([monday, tuesday, {**monday, "note": "x"}, monday, GOOD, monday])
    assert said == [
        (4, "", "is identical to row 1: a duplicate?"),
        (6, "", "is identical to row 1: a duplicate?"),
    ]
    assert (last.warned_rows, last.remarks, last.accepted.height) == (2, (), 0)


def test_equal_rows_without_a_date_may_be_two_trips_and_are_only_said() -> None:
    others = [{**GOOD, "user_institutional_id": user} for user in range(4)]
    said, last = warned_of([*others, others[2], others[3]])
    assert (said, last.warned_rows) == ([], 0)
    [remark] = last.remarks
    assert remark == (
        "2 rows without a date equal an earlier row and still count; the first: row 5, as row 3."
    )


def test_a_file_that_was_pasted_below_itself_is_warned_of_without_dates_too() -> None:
    others = [{**GOOD, "user_institutional_id": user} for user in range(4)]
    said, last = warned_of([*others, *others])
    assert [row for row, *_ in said] == [5, 6, 7, 8]
    assert last.remarks == ()


def test_a_file_with_every_row_twice_is_warned_of_in_any_order() -> None:
    others = [{**GOOD, "user_institutional_id": user} for user in range(4)]
    said, last = warned_of([row for row in others for _ in range(2)])
    assert ([row for row, *_ in said], last.remarks) == ([2, 4, 6, 8], ())


def test_it_is_warned_of_beside_new_rows_too() -> None:
    others = [{**GOOD, "user_institutional_id": user} for user in range(2)]
    said, last = warned_of([*others, *others, {**GOOD, "user_institutional_id": "new"}])
    assert ([row for row, *_ in said], last.remarks) == ([3, 4], ())


@pytest.mark.parametrize("between", [0, 7])
def test_a_block_that_was_pasted_into_a_long_file_is_warned_of(between: int) -> None:
    users = range(12_000)
    rows = [{**GOOD, "user_institutional_id": user} for user in users]
    block, other = rows[100:200], [{**GOOD, "user_institutional_id": "new"}] * between
    batches = batches_of(csv_of(COLUMNS, [*rows[:200], *other, *block, *rows[200:], rows[5]]))
    first = 200 + between + 1
    listed = [row for batch in batches for row in batch.warned["row"]]
    assert listed == list(range(first, first + 100))
    assert batches[-1].remarks[0].startswith(f"{max(between - 1, 0) + 1:,} row")


def test_return_trips_in_the_same_order_are_no_paste() -> None:
    there, back = GOOD, {**GOOD, "origin_iata": "CDG", "destination_iata": "GVA"}
    others = [{**GOOD, "user_institutional_id": user} for user in range(50, 60)]
    said, last = warned_of([there, back, *others, there, back, there, back])
    assert (said, len(last.remarks)) == ([], 1)


def test_rows_that_differ_in_a_column_that_is_not_read_are_not_equal() -> None:
    dated = {**GOOD, "departure_date": "2024-03-25"}
    rows = [{**dated, "booking": number} for number in (1, 2, 2)]
    batches = batches_of(csv_of([*COLUMNS, "booking"], rows))
    assert batches[-1].warned["row"].to_list() == [3]


def test_equal_rows_are_found_however_their_blocks_were_read() -> None:
    dated = {**GOOD, "departure_date": "2024-03-25", "note": "trip"}
    rows = [{**dated, "user_institutional_id": user} for user in range(13_000)]
    text = csv_of(COLUMNS, [*rows, rows[7], rows[8]])
    # A quote inside a field sends its block through the csv module.
    batches = batches_of(text.replace(",9,economy", ',9" ,economy'))
    assert batches[-1].warned.select("row", "reason").rows()[0] == (
        13_001,
        "is identical to row 8: a duplicate?",
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_short_file_is_compared_as_a_long_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    kinds = [{**GOOD, "user_institutional_id": user} for user in range(chance.randint(1, 40))]
    rows = chance.choices(kinds, k=chance.randint(0, 30))
    if chance.random() < 0.5:
        rows += [
            {**row, "departure_date": "2024-03-25"} for row in chance.choices(rows or kinds, k=9)
        ]
    if chance.random() < 0.5:
        rows += rows
    short = warned_of(rows or kinds)
    monkeypatch.setattr(equal_rows, "_SHORT_ROWS_MAX", -1)
    monkeypatch.setattr(equal_rows, "_SOME_PARTS", equal_rows._PARTS)
    long = warned_of(rows or kinds)
    assert short[0] == long[0]
    assert short[1].remarks == long[1].remarks
    assert short[1].warned_rows == long[1].warned_rows


def test_a_row_with_two_warnings_is_counted_once() -> None:
    row = {**GOOD, "departure_date": "2024-03-25", "number_of_trips": 5_000}
    batches = batches_of(csv_of(COLUMNS, [row, row]))
    assert sum(batch.warned.height for batch in batches) == 3
    assert sum(batch.warned_rows for batch in batches) == 2


def test_more_rows_than_are_compared_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_rows, "COMPARED_ROWS_MAX", 2)
    dated = {**GOOD, "departure_date": "2024-03-25"}
    said, last = warned_of([dated, dated, dated])
    assert [row for row, *_ in said] == [2]
    assert last.remarks == ("Only the first 2 rows were compared with each other.",)


def test_a_column_without_a_name_is_told_where_it_says_something() -> None:
    text = csv_of([*COLUMNS, "x", "y"], [GOOD, {**GOOD, "y": "said"}]).replace("x,y", " ,")
    file = read_entries(PLANE, opening(text), SCOPE)
    assert sum(batch.accepted.height for batch in file.batches) == 2
    [unread] = file.unread_columns
    assert str(unread) == f"column {len(COLUMNS) + 2} (it has no name)"


def test_implausible_kilograms_of_ones_own_are_warned_of() -> None:
    [warned] = parsed([{**GOOD, "kg_co2eq": "1000000000000"}]).warned.to_dicts()
    assert warned["column"] == "kg_co2eq"
    assert warned["reason"] == (
        "1,000,000,000,000 kg in one row is more than 10,000,000: is that correct?"
    )


def test_a_file_whose_every_row_ends_with_a_separator_is_read_whole() -> None:
    header, row = csv_of(COLUMNS, [GOOD]).splitlines(keepends=True)
    batches = batches_of(header + row.replace("\n", ",\n") * 30_000)
    assert sum(batch.accepted.height for batch in batches) == 30_000
    assert all(batch.rejected.is_empty() for batch in batches)
