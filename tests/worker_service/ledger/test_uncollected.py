"""What waits to be collected is counted: sets, rows, and since when."""

from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from worker_service.ledger.collect import collect_once
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.uncollected import Uncollected, read_uncollected


async def test_what_was_replaced_or_left_behind_waits_until_it_is_collected(
    driver: LedgerDriver,
) -> None:
    assert await read_uncollected(driver.ledger, TENANT) == Uncollected(0, 0, None, 0)
    await driver.upload(10, ["0828"] * 3)
    await driver.recalculate(20)
    await driver.load(NewSet(TENANT, 25, MODULE, PLANE, YEAR, None, "blob:b"), ["0829"] * 2)
    loading = await read_uncollected(driver.ledger, TENANT)
    assert loading == Uncollected(0, 0, None, 1)
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    # Three entries with their emissions, and two entries that can never count.
    found = await read_uncollected(driver.ledger, TENANT)
    assert (found.sets, found.row_count, found.loading_sets) == (3, 8, 0)
    [row] = await driver.rows("SELECT made_at FROM carbon.entry_sets WHERE entry_set = 25")
    assert found.oldest_since == row["made_at"]
    assert await read_uncollected(driver.ledger, "another") == Uncollected(0, 0, None, 0)
    await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 30})
    await driver.advance_clock(7200)
    assert (await collect_once(driver.ledger, 3600)).rows == 8
    assert await read_uncollected(driver.ledger, TENANT) == Uncollected(0, 0, None, 0)
