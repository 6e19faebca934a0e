"""Equal rows have one digest, others another, wherever the batches are cut."""

import polars as pl
import pytest

from worker_service.steps.content_digest import ContentDigest

ROWS = [("0828", 1.0), ("0829", 2.0), ("0829", 3.0)]


def digest(*batches: list[tuple[str, float]]) -> str:
    content = ContentDigest()
    for batch in batches:
        rows = pl.DataFrame(batch, schema={"unit": pl.String, "n": pl.Float64}, orient="row")
        content.add(rows.with_row_index("row_number"))
    return content.value


def test_it_does_not_matter_where_batches_are_cut() -> None:
    assert digest(ROWS) == digest(ROWS[:1], [], ROWS[1:])


@pytest.mark.parametrize(
    "others",
    [
        ROWS[:2],
        [*ROWS, ROWS[2]],
        [ROWS[1], ROWS[0], ROWS[2]],
        [("0829", ROWS[0][1]), *ROWS[1:]],
        [("0828", 1.5), *ROWS[1:]],
    ],
    ids=["one less", "one twice", "another order", "another unit", "another value"],
)
def test_other_rows_have_another_digest(others: list[tuple[str, float]]) -> None:
    assert digest(others) != digest(ROWS)
