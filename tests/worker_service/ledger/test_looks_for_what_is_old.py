"""A look for what is old reads what is old, however much is kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import worker_service.ledger
from tests.scheduler_service.store.core.test_plans import nodes, rows_through
from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.ledger.test_collect import A_DAY, collect_all
from worker_service.ledger.old_summaries import DELETE_EMISSION_SETS, LONG_AGO, OLD_ENTRY_SETS

COPIES = 2_000
# What a row looks like is learned from one that was written; only the numbers are SQL's.
CLONE = """
INSERT INTO carbon.{table} ({columns})
SELECT {selected} FROM carbon.{table} AS t, generate_series(1, {copies}) AS copy
WHERE t.collected_at IS NOT NULL
"""
LOOKS = {
    "entry_sets": (OLD_ENTRY_SETS, (LONG_AGO, 0)),
    "emission_sets": (DELETE_EMISSION_SETS, (LONG_AGO, 0, 0)),
}
# The clock moves while a statement runs: as such it can bound no look at an index.
OWN_CLOCK = re.compile(r"[<>]=?\s*carbon\.clock\(\)")


async def clone(driver: LedgerDriver, table: str) -> None:
    names = [
        row["column_name"]
        for row in await driver.rows(
            "SELECT CAST(column_name AS text) FROM information_schema.columns"
            f" WHERE table_schema = 'carbon' AND table_name = '{table}'"
        )
    ]
    numbers = {"entry_set", "emission_set"}
    selected = ", ".join("-copy" if name in numbers else f"t.{name}" for name in names)
    made = CLONE.format(table=table, columns=", ".join(names), selected=selected, copies=COPIES)
    async with driver.ledger.transaction() as conn:
        await conn.execute(made)


@pytest.mark.parametrize("table", LOOKS)
async def test_nothing_of_what_is_kept_is_read(driver: LedgerDriver, table: str) -> None:
    for token in (10, 30):
        await driver.upload(token, ["0828"], pipeline_id=token)
        await driver.recalculate(token + 1)
    await driver.advance_clock(3600.0)
    await collect_all(driver)
    await clone(driver, table)
    look, place = LOOKS[table]
    async with driver.ledger.transaction() as conn:
        found: Any = await conn.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {look}", TENANT, 90 * A_DAY, *place, 200
        )
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    read = [node for node in nodes(plan) if node.get("Relation Name") == table]
    assert read
    assert sum(map(rows_through, read)) == 0


def test_no_statement_of_the_ledger_compares_a_column_with_the_moving_clock() -> None:
    folder = Path(worker_service.ledger.__file__).parent
    found = [
        f"{path.name}: {match[0]}"
        for path in sorted(folder.rglob("*.py"))
        for match in OWN_CLOCK.finditer(path.read_text("utf-8"))
    ]
    assert found == ["changed_units.py: > carbon.clock()"]
