"""Uploads: what has the same identity goes, what has another stays, equal rows are recognised."""

import pytest

from tests.worker_service.ledger.ledger_driver import LedgerDriver
from worker_service.ledger.uploads import MostWouldGo, Upload, source_key


async def test_a_years_file_replaces_the_years_files_and_no_units(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0829"])
    await driver.upload(20, ["0828"], unit="0828")
    published = await driver.upload(30, ["0829"])
    assert published.replaced == Upload(10, None, "", None, "default", 2)
    assert await driver.states() == {10: "RETIRED", 20: "PUBLISHED", 30: "PUBLISHED"}
    assert await driver.rows(
        "SELECT entry_set, retired_by FROM carbon.entry_sets WHERE retired_at IS NOT NULL"
    ) == [(10, 30)]


async def test_a_units_file_replaces_that_units_and_no_other(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.upload(20, ["0828"], unit="0828")
    await driver.upload(30, ["0829"], unit="0829")
    published = await driver.upload(40, ["0828", "0828"], unit="0828")
    assert published.replaced is not None
    assert published.replaced.upload_id == 20
    assert await driver.states() == {
        10: "PUBLISHED",
        20: "RETIRED",
        30: "PUBLISHED",
        40: "PUBLISHED",
    }


@pytest.mark.parametrize("unit", [None, "0828"])
async def test_another_source_adds(driver: LedgerDriver, unit: str | None) -> None:
    await driver.upload(10, ["0828"], unit=unit)
    published = await driver.upload(20, ["0828"], unit=unit, source="agency b")
    assert published.replaced is None
    assert await driver.states() == {10: "PUBLISHED", 20: "PUBLISHED"}
    await driver.upload(30, ["0828"], unit=unit, source="agency b")
    assert await driver.states() == {10: "PUBLISHED", 20: "RETIRED", 30: "PUBLISHED"}


async def test_the_same_rows_change_nothing(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"], digest="d")
    published = await driver.upload(20, ["0828"], digest="d")
    assert published.unchanged is not None
    assert published.unchanged.upload_id == 10
    assert published.replaced is None
    assert await driver.states() == {10: "PUBLISHED", 20: "LOADING"}


async def test_the_same_rows_of_another_identity_count_and_are_named(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"], digest="d")
    await driver.upload(20, ["0829"], source="agency b", digest="another")
    published = await driver.upload(30, ["0828"], unit="0828", digest="d")
    assert [one.upload_id for one in published.duplicates] == [10]
    assert await driver.states() == {10: "PUBLISHED", 20: "PUBLISHED", 30: "PUBLISHED"}


async def test_rows_that_nobody_has_compared_are_never_the_same(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    published = await driver.upload(20, ["0828"])
    assert published.unchanged is None
    assert published.replaced is not None


@pytest.mark.parametrize(
    ("rows", "kg", "goes"),
    [
        (2, None, True),
        (1, None, False),
        (2, 10.0, True),
        (2, 9.9, False),
        (1, 1_000.0, False),
        (4, 0.0, False),
    ],
)
async def test_what_leaves_less_than_half_needs_consent(
    driver: LedgerDriver, rows: int, kg: float | None, goes: bool
) -> None:
    await driver.upload(10, ["0828"] * 4)
    await driver.recalculate(20, kg=5.0)
    units = ["0828"] * rows
    if goes:
        await driver.upload(30, units, total_kg=kg, may_take_most=False)
        assert await driver.states() == {10: "RETIRED", 30: "PUBLISHED"}
        return
    with pytest.raises(MostWouldGo) as refused:
        await driver.upload(30, units, total_kg=kg, may_take_most=False)
    assert (refused.value.replaced.upload_id, refused.value.replaced.total_kg) == (10, 20.0)
    assert await driver.states() == {10: "PUBLISHED", 30: "LOADING"}
    published = await driver.upload(40, units, total_kg=kg, may_take_most=True)
    assert published.replaced == refused.value.replaced


async def test_what_is_beside_it_is_not_counted_as_replaced(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"] * 4)
    await driver.upload(20, ["0828"] * 4, source="agency b")
    await driver.upload(30, ["0828"], unit="0828", may_take_most=False)
    await driver.upload(40, ["0828"], source="agency c", may_take_most=False)


async def test_a_second_attempt_tells_what_the_first_replaced(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0829"], pipeline_id=1)
    first = await driver.upload(20, ["0828"], digest="d", pipeline_id=2)
    second = await driver.upload(30, ["0828"], digest="d", pipeline_id=2, may_take_most=False)
    assert (second.upload_id, second.unchanged) == (20, None)
    assert second.replaced == Upload(10, 1, "", None, "default", 2)
    assert second.replaced == first.replaced
    another = await driver.upload(40, ["0828"], digest="d", pipeline_id=3)
    assert (another.upload_id, another.replaced) == (20, None)
    assert another.unchanged is not None


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
