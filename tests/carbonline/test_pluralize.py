"""Messages count as people do."""

import pytest

from carbonline.pluralize import pluralize
from worker_service.steps.noted_rows import rows_sentence


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (8255, "8,255 rows")]
)
def test_one_is_not_many(number: int, said: str) -> None:
    assert pluralize(number, "row") == said


def test_a_plural_of_its_own() -> None:
    assert (pluralize(1, "entry", "entries"), pluralize(2, "entry", "entries")) == (
        "1 entry",
        "2 entries",
    )


def test_an_ingest_counts_its_rows_and_gives_the_first_reason() -> None:
    assert rows_sentence(1, 0, "") == "1 row accepted."
    assert rows_sentence(2, 1, "row 3: bad", "place") == (
        "2 places accepted, 1 rejected; the first: row 3: bad."
    )
