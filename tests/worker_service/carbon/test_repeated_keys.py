"""A person is in a unit once: over all batches of a file, and in other units again."""

import polars as pl

from worker_service.carbon.parse.repeated_keys import RepeatedKeys


def rows(*people: tuple[int, str, str]) -> pl.DataFrame:
    schema = {"row_number": pl.Int32, "unit": pl.String, "person": pl.String}
    return pl.DataFrame(people, schema=schema, orient="row")


def test_a_key_of_an_earlier_batch_is_rejected_with_its_row() -> None:
    keys = RepeatedKeys(["person"])
    assert keys.found(rows((1, "A", "x"), (2, "B", "x"), (3, "A", "y"))).is_empty()
    [again, once_more] = keys.found(rows((4, "A", "x"), (5, "A", "x"))).to_dicts()
    assert again == {
        "row": 4,
        "column": "person",
        "value": "x",
        "reason": "is in row 1, too, and counts in a unit once",
    }
    assert once_more["row"] == 5


def test_within_a_batch_the_first_row_stays() -> None:
    found = RepeatedKeys(["person"]).found(rows((1, "A", "x"), (2, "A", "x"), (3, "A", "x")))
    assert found["row"].to_list() == [2, 3]


def test_a_file_without_such_columns_may_repeat_anything() -> None:
    assert RepeatedKeys([]).found(rows((1, "A", "x"), (2, "A", "x"))).is_empty()
