"""Sums of a set: exact, made once, kept beside it, gone with its rows."""

import asyncio
from decimal import Decimal

import pytest

from tests.worker_service.ledger.ledger_driver import (
    LEAF,
    MODULE,
    PLANE,
    SLICE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from worker_service.ledger import emission_sums
from worker_service.ledger.collect import collect_once
from worker_service.ledger.emission_sets import open_emission_set
from worker_service.ledger.emission_sums import SummedSet, keep_sums, kept_sums, sum_set
from worker_service.ledger.totals import TotalsSlice, kept_sums_of, sets_to_sum

TOTALS = TotalsSlice(TENANT, MODULE, YEAR, [PLANE, 21])
UNSEEN_SECONDS = 3600.0
FORGET = (
    "DELETE FROM carbon.emission_sums",
    "UPDATE carbon.emission_sets SET is_summed = false",
)


async def published(driver: LedgerDriver) -> SummedSet:
    async with driver.ledger.snapshot() as snapshot:
        [one], _ = await sets_to_sum(snapshot, TOTALS)
    return one


async def kept(driver: LedgerDriver, one: SummedSet) -> dict[str, Decimal]:
    async with driver.ledger.session() as conn:
        leaves = await kept_sums(conn, TENANT, one)
    assert {emission_type for _, emission_type, _, _ in leaves} <= {LEAF}
    return {unit: kg for unit, _, kg, _ in leaves}


async def run_sql(driver: LedgerDriver, *statements: str) -> None:
    async with driver.ledger.session() as conn:
        for statement in statements:
            await conn.execute(statement)


async def test_sums_are_exact_however_they_are_cut(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0829"] * 50 + ["0828"])
    await driver.recalculate(20, kg=0.1)
    one = await published(driver)
    assert one.is_summed
    assert await kept(driver, one) == {"0828": Decimal("5.1"), "0829": Decimal("5.0")}
    for rows_per_statement in (1, 7, 101, 1000):
        sums: dict[str, Decimal] = {}
        async with driver.ledger.snapshot() as snapshot:
            steps = [step async for step in sum_set(snapshot, TENANT, one, rows_per_statement)]
        assert steps[-1][0] == one.last_row_number
        for unit, _, kg, _ in (leaf for step in steps for leaf in step[1]):
            sums[unit] = sums.get(unit, Decimal(0)) + kg
        assert sums == await kept(driver, one)


async def test_a_set_is_summed_once_whoever_sums_it_and_however_many_at_once(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await driver.upload(10, ["0828", "0829"] * 20)
    await driver.recalculate(20)
    one = await published(driver)
    whole = await kept(driver, one)
    await run_sql(driver, *FORGET)
    assert not (await published(driver)).is_summed
    # The sums of several slices are added up.
    monkeypatch.setattr(emission_sums, "SUM_ROWS", 7)
    await asyncio.gather(*(keep_sums(driver.ledger, TENANT, one) for _ in range(4)))
    await keep_sums(driver.ledger, TENANT, one)
    assert (await published(driver)).is_summed
    assert await kept(driver, one) == whole == {"0828": Decimal(20), "0829": Decimal(20)}


async def test_totals_add_up_what_is_published_and_nothing_else(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20, kg=2.0)
    await driver.upload(30, ["0829", "0828"], unit="0829")
    await driver.recalculate(40, kg=3.0)
    await driver.upload(50, ["0828"] * 9)
    await driver.load_computed(60, await driver.plan(), kg=1.0)
    async with driver.ledger.snapshot() as snapshot:
        leaves = await kept_sums_of(snapshot, TOTALS)
        other_year = await kept_sums_of(snapshot, TotalsSlice(TENANT, MODULE, YEAR + 1, [PLANE]))
        other_type = await kept_sums_of(snapshot, TotalsSlice(TENANT, MODULE, YEAR, [21]))
    assert {unit: kg for unit, _, kg, _ in leaves} == {"0828": Decimal(5), "0829": Decimal(3)}
    assert other_year == other_type == []


async def test_a_set_without_emissions_is_summed_too(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    plan = await driver.plan()
    [entries] = plan.compute
    await open_emission_set(driver.ledger, SLICE, 20, entries, plan.inputs)
    one = SummedSet(20, entries.entry_set, entries.last_row_number)
    await keep_sums(driver.ledger, TENANT, one)
    assert await kept(driver, one) == {}
    [row] = await driver.rows("SELECT is_summed FROM carbon.emission_sets")
    assert row["is_summed"]


async def test_sums_go_with_the_rows_of_their_set(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"] * 3)
    await driver.recalculate(20)
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    while (await collect_once(driver.ledger, UNSEEN_SECONDS)).more:
        pass
    left = await driver.rows("SELECT emission_set, unit FROM carbon.emission_sums")
    assert [tuple(row) for row in left] == [(40, "0829")]
