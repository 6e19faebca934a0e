"""The list of a set names each row that uses a factor, or says that many do."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.ledger import collect, factor_uses
from worker_service.ledger.emission_patches import AffectedEntries, affected_entries
from worker_service.ledger.emission_sets import StandingSet
from worker_service.ledger.entry_sets import PublishedSet
from worker_service.ledger.factor_uses import FactorUses, store_uses, uses_by_set

SCHEMA = {"factor_id": pl.Int64, "row_number": pl.Int32}
SETS = PublishedSet(10, 0, 0, 10)


@pytest.fixture
async def driver(driver: LedgerDriver) -> AsyncIterator[LedgerDriver]:
    """Its set has lists of rows that it does not have, which no other reader may see."""
    yield driver
    await driver.rows("DELETE FROM carbon.factor_uses")
    await driver.rows("UPDATE carbon.emission_sets SET lists_factor_uses = false")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factor_uses, "PATCH_ENTRIES_MAX", 5)
    monkeypatch.setattr(factor_uses, "USES_PER_CHUNK", 3)


async def listed(driver: LedgerDriver, uses: FactorUses) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20)
    async with driver.ledger.transaction() as conn:
        await store_uses(conn, TENANT, 20, [(10, uses.rows(TENANT, 20, SETS))])


async def affected(driver: LedgerDriver, *changed: int) -> AffectedEntries | None:
    """What a change of some of a hundred factors affects."""
    tokens = [40 if factor in changed else 20 for factor in range(1, 101)]
    factors = pl.DataFrame(
        {"factor_id": range(1, 101), "version": [1] * 100, "changed_token": tokens}
    )
    one = StandingSet(20, SETS, "", 20, lists_factor_uses=True)
    async with driver.ledger.snapshot() as conn:
        return await affected_entries(conn, TENANT, [one], factors)


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_found_is_what_a_search_of_all_batches_finds(
    driver: LedgerDriver, seed: int
) -> None:
    chance = random.Random(seed)
    uses, rows = FactorUses(), defaultdict(set)
    factors = chance.sample(range(1, 101), 6)
    for batch in range(chance.randint(1, 6)):
        pairs = {
            (chance.choice(factors), row)
            for row in range(batch * 20 + 1, batch * 20 + chance.randint(1, 21))
        }
        for factor, row in pairs:
            rows[factor].add(row)
        uses.add(pl.DataFrame(sorted(pairs), schema=SCHEMA, orient="row"))
    await listed(driver, uses)
    alone = [[factor] for factor in factors]
    for some in [*alone, [chance.randint(1, 100)], [], chance.sample(factors, 3)]:
        found = await affected(driver, *some)
        if any(len(rows[one]) > 5 for one in some):
            assert found is None
        else:
            expected = set().union(*(rows[one] for one in some))
            assert found is not None
            assert sorted(found.row_numbers) == sorted(expected)


@pytest.mark.parametrize(("uses_of_all", "is_whole"), [(4, True), (5, False), (6, False)])
def test_a_set_with_too_many_uses_lists_none(
    monkeypatch: pytest.MonkeyPatch, uses_of_all: int, is_whole: bool
) -> None:
    monkeypatch.setattr(factor_uses, "LISTED_ROWS_MAX", 4)
    uses = FactorUses()
    for number in range(1, uses_of_all + 1):
        uses.add(pl.DataFrame({"factor_id": [number], "row_number": [number]}, schema=SCHEMA))
    assert uses.is_whole == is_whole
    assert bool(uses.rows(TENANT, 20, SETS)) == is_whole


def test_an_entry_that_uses_a_factor_twice_is_listed_once() -> None:
    emissions = pl.DataFrame(
        {
            "entry_set": [10, 10, 10, 11, 10],
            "factor_id": [1, 1, 2, 1, None],
            "row_number": [7, 7, 7, 7, 8],
        },
        schema_overrides=SCHEMA,
    )
    found = uses_by_set(emissions, frozenset({10, 12}))
    assert {key: sorted(of.rows()) for key, of in found.items()} == {10: [(1, 7), (2, 7)]}


async def test_entries_without_a_number_are_affected_whatever_is_listed(
    driver: LedgerDriver,
) -> None:
    await listed(driver, FactorUses())
    await driver.rows(
        "INSERT INTO carbon.uncomputed_entries (tenant, emission_set, entry_set, row_number, unit,"
        " outcome, detail) VALUES ('local', 20, 10, 7, '0828', 'missing_value', ''),"
        " ('local', 20, 10, 8, '0828', 'no_factor', '')"
    )
    one = StandingSet(20, PublishedSet(10, 8, 8, 10), "", 20, lists_factor_uses=True)
    factors = pl.DataFrame({"factor_id": [1], "version": [1], "changed_token": [40]})
    async with driver.ledger.snapshot() as conn:
        found = await affected_entries(conn, TENANT, [one], factors)
    assert found is not None
    assert found.row_numbers == [7]


async def test_the_list_goes_with_the_rows(driver: LedgerDriver) -> None:
    uses = FactorUses()
    uses.add(pl.DataFrame({"factor_id": [1], "row_number": [1]}, schema=SCHEMA))
    await listed(driver, uses)
    assert await driver.rows("SELECT factor_ids, row_numbers FROM carbon.factor_uses") == [
        ([1], [1])
    ]
    await driver.upload(30, ["0829"])
    await driver.recalculate(40)
    await driver.advance_clock(7200)
    await collect.collect_once(driver.ledger, 3600)
    assert await driver.rows("SELECT FROM carbon.factor_uses") == []


async def test_the_list_of_a_set_that_an_older_release_collected_goes_with_its_summary(
    driver: LedgerDriver,
) -> None:
    uses = FactorUses()
    uses.add(pl.DataFrame({"factor_id": [1], "row_number": [1]}, schema=SCHEMA))
    await listed(driver, uses)
    await driver.rows("DELETE FROM carbon.emissions")
    await driver.rows("DELETE FROM carbon.emission_sums")
    await driver.rows("DELETE FROM carbon.emission_sets WHERE emission_set = 20")
    assert await driver.rows("SELECT FROM carbon.factor_uses") == []
