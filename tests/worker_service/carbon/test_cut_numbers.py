"""Numbers whose comma may have cut them in two: both readings are given."""

import pytest

from tests.worker_service.carbon.plane_files import FACTOR_COLUMNS, PLANE, batches_of, opening
from worker_service.carbon.parse.factors import read_factors

BASE = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class"
ROW = "0828,GVA,CDG,1,economy"


def warned(header: str, *rows: str) -> list[tuple[int, str, str, str]]:
    text = f"{BASE},{header}\n" + "".join(f"{ROW},{row}\n" for row in rows)
    return [row for batch in batches_of(text) for row in batch.warned.rows()]


def test_trips_with_a_comma_before_a_note_are_told_with_both_readings() -> None:
    reason = (
        "is 1000 if its comma separates thousands, and was read as 1, with 000 in note:"
        " write the number without a comma"
    )
    rows = ("1,000", "2,by night", "3,", "4,12", "7,2345")
    assert warned("number_of_trips,note", *rows) == [(1, "number_of_trips", "1,000", reason)]


@pytest.mark.parametrize(
    ("row", "meant"),
    [
        ("407,5", "407.5 if its comma is a decimal one"),
        ("81,549", "81549 if its comma separates thousands, or 81.549 if its comma is a decimal"),
    ],
)
def test_kilograms_with_a_comma_before_a_note_may_have_decimals(row: str, meant: str) -> None:
    [(_, column, value, reason)] = warned("kg_co2eq,note", row)
    assert (column, value) == ("kg_co2eq", row)
    assert reason.startswith(f"is {meant}")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("note,number_of_trips", "000,1"),
        ("number_of_trips,note", "1000,000"),
        ("number_of_trips,note", ",000"),
        ("number_of_trips,trip", "1,123"),
        ("number_of_trips;note", "1;000"),
        ("kg_co2eq,note", "407,123456"),
    ],
)
def test_what_cannot_be_a_number_with_a_comma_is_not_doubted(header: str, row: str) -> None:
    mark = ";" if ";" in header else ","
    text = f"{BASE},{header}\n{ROW},{row}\n".replace(",", mark)
    assert [row for batch in batches_of(text) for row in batch.warned.rows()] == []


def test_a_column_that_is_not_read_may_hold_the_rest_of_a_number_in_any_file() -> None:
    [(_, _, _, reason)] = warned("number_of_trips,agency", "1,000")
    assert "with 000 in agency" in reason
    factor = ",".join([*FACTOR_COLUMNS, "source"])
    values = {"category": "all", "cabin_class": "economy", "ef_kg_co2eq_per_km": "0.2"}
    row = ",".join(
        values.get(name, "1" if name == FACTOR_COLUMNS[-1] else "") for name in FACTOR_COLUMNS
    )
    found = read_factors(PLANE, opening(f"{factor}\n{row},050\n")).warnings
    assert found["reason"].str.contains("050 in source").sum() == 1
