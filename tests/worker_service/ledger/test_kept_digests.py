"""Digests that are kept are those that the ledger has, and a set without all of them is not."""

import io
from collections.abc import AsyncIterator

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.ledger import kept_digests
from worker_service.ledger.kept_digests import DigestedSet, KeptDigests
from worker_service.ledger.row_digests import DigestChunk, save_digests

MADE_BY = "test"


@pytest.fixture(autouse=True)
async def no_digests_are_left(driver: LedgerDriver) -> AsyncIterator[None]:
    """These have no rows, and digests without rows are a fault of the ledger."""
    yield
    async with driver.ledger.transaction() as conn:
        await conn.execute("DELETE FROM carbon.row_digests")


async def save(driver: LedgerDriver, entry_set: int, first_row: int, *digests: int) -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"digest": pl.Series(digests, dtype=pl.UInt64)}).write_ipc(buffer)
    chunk = DigestChunk(entry_set, first_row, MADE_BY, buffer.getvalue())
    async with driver.ledger.transaction() as conn:
        await save_digests(conn, TENANT, chunk)


async def read(
    driver: LedgerDriver, kept: KeptDigests, *sets: DigestedSet, made_by: str = MADE_BY
) -> list[int] | None:
    async with driver.ledger.snapshot() as snapshot:
        found = await kept.read(snapshot, TENANT, sets, made_by)
        return None if found is None else found.to_list()


async def test_digests_of_sets_are_read_once_whatever_their_order(driver: LedgerDriver) -> None:
    await save(driver, 7, 1, 70, 71)
    await save(driver, 7, 9, 72)
    await save(driver, 8, 1, 80)
    kept = KeptDigests()
    seven, eight = DigestedSet(7, 3, "seven"), DigestedSet(8, 1, "eight")
    assert await read(driver, kept, seven) == [70, 71, 72]
    async with driver.ledger.transaction() as conn:
        await conn.execute("DELETE FROM carbon.row_digests WHERE entry_set = 7")
    assert await read(driver, kept, eight, seven) == [80, 70, 71, 72]
    assert await read(driver, kept) == []


async def test_a_set_without_a_digest_for_each_row_is_not_taken_for_whole(
    driver: LedgerDriver,
) -> None:
    await save(driver, 7, 1, 70)
    kept = KeptDigests()
    two_rows = DigestedSet(7, 2, "seven")
    assert await read(driver, kept, two_rows) is None
    assert await read(driver, kept, two_rows, made_by="another") is None
    await save(driver, 7, 2, 71)
    assert await read(driver, kept, two_rows) == [70, 71]


async def test_a_number_that_came_again_with_other_rows_is_another_set(
    driver: LedgerDriver,
) -> None:
    kept = KeptDigests()
    for digest, content in ((70, "a"), (71, "b"), (72, ""), (73, "")):
        await save(driver, 7, 1, digest)
        assert await read(driver, kept, DigestedSet(7, 1, content)) == [digest]


async def test_sets_that_were_not_asked_for_lately_go(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_digests, "ROWS_MAX", 3)
    kept = KeptDigests()
    seven, eight = DigestedSet(7, 2, "seven"), DigestedSet(8, 2, "eight")
    await save(driver, 7, 1, 70, 71)
    await save(driver, 8, 1, 80, 81)
    assert await read(driver, kept, seven) == [70, 71]
    assert await read(driver, kept, eight) == [80, 81]
    assert await read(driver, kept, seven, eight) is None
    async with driver.ledger.transaction() as conn:
        await conn.execute("DELETE FROM carbon.row_digests")
    assert await read(driver, kept, eight) == [80, 81]
    assert await read(driver, kept, seven) is None
