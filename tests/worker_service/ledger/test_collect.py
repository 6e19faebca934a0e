"""Rows that nobody can see any more go, after a while; all others stay."""

import asyncpg
import polars as pl
import pytest

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    MODULE,
    PLANE,
    SLICE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from worker_service.ledger import collect
from worker_service.ledger.collect import COLLECTOR_LOCK, Collected, collect_once
from worker_service.ledger.entry_sets import NewSet, entry_rows, load_entries
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.frames import frame_bytes

UNSEEN_SECONDS = 3600.0
# Sets whose rows are deleted, with their summaries.
OLD_SETS = """
WITH n AS (SELECT generate_series(1000, 20999) AS number), fences AS (
    INSERT INTO carbon.write_fences (tenant, scope, newest_token)
    VALUES ('local', 'entries/2/2024', 30000), ('local', 'emissions/20/2024', 30000)
), entries AS (
    INSERT INTO carbon.entry_sets (tenant, entry_set, module, data_entry_type, year, source, blob,
        state, made_at, published_at, retired_at, retired_by, collected_at)
    SELECT 'local', number, 2, 20, 2024, 'csv_year', '', 'RETIRED', now() - interval '2 days',
        now(), now() - interval '1 day', number + 1, now()
    FROM n
)
INSERT INTO carbon.emission_sets (tenant, emission_set, entry_set, module, data_entry_type, year,
    state, formula_version, entries_token, factors_token, references_token, made_at, published_at,
    retired_at, retired_by, collected_at)
SELECT 'local', number, number, 2, 20, 2024, 'RETIRED', '1', 0, 0, 0, now() - interval '2 days',
    now(), now() - interval '1 day', number + 1, now()
FROM n
"""
A_DAY = 24 * 3600.0


async def collect_all(driver: LedgerDriver) -> int:
    rows, more = 0, True
    while more:
        collected = await collect_once(driver.ledger, UNSEEN_SECONDS)
        rows, more = rows + collected.rows, collected.more
    return rows


async def kept_entries(driver: LedgerDriver) -> list[int]:
    rows = await driver.rows("SELECT DISTINCT entry_set FROM carbon.entries ORDER BY entry_set")
    return [row["entry_set"] for row in rows]


async def kept_emissions(driver: LedgerDriver) -> list[int]:
    rows = await driver.rows("SELECT DISTINCT emission_set FROM carbon.emissions ORDER BY 1")
    return [row["emission_set"] for row in rows]


async def test_what_was_replaced_goes_after_the_time_and_not_before(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"] * 3)
    await driver.recalculate(20)
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    await driver.advance_clock(UNSEEN_SECONDS - 60)
    assert await collect_all(driver) == 0
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    assert await collect_all(driver) == 6
    assert await kept_entries(driver) == [30]
    assert await kept_emissions(driver) == [40]
    assert await driver.rows("SELECT FROM carbon.outcome_counts WHERE emission_set = 20") == []
    # Its summary says what once counted.
    assert await driver.rows(
        "SELECT entry_set, row_count FROM carbon.entry_sets WHERE collected_at IS NOT NULL"
    ) == [(10, 3)]
    assert await collect_once(driver.ledger, UNSEEN_SECONDS) == Collected(0, more=False)


async def test_what_counts_stays_for_ever(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.upload(11, ["0828"], unit="0828")
    await driver.recalculate(20)
    await driver.advance_clock(1000 * A_DAY)
    assert await collect_all(driver) == 0
    assert await kept_entries(driver) == [10, 11]


async def test_what_was_replaced_a_moment_ago_stays_however_old_it_is(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20)
    await driver.advance_clock(10 * A_DAY)
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    assert await collect_all(driver) == 0
    assert await kept_entries(driver) == [10, 30]
    assert await kept_emissions(driver) == [20, 40]


async def test_a_set_that_may_still_be_published_stays(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.load(NewSet(TENANT, 20, MODULE, PLANE, YEAR, None, "blob:b"), ["0829"])
    await driver.load_computed(30, await driver.plan(), kg=1.0)
    await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 19, SLICE.ledger_scope: 29})
    await driver.advance_clock(A_DAY - 60)
    assert await collect_all(driver) == 0
    assert await kept_entries(driver) == [10, 20]
    assert await kept_emissions(driver) == [30]


@pytest.mark.parametrize("how", ["overtaken", "closed", "older than any job"])
async def test_a_set_that_can_never_be_published_goes(driver: LedgerDriver, how: str) -> None:
    await driver.upload(10, ["0828"])
    await driver.load(NewSet(TENANT, 20, MODULE, PLANE, YEAR, None, "blob:b"), ["0829"])
    await driver.load_computed(30, await driver.plan(), kg=1.0)
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    match how:
        case "overtaken":
            await driver.upload(31, ["0830"], unit="0830")
            await driver.recalculate(40)
        case "closed":
            await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 20, SLICE.ledger_scope: 30})
        case _:
            await driver.advance_clock(A_DAY + 60)
    assert await collect_all(driver) == 2
    assert 20 not in await kept_entries(driver)
    assert 30 not in await kept_emissions(driver)


async def test_a_set_to_which_a_live_claim_still_adds_stays_however_old_it_is(
    driver: LedgerDriver,
) -> None:
    new = NewSet(TENANT, 20, MODULE, PLANE, YEAR, None, "blob:b")
    await driver.load(new, ["0829"])
    for first, seconds in ((2, A_DAY - 60), (3, 2 * A_DAY - 120)):
        await driver.advance_clock(seconds)
        rows = pl.DataFrame(
            {"row_number": [first], "unit": ["0829"], "extra": ["{}"]},
            schema_overrides={"row_number": pl.Int32},
        )
        async with driver.ledger.session() as conn:
            await load_entries(conn, new, frame_bytes(entry_rows(new, rows)))
        assert await collect_all(driver) == 0
    assert len(await driver.rows("SELECT FROM carbon.entries WHERE entry_set = 20")) == 3


async def test_a_set_that_its_claim_has_just_lost_stays_for_a_while(driver: LedgerDriver) -> None:
    await driver.load(NewSet(TENANT, 20, MODULE, PLANE, YEAR, None, "blob:b"), ["0829"])
    await driver.upload(30, ["0830"])
    assert await collect_all(driver) == 0


async def test_a_set_goes_in_small_deletions(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "ROWS_PER_ROUND", 2)
    await driver.upload(10, ["0828"] * 5)
    await driver.upload(20, ["0829"])
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    rounds = []
    while (collected := await collect_once(driver.ledger, UNSEEN_SECONDS)).more:
        rounds.append(collected.rows)
    assert rounds == [2, 2]
    assert collected == Collected(1, more=False)
    assert await kept_entries(driver) == [20]


async def test_a_round_takes_many_small_sets_and_not_more_rows_than_it_may(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "ROWS_PER_ROUND", 5)
    for token in range(10, 19):
        await driver.upload(token, ["0828", "0829"])
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    rounds = [await collect_once(driver.ledger, UNSEEN_SECONDS) for _ in range(4)]
    assert rounds == [Collected(5, more=True)] * 3 + [Collected(1, more=False)]
    for token in range(20, 24):
        await driver.upload(token, ["0828"])
    await driver.advance_clock(2 * UNSEEN_SECONDS + 120)
    monkeypatch.setattr(collect, "SETS_PER_ROUND", 3)
    rounds = [await collect_once(driver.ledger, UNSEEN_SECONDS) for _ in range(2)]
    assert rounds == [Collected(4, more=True), Collected(1, more=False)]
    assert await kept_entries(driver) == [23]


async def test_a_look_reads_no_set_that_is_collected(driver: LedgerDriver) -> None:
    await driver.rows(OLD_SETS)
    await driver.rows("ANALYZE carbon.entry_sets")
    await driver.rows("ANALYZE carbon.emission_sets")
    for query in (collect.ENTRY_SETS_TO_COLLECT, collect.EMISSION_SETS_TO_COLLECT):
        plan = "\n".join(
            row[0]
            for row in await driver.rows(
                "EXPLAIN (ANALYZE, COSTS OFF) "
                + query.replace("$1", str(UNSEEN_SECONDS)).replace("$2", "50")
            )
        )
        assert "uncollected_" in plan, plan
        assert "Rows Removed by Filter" not in plan, plan


async def test_one_process_collects_at_a_time(driver: LedgerDriver, database_url: str) -> None:
    await driver.upload(10, ["0828"])
    await driver.upload(20, ["0829"])
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    other = await asyncpg.connect(database_url)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", COLLECTOR_LOCK)
        assert await collect_once(driver.ledger, UNSEEN_SECONDS) == Collected(0, more=False)
    finally:
        await other.close()
    assert await collect_all(driver) == 1


async def test_a_collection_that_fails_keeps_no_lock(
    driver: LedgerDriver, database_url: str
) -> None:
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE carbon.emission_sets")
            with pytest.raises(DatabaseUnavailable):
                await collect_once(driver.ledger, UNSEEN_SECONDS)
        # It waits for the session that failed to be gone.
        await other.execute("SELECT pg_advisory_lock($1)", COLLECTOR_LOCK, timeout=20.0)
    finally:
        await other.close()


async def test_rows_that_were_there_already_go(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"], digest="d")
    await driver.upload(20, ["0828"], digest="d")
    await driver.advance_clock(UNSEEN_SECONDS + 60)
    assert await collect_all(driver) == 1
    assert await kept_entries(driver) == [10]
