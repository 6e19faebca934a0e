"""Sums of a set: exact, made once, kept beside it, gone with its rows."""

import asyncio
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker_service.ledger.ledger_driver import (
    LEAF,
    MODULE,
    PLANE,
    SLICE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from tests.worker_service.ledger.test_collect import OLD_SETS
from worker_service.ledger import collect, emission_sums
from worker_service.ledger.collect import DELETE_SUMS_LEFT_BEHIND, collect_once
from worker_service.ledger.emission_sets import open_emission_sets
from worker_service.ledger.emission_sums import (
    KEEP,
    SummedSet,
    keep_sums,
    kept_sums,
    leaves_of,
    store_sums,
    sum_set,
)
from worker_service.ledger.entry_sets import PublishedSet
from worker_service.ledger.totals import TotalsSlice, kept_sums_of, sets_to_sum

TOTALS = TotalsSlice(TENANT, MODULE, YEAR, [PLANE, 21])
UNSEEN_SECONDS = 3600.0
WAITS_FOR_A_LOCK = """
SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
MARK_OF_AN_OLDER_RELEASE = """
UPDATE carbon.emission_sets SET collected_at = carbon.clock()
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
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
    async with driver.ledger.session() as conn:
        await open_emission_sets(conn, SLICE, 20, [entries], plan.inputs)
    one = SummedSet(20, entries.entry_set, entries.last_row_number)
    await keep_sums(driver.ledger, TENANT, one)
    assert await kept(driver, one) == {}
    [row] = await driver.rows("SELECT is_summed FROM carbon.emission_sets")
    assert row["is_summed"]


async def replaced(driver: LedgerDriver) -> SummedSet:
    """A summed set that waits to be collected. The sums of set 40 count."""
    await driver.upload(10, ["0828"] * 3)
    await driver.recalculate(20)
    one = await published(driver)
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    return one


async def collect_all(driver: LedgerDriver) -> None:
    while (await collect_once(driver.ledger, UNSEEN_SECONDS)).more:
        pass


async def sets_with_sums(driver: LedgerDriver) -> list[tuple[int, str]]:
    left = await driver.rows("SELECT emission_set, unit FROM carbon.emission_sums")
    return [(row["emission_set"], row["unit"]) for row in left]


async def test_sums_go_with_the_rows_of_their_set(driver: LedgerDriver) -> None:
    await replaced(driver)
    await collect_all(driver)
    assert await sets_with_sums(driver) == [(40, "0829")]


async def test_sums_that_are_made_while_their_set_is_collected_do_not_stay(
    driver: LedgerDriver,
) -> None:
    one = await replaced(driver)
    await run_sql(
        driver,
        "DELETE FROM carbon.emission_sums WHERE emission_set = 20",
        "UPDATE carbon.emission_sets SET is_summed = false WHERE emission_set = 20",
    )
    async with driver.ledger.session() as summing, asyncio.timeout(10):
        async with summing.transaction():
            sums = ([part] for part in (one.entry_set, "0828", LEAF, Decimal(3), None))
            await summing.execute(KEEP, TENANT, one.emission_set, [one.entry_set], *sums)
            collecting = asyncio.create_task(collect_all(driver))
            while not await driver.rows(WAITS_FOR_A_LOCK):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await collecting
    assert await sets_with_sums(driver) == [(40, "0829")]
    await keep_sums(driver.ledger, TENANT, one)
    assert await sets_with_sums(driver) == [(40, "0829")]


async def test_sums_and_doubts_that_a_worker_of_an_older_release_leaves_go(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replaced(driver)
    await run_sql(driver, "UPDATE carbon.emission_sets SET doubts = '{}' WHERE emission_set = 20")
    with monkeypatch.context() as older:
        older.setattr(collect, "DELETE_SUMS", "SELECT $1::text, $2::bigint, $3::bigint")
        older.setattr(collect, "DELETE_SUMS_LEFT_BEHIND", "SELECT $1::bigint LIMIT 0")
        older.setattr(collect, "MARK_EMISSION_SET", MARK_OF_AN_OLDER_RELEASE)
        await collect_all(driver)
    assert (20, "0828") in await sets_with_sums(driver)
    await collect_all(driver)
    assert await sets_with_sums(driver) == [(40, "0829")]
    assert await driver.rows("SELECT FROM carbon.emission_sets WHERE doubts IS NOT NULL") == []


async def test_a_look_for_sums_left_behind_reads_only_what_is_left_behind(
    driver: LedgerDriver,
) -> None:
    await run_sql(
        driver,
        OLD_SETS,
        """INSERT INTO carbon.emission_sums (tenant, emission_set, entry_set, unit, emission_type,
            kg) SELECT tenant, emission_set, entry_set, '0828', 'plane', 1
            FROM carbon.emission_sets""",
        "UPDATE carbon.emission_sets SET is_summed = true WHERE emission_set IN (2000, 20000)",
        "ANALYZE carbon.emission_sets",
        "ANALYZE carbon.emission_sums",
    )
    explained = f"EXPLAIN (ANALYZE, COSTS OFF) {DELETE_SUMS_LEFT_BEHIND}".replace("$1", "50")
    plan = "\n".join(row[0] for row in await driver.rows(explained))
    assert "collected_emission_sets_with_sums" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Rows Removed by Filter" not in plan, plan
    [left] = await driver.rows("SELECT count(*) AS n FROM carbon.emission_sums")
    assert left["n"] == 19_998
    await run_sql(driver, "DELETE FROM carbon.emission_sums")


@pytest.mark.parametrize("rows_together", [1, 4, 9, 1_000])
async def test_sets_that_are_summed_together_have_the_sums_of_each(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch, rows_together: int
) -> None:
    """However many share a statement, and whether or not another set has the same units."""
    monkeypatch.setattr(emission_sums, "SUM_ROWS", rows_together)
    for token, units in ((10, 5), (11, 1), (12, 3), (13, 9)):
        await driver.upload(token, ["0828", "0829"] * units, source=f"s{token}")
    await driver.recalculate(20, kg=0.1)
    async with driver.ledger.snapshot() as snapshot:
        sets, _ = await sets_to_sum(snapshot, TOTALS)
    alone = {one.entry_set: await kept(driver, one) for one in sets}
    assert [alone[token]["0829"] for token in (10, 11, 12, 13)] == [
        Decimal(text) for text in ("0.5", "0.1", "0.3", "0.9")
    ]
    await run_sql(driver, *FORGET)
    entries = [PublishedSet(one.entry_set, 0, one.last_row_number, 0) for one in sets]
    async with driver.ledger.session() as conn:
        leaves = await leaves_of(conn, TENANT, 20, entries)
        await store_sums(conn, TENANT, 20, [one.entry_set for one in entries[1:]], leaves)
    together = {one.entry_set: await kept(driver, one) for one in sets}
    # One that was not asked for is not summed.
    assert together == {**alone, entries[0].entry_set: {}}
    await keep_sums(driver.ledger, TENANT, sets[0])


# Doubles as PostgreSQL takes them for decimals, and None for what has no additional value.
DECIMALS = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: Decimal(f"{x:.15g}"))
LEAVES = st.tuples(
    st.integers(1, 3),
    st.sampled_from(["0828", "0829"]),
    st.sampled_from(["plane", "train"]),
    DECIMALS,
    st.none() | DECIMALS,
)


@given(st.lists(LEAVES, max_size=30), st.randoms(use_true_random=False))
def test_sums_of_slices_are_exact_in_any_order(
    leaves: list[emission_sums.SetLeaf], random: Random
) -> None:
    """As fractions add them; a sum of nothing but nulls is null."""
    sums = emission_sums.LeafSums()
    shuffled = random.sample(leaves, len(leaves))
    sums.add(shuffled[: len(leaves) // 2])
    sums.add(shuffled[len(leaves) // 2 :])
    by_fractions: dict[tuple[int, str, str], tuple[Fraction, Fraction | None]] = {}
    for entry_set, unit, emission_type, kg, additional in leaves:
        total, more = by_fractions.get((entry_set, unit, emission_type), (Fraction(0), None))
        if additional is not None:
            more = (more or Fraction(0)) + Fraction(additional)
        by_fractions[entry_set, unit, emission_type] = (total + Fraction(kg), more)
    assert {
        (entry_set, unit, emission_type): (
            Fraction(kg),
            None if additional is None else Fraction(additional),
        )
        for entry_set, unit, emission_type, kg, additional in sums.of_sets([1, 2, 3])
    } == by_fractions
    assert sums.of_sets([]) == []
