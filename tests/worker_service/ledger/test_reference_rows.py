"""Rows of reference data are added, or replaced as a whole within the years of a file."""

import json
from collections.abc import Sequence

import polars as pl

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.reference_rows import (
    ROW_SCHEMA,
    RowChanges,
    RowsFile,
    keys_not_in,
    known_keys,
    remove_rows,
    rows_of_year,
    save_rows,
    stale_keys,
)

Rate = tuple[str, int | None, float]


def file_of(
    token: int, kind: str, rates: Sequence[Rate], name: str = "", *, is_whole: bool = True
) -> RowsFile:
    rows = pl.DataFrame(
        {
            "key": [f"{key}, {year}" if year else key for key, year, _ in rates],
            "year": [year for _, year, _ in rates],
            "data": [json.dumps({"value": value}) for *_, value in rates],
        },
        schema={"key": pl.String, "year": pl.Int16, "data": pl.String},
    )
    return RowsFile(TENANT, kind, rows, name or f"file {token}", f"blob:{token}", is_whole)


async def save(
    driver: LedgerDriver,
    token: int,
    *rates: Rate,
    kind: str = "rates",
    name: str = "",
    replace: bool = False,
    is_whole: bool = True,
) -> RowChanges:
    file = file_of(token, kind, rates, name, is_whole=is_whole)
    return await driver.publish(
        token, f"reference/{kind}", lambda c: save_rows(c, file, token, replace=replace)
    )


async def rows_in(driver: LedgerDriver, year: int, kind: str = "rates") -> dict[str, float]:
    async with driver.ledger.snapshot() as snapshot:
        read = frame_of(await rows_of_year(snapshot, TENANT, kind, year), ROW_SCHEMA)
    return {key: json.loads(data)["value"] for key, data in read.iter_rows()}


async def version(driver: LedgerDriver, kind: str = "rates") -> int:
    async with driver.ledger.snapshot() as snapshot:
        return await newest_change(snapshot, TENANT, [reference_input(kind)])


async def test_rows_are_added_and_changed_and_the_others_stay(driver: LedgerDriver) -> None:
    first = await save(driver, 10, ("chf", 2024, 0.95), ("usd", 2024, 1.08))
    assert first == RowChanges(new=2, changed=0, same=0, gone=0, stale=0)
    second = await save(driver, 20, ("chf", 2024, 0.96), ("gbp", 2024, 0.85))
    assert second == RowChanges(new=1, changed=1, same=0, gone=0, stale=0)
    assert await rows_in(driver, 2024) == {
        "chf, 2024": 0.96,
        "gbp, 2024": 0.85,
        "usd, 2024": 1.08,
    }
    rows = await driver.rows(
        "SELECT key, file_name, blob, changed_token, version FROM carbon.reference_rows"
        " ORDER BY key LIMIT 2"
    )
    assert [tuple(row) for row in rows] == [
        ("chf, 2024", "file 20", "blob:20", 20, 2),
        ("gbp, 2024", "file 20", "blob:20", 20, 1),
    ]
    assert (await version(driver), await version(driver, "rooms")) == (20, 0)


async def test_the_same_rows_change_nothing(driver: LedgerDriver) -> None:
    await save(driver, 10, ("chf", 2024, 0.95))
    again = await save(driver, 20, ("chf", 2024, 0.95))
    assert again == RowChanges(new=0, changed=0, same=1, gone=0, stale=0)
    assert await version(driver) == 10


async def test_a_row_of_a_year_counts_in_no_other_year(driver: LedgerDriver) -> None:
    await save(driver, 10, ("chf", 2024, 0.95), ("chf", 2025, 0.93))
    await save(driver, 20, ("ce, 1", None, 100.0), kind="rooms")
    assert await rows_in(driver, 2025) == {"chf, 2025": 0.93}
    assert await rows_in(driver, 2023) == {}
    assert await rows_in(driver, 2023, "rooms") == {"ce, 1": 100.0}


async def test_a_file_replaces_the_rows_of_its_own_years(driver: LedgerDriver) -> None:
    await save(driver, 10, ("chf", 2023, 0.97), ("chf", 2024, 0.95), ("usd", 2024, 1.08))
    await save(driver, 15, ("ce, 1", None, 100.0), ("ce, 2", None, 50.0), kind="rooms")
    file = file_of(20, "rates", [("usd", 2024, 1.08)])
    async with driver.ledger.snapshot() as snapshot:
        assert await keys_not_in(snapshot, file) == ["chf, 2024"]
    replaced = await save(driver, 20, ("usd", 2024, 1.08), replace=True)
    assert replaced == RowChanges(new=0, changed=0, same=1, gone=1, stale=0)
    assert await rows_in(driver, 2023) == {"chf, 2023": 0.97}
    assert await rows_in(driver, 2024) == {"usd, 2024": 1.08}
    assert await version(driver) == 20
    assert (await save(driver, 30, ("ce, 2", None, 50.0), kind="rooms", replace=True)).gone == 1
    assert await rows_in(driver, 2024, "rooms") == {"ce, 2": 50.0}


async def test_a_row_is_stale_where_a_later_file_of_the_name_lacks_it(
    driver: LedgerDriver,
) -> None:
    async def stale() -> list[str]:
        async with driver.ledger.snapshot() as snapshot:
            return await stale_keys(snapshot, TENANT, "rates")

    await save(driver, 10, ("chf", 2024, 0.95), ("usd", 2024, 1.08), name="a")
    await save(driver, 20, ("chf", 2023, 0.97), name="a")
    await save(driver, 30, ("chf", 2024, 0.95), name="b")
    await save(driver, 40, ("chf", 2024, 0.95), name="a", is_whole=False)
    assert await stale() == []
    assert (await save(driver, 50, ("chf", 2024, 0.95), name="a")).stale == 1
    assert await stale() == ["usd, 2024"]
    assert await rows_in(driver, 2024) == {"chf, 2024": 0.95, "usd, 2024": 1.08}
    assert await version(driver) == 20
    await save(driver, 60, ("usd", 2024, 1.08), name="c")
    assert await stale() == []
    rows = await driver.rows(
        "SELECT file_name, changed_token FROM carbon.reference_rows WHERE key = 'usd, 2024'"
    )
    assert [tuple(row) for row in rows] == [("c", 10)]


async def test_rows_are_removed_by_key(driver: LedgerDriver) -> None:
    await save(driver, 10, ("chf", 2024, 0.95), ("usd", 2024, 1.08))
    async with driver.ledger.snapshot() as snapshot:
        known = await known_keys(snapshot, TENANT, "rates", ["chf, 2024", "chf"])
        assert known == {"chf, 2024"}
        assert await known_keys(snapshot, TENANT, "rooms", ["chf, 2024"]) == set()
    gone = await driver.publish(
        20, "reference/rates", lambda c: remove_rows(c, TENANT, "rates", ["chf, 2024"], 20)
    )
    assert (gone, await version(driver)) == (1, 20)
    assert await rows_in(driver, 2024) == {"usd, 2024": 1.08}
