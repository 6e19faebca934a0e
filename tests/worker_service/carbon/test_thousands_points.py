"""1.500 may be fifteen hundred or one and a half: it is read as one and a half, and warned of."""

from collections.abc import Mapping, Sequence

import pytest

from tests.worker_service.carbon.plane_files import (
    COLUMNS,
    ECONOMY,
    FACTOR_COLUMNS,
    GOOD,
    PLANE,
    batches_of,
    csv_of,
    opening,
)
from worker_service.carbon.parse.entries import EntryBatch
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_locations


def kilograms(*written: str, separator: str = ",") -> EntryBatch:
    """The last batch of a file with these in kg_co2eq."""
    return flights(*({"kg_co2eq": kg} for kg in written), separator=separator)


def flights(*rows: Mapping[str, object], separator: str = ";") -> EntryBatch:
    """The last batch of a file, which has the warnings that need all of it."""
    good = [{**GOOD, "user_institutional_id": at, **row} for at, row in enumerate(rows)]
    return batches_of(separated(csv_of(COLUMNS, good), separator))[-1]


def separated(text: str, separator: str) -> str:
    """With another separator; numbers that hold commas stand in quotes, and keep them."""
    if separator == ",":
        return text
    outside = text.split('"')
    outside[::2] = [part.replace(",", separator) for part in outside[::2]]
    return '"'.join(outside)


def doubted(batch: EntryBatch) -> Sequence[tuple[object, ...]]:
    return batch.warned.select("row", "column", "value").rows()


def doubted_factors(*rows: Mapping[str, object], separator: str = ";") -> Sequence[object]:
    text = separated(csv_of(FACTOR_COLUMNS, [{**ECONOMY, **row} for row in rows]), separator)
    warned = read_factors(PLANE, opening(text)).warnings
    return warned.filter(warned["reason"].str.contains("was read as"))["value"].to_list()


def test_beside_decimal_commas_it_is_warned_of() -> None:
    last = kilograms("1.000", "0.500", "12.5", "", "1.250,75", "2.000", "0,5")
    said = "stands beside decimal commas (1.250,75 in row 5) and was read as"
    assert last.warned.rows() == [
        (1, "kg_co2eq", "1.000", f"{said} 1: write 1000 if that is meant"),
        (6, "kg_co2eq", "2.000", f"{said} 2: write 2000 if that is meant"),
    ]
    assert last.warned_rows == 2


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize(
    ("written", "meant", "read"),
    [("1.234", "1234", "1.234"), ("1.500", "1500", "1.5"), ("12.000", "12000", "12")],
)
def test_in_a_file_with_semicolons_or_tabs_it_is_warned_of_with_both_readings(
    written: str, meant: str, read: str, separator: str
) -> None:
    [warned] = kilograms("500", written, separator=separator).warned.to_dicts()
    assert (warned["row"], warned["column"], warned["value"]) == (2, "kg_co2eq", written)
    assert warned["reason"] == (
        f"is {meant} if the point separates thousands, and was read as {read}:"
        f" write {meant} or {written}0, whichever is meant"
    )


@pytest.mark.parametrize("surely_decimal", ["0.183", ".5", "12.5", "3.25", "1234.567", "1.2340"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_point_that_no_thousands_have_shows_how_its_column_is_meant(
    surely_decimal: str, separator: str
) -> None:
    assert doubted(kilograms("1.000", surely_decimal, "1.234", separator=separator)) == []


def test_a_point_of_another_column_does_not() -> None:
    last = flights({"kg_co2eq": "0.5"}, {"distance_km": "1.234"})
    assert doubted(last) == [(2, "distance_km", "1.234")]


def test_commas_of_another_column_do_and_are_named() -> None:
    last = flights({"distance_km": "408.501"}, {"kg_co2eq": "0,5"}, separator=",")
    [warned] = last.warned.to_dicts()
    assert warned["reason"] == (
        "stands beside decimal commas (0,5 in row 2, kg_co2eq) and was read as 408.501:"
        " write 408501 if that is meant"
    )


def test_commas_of_whole_numbers_do_too() -> None:
    last = flights({"distance_km": "408.501"}, {"number_of_trips": "1,0"}, separator=",")
    assert doubted(last) == [(1, "distance_km", "408.501")]


def test_commas_of_another_column_say_nothing_of_one_that_shows_its_points() -> None:
    last = flights({"distance_km": "408.501"}, {"distance_km": "408.5"}, {"kg_co2eq": "0,5"})
    assert doubted(last) == []


def test_several_points_in_a_number_show_thousands() -> None:
    [warned] = kilograms("1.234", "1.234.567").warned.to_dicts()
    assert warned["reason"].startswith(
        "stands beside points between thousands (1.234.567 in row 2)"
    )


def test_between_commas_a_number_with_decimals_is_read_in_peace() -> None:
    assert doubted(kilograms("1.234", "12.500", "7")) == []


@pytest.mark.parametrize("other", ["12,345", "1'000", "x,y", "7"])
def test_between_commas_a_round_thousand_is_warned_of(other: str) -> None:
    assert doubted(kilograms("1.000", other)) == [(1, "kg_co2eq", "1.000")]


def test_a_comma_far_from_the_point_is_seen() -> None:
    last = kilograms("1.001", *["1"] * 30_000, "0,5")
    assert last.warned["row"].to_list() == [1]


def test_a_decimal_point_far_from_it_is_seen() -> None:
    assert doubted(kilograms("1.001", *["1"] * 30_000, "0.5", separator=";")) == []


def test_a_factor_is_warned_of_beside_commas_and_between_semicolons() -> None:
    long = {"category": "long", "min_distance": "3.700", "max_distance": ""}
    assert doubted_factors({"max_distance": "3.700"}, {**long, "ef_kg_co2eq_per_km": "0,2"}) == [
        "3.700"
    ]
    assert doubted_factors({"max_distance": "3.700"}, long) == ["3.700", "3.700"]
    assert doubted_factors({"max_distance": "3.700"}, {**long, "min_distance": "3700.5"}) == [
        "3.700"
    ]
    assert doubted_factors({"max_distance": "463.701"}, separator=",") == []


@pytest.mark.parametrize("factor", ["0.183", "1.234", "2.500"])
def test_no_thousand_is_looked_for_where_none_is_plausible(factor: str) -> None:
    assert doubted_factors({"ef_kg_co2eq_per_km": factor, "rfi_adjustment": "1.350"}) == []


def test_degrees_with_three_decimals_are_no_thousands() -> None:
    text = "iata;latitude;longitude\nGVA;46.238;6.109\nCDG;49.009;2.548\nXXX;1;2,5\n"
    table = read_locations("plane", opening(text))
    assert table.accepted["latitude"].to_list() == [46.238, 49.009]
    assert table.warnings.is_empty()


def test_a_band_of_a_few_kilometres_may_be_one_of_thousands_between_commas_too() -> None:
    rows = [
        {"category": "short", "min_distance": "0", "max_distance": "3.700"},
        {"category": "long", "min_distance": "3.700", "max_distance": ""},
    ]
    assert doubted_factors(*rows, separator=",") == ["3.700", "3.700"]


def test_a_band_of_hundreds_of_kilometres_with_decimals_is_read_in_peace() -> None:
    assert doubted_factors({"max_distance": "463.123"}, separator=",") == []


def test_a_flight_of_a_few_kilometres_may_be_one_of_thousands() -> None:
    assert doubted(flights({"distance_km": "5.540"}, separator=",")) == [
        (1, "distance_km", "5.540")
    ]
    assert doubted(flights({"distance_km": "407.592"}, separator=",")) == []


def test_numbers_of_which_every_third_decimal_is_zero_may_be_rounded_thousands() -> None:
    assert len(doubted(kilograms("1.250", "2.400", "3.100"))) == 3
    assert doubted(kilograms("1.250", "2.400", "3.101")) == []
    assert doubted(kilograms("1.250", "2.400")) == []


def test_an_upper_end_below_the_lower_one_may_be_one_of_thousands() -> None:
    text = csv_of(FACTOR_COLUMNS, [{**ECONOMY, "min_distance": "800", "max_distance": "3.700"}])
    [reason] = read_factors(PLANE, opening(text)).rejected["reason"]
    assert reason.endswith("no upper end; write 3700 if its point separates thousands")
