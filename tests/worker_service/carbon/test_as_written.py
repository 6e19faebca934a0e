"""Values of noted rows stand as the file writes them, and nothing else of a note changes."""

import polars as pl

from worker_service.carbon.parse.as_written import as_written

TEXTS = pl.DataFrame(
    {
        "row_number": [1, 2, 3],
        "iata": [" GVA", "Zürich HB", "x\ty"],
        "class": ["Economy", None, "first"],
        "trips": ["1.000", "2", "3"],
    },
    schema_overrides={"row_number": pl.Int32},
)


def noted(*rows: tuple[int, str, str]) -> pl.DataFrame:
    given = [(row, column, value, "why") for row, column, value in rows]
    return pl.DataFrame(given, ["row", "column", "value", "reason"], orient="row")


def values(*rows: tuple[int, str, str]) -> list[str]:
    return as_written(noted(*rows), TEXTS)["value"].to_list()


def test_keys_are_said_as_they_are_written() -> None:
    assert values((1, "iata", "gva"), (2, "iata", "zürich hb")) == ["GVA", "Zürich HB"]


def test_several_columns_in_one_are_said_as_they_are_written() -> None:
    rows = ((1, "iata, class", "gva, economy"), (2, "iata, class", "zürich hb, "))
    assert values(*rows) == ["GVA, Economy", "Zürich HB, "]


def test_a_value_that_is_not_the_key_of_the_text_stays() -> None:
    rows = ((1, "trips", "1000"), (2, "", ""), (3, "elsewhere", "abc"), (9, "iata", "gva"))
    assert values(*rows) == ["1000", "", "abc", "gva"]


def test_what_cannot_be_shown_is_escaped() -> None:
    [value] = values((3, "iata", r"x\ty"))
    assert value == r"x\ty"


def test_notes_come_in_the_order_of_the_file_with_their_reasons() -> None:
    told = as_written(noted((3, "class", "first"), (1, "iata", "gva"), (2, "trips", "2")), TEXTS)
    assert told["row"].to_list() == [1, 2, 3]
    assert told["reason"].to_list() == ["why"] * 3
    assert as_written(noted((1, "iata", "gva")).clear(), TEXTS).is_empty()
