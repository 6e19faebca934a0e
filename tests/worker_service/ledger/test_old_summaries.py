"""Summaries of what counted long ago go; what a list still shows stays, and says the same."""

from collections.abc import Mapping

from tests.worker_service.ledger.ledger_driver import MODULE, PLANE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_collect import A_DAY, collect_all
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.old_summaries import (
    FORGETTING_LOCK,
    EmissionsPlace,
    Gone,
    delete_emission_sets,
    delete_entry_sets,
    old_entry_sets,
    tenants_of_ledger,
)
from worker_service.ledger.upload_list import NEWEST, UploadFilter, list_uploads

KEPT_SECONDS = 90 * A_DAY


async def emission_sets(driver: LedgerDriver) -> list[int]:
    rows = await driver.rows("SELECT emission_set FROM carbon.emission_sets ORDER BY 1")
    return [row["emission_set"] for row in rows]


async def forget(driver: LedgerDriver) -> tuple[list[int], int]:
    """One look that finds no pipeline: the sets of entries that were old, and how many went."""
    old = await old_entry_sets(driver.ledger, TENANT, KEPT_SECONDS, None)
    numbers = [one.entry_set for one in old]
    gone = await delete_entry_sets(driver.ledger, TENANT, numbers)
    place: EmissionsPlace | None = EmissionsPlace()
    while place is not None:
        place = (await delete_emission_sets(driver.ledger, TENANT, KEPT_SECONDS, place)).next
    return numbers, gone.entry_sets


async def listed(driver: LedgerDriver) -> Mapping[int, tuple[int | None, float | None]]:
    """Each upload with the one that replaced it, and its kilograms."""
    rows = await list_uploads(driver.ledger, UploadFilter(TENANT, gone=True), NEWEST, 100)
    return {row["upload_id"]: (row["replaced_by"], row["total_kg"]) for row in rows}


async def three_uploads(driver: LedgerDriver) -> None:
    """10 is replaced by 30, and 30 by 50; only the last counts."""
    for token in (10, 30, 50):
        await driver.upload(token, ["0828"], pipeline_id=token)
        await driver.recalculate(token + 1, kg=float(token))
    await driver.advance_clock(3600.0 + 60)
    await collect_all(driver)


async def test_a_chain_of_replaced_uploads_goes_in_one_look_and_what_counts_stays(
    driver: LedgerDriver,
) -> None:
    await three_uploads(driver)
    assert await tenants_of_ledger(driver.ledger) == [TENANT]
    await driver.advance_clock(KEPT_SECONDS - A_DAY)
    assert await forget(driver) == ([], 0)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    assert await forget(driver) == ([10, 30], 2)
    assert await driver.states() == {50: "PUBLISHED"}
    assert await emission_sets(driver) == [51]
    assert await listed(driver) == {50: (None, 50.0)}


async def test_an_upload_that_replaced_one_which_is_listed_stays_with_it(
    driver: LedgerDriver,
) -> None:
    await three_uploads(driver)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    before = await listed(driver)
    # Somebody keeps the pipeline of 10.
    assert await delete_entry_sets(driver.ledger, TENANT, [30]) == Gone(0, 0)
    assert await listed(driver) == before
    assert before[10] == (30, 10.0)


async def test_recalculations_go_except_for_the_last_of_each_upload(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    for token, version in ((11, "1"), (12, "2"), (13, "3")):
        await driver.recalculate(token, kg=float(token), formula_version=version)
    await driver.withdraw(14, 10)
    await driver.upload(20, ["0829"])
    await driver.recalculate(21, formula_version="3")
    await driver.advance_clock(3600.0 + 60)
    await collect_all(driver)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    before = await listed(driver)
    assert before[10] == (None, 13.0)
    old = await delete_emission_sets(driver.ledger, TENANT, KEPT_SECONDS, EmissionsPlace())
    assert (old.gone, old.next) == (2, None)
    assert await emission_sets(driver) == [13, 21]
    assert await listed(driver) == before


async def test_an_upload_stays_while_rows_of_its_emissions_are_there(driver: LedgerDriver) -> None:
    await three_uploads(driver)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    async with driver.ledger.session() as conn:
        await conn.execute(
            "UPDATE carbon.emission_sets SET collected_at = NULL WHERE emission_set = 11"
        )
    assert await forget(driver) == ([10, 30], 0)
    await collect_all(driver)
    assert await forget(driver) == ([10, 30], 2)


async def test_what_was_loaded_and_never_counted_goes_without_a_pipeline(
    driver: LedgerDriver,
) -> None:
    new = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a", pipeline_id=7)
    await driver.load(new, ["0828"])
    await driver.upload(20, ["0829"])
    await driver.advance_clock(A_DAY)
    await collect_all(driver)
    await driver.advance_clock(KEPT_SECONDS + 2 * A_DAY)
    [old] = await old_entry_sets(driver.ledger, TENANT, KEPT_SECONDS, None)
    assert (old.entry_set, old.pipeline_id) == (10, None)
    assert await forget(driver) == ([10], 1)


async def test_rounds_begin_where_the_last_one_ended(driver: LedgerDriver) -> None:
    await three_uploads(driver)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    [first, second] = await old_entry_sets(driver.ledger, TENANT, KEPT_SECONDS, None)
    assert await old_entry_sets(driver.ledger, TENANT, KEPT_SECONDS, first) == [second]
    assert await old_entry_sets(driver.ledger, TENANT, KEPT_SECONDS, second) == []


async def test_one_process_forgets_at_a_time(driver: LedgerDriver) -> None:
    await three_uploads(driver)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    async with driver.ledger.transaction() as conn:
        await conn.execute("SELECT pg_advisory_xact_lock($1)", FORGETTING_LOCK)
        assert await forget(driver) == ([10, 30], 0)
        assert await emission_sets(driver) == [11, 31, 51]
