"""Uploads: what has the same identity goes, what has another stays, equal rows are recognised."""

import pytest

from tests.ledger.books import Books
from worker_service.ledger.uploads import Upload, source_key


async def test_a_years_file_replaces_the_years_files_and_no_units(books: Books) -> None:
    await books.upload(10, ["0828", "0829"])
    await books.upload(20, ["0828"], unit="0828")
    published = await books.upload(30, ["0829"])
    assert published.replaced == Upload(10, None, "", None, "default", 2)
    assert await books.states() == {10: "RETIRED", 20: "PUBLISHED", 30: "PUBLISHED"}
    assert await books.rows(
        "SELECT entry_set, retired_by FROM carbon.entry_sets WHERE retired_at IS NOT NULL"
    ) == [(10, 30)]


async def test_a_units_file_replaces_that_units_and_no_other(books: Books) -> None:
    await books.upload(10, ["0828"])
    await books.upload(20, ["0828"], unit="0828")
    await books.upload(30, ["0829"], unit="0829")
    published = await books.upload(40, ["0828", "0828"], unit="0828")
    assert published.replaced is not None
    assert published.replaced.upload_id == 20
    assert await books.states() == {
        10: "PUBLISHED",
        20: "RETIRED",
        30: "PUBLISHED",
        40: "PUBLISHED",
    }


@pytest.mark.parametrize("unit", [None, "0828"])
async def test_another_source_adds(books: Books, unit: str | None) -> None:
    await books.upload(10, ["0828"], unit=unit)
    published = await books.upload(20, ["0828"], unit=unit, source="agency b")
    assert published.replaced is None
    assert await books.states() == {10: "PUBLISHED", 20: "PUBLISHED"}
    await books.upload(30, ["0828"], unit=unit, source="agency b")
    assert await books.states() == {10: "PUBLISHED", 20: "RETIRED", 30: "PUBLISHED"}


async def test_the_same_rows_change_nothing(books: Books) -> None:
    await books.upload(10, ["0828"], digest="d")
    published = await books.upload(20, ["0828"], digest="d")
    assert published.unchanged is not None
    assert published.unchanged.upload_id == 10
    assert published.replaced is None
    assert await books.states() == {10: "PUBLISHED", 20: "LOADING"}


async def test_the_same_rows_of_another_identity_count_and_are_named(books: Books) -> None:
    await books.upload(10, ["0828"], digest="d")
    await books.upload(20, ["0829"], source="agency b", digest="another")
    published = await books.upload(30, ["0828"], unit="0828", digest="d")
    assert [twin.upload_id for twin in published.twins] == [10]
    assert await books.states() == {10: "PUBLISHED", 20: "PUBLISHED", 30: "PUBLISHED"}


async def test_rows_that_nobody_has_compared_are_never_the_same(books: Books) -> None:
    await books.upload(10, ["0828"])
    published = await books.upload(20, ["0828"])
    assert published.unchanged is None
    assert published.replaced is not None


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", "default"),
        ("  ", "default"),
        (" Agency B ", "agency b"),
        ("AGENCE Éole", "agence éole"),
        ("agence E\u0301ole", "agence éole"),
    ],
)
def test_a_source_is_one_however_it_is_written(written: str, stored: str) -> None:
    assert source_key(written) == stored
