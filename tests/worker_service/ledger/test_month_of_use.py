"""Day after day of use and of housekeeping: no table of the ledger grows, and no statement reads
more than before.

The clock is moved. What is compared are rows and buffers, never times. Fences, input versions and
factors have rows for each type and year, however often these are used.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import structlog

from tests.scheduler_service.store.core.test_plans import nodes, rows_through
from tests.worker_service.ledger.ledger_driver import (
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from tests.worker_service.ledger.test_collect import A_DAY
from tests.worker_service.ledger.test_factors import LONG, SHORT, save
from worker_service.ledger import collect, load_mappings, old_summaries, old_versions
from worker_service.ledger.collect import collect_once
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.job_answers import first_answer
from worker_service.ledger.load_mappings import keep_load_mapping
from worker_service.ledger.pool import Connection, Ledger
from worker_service.steps.old_history import HistoryRetention, forget_history

KEPT_DAYS = 8
# Answers of jobs are kept for a week. Since then, each day as much is old as comes.
FLAT_AFTER_DAYS = KEPT_DAYS + 3
TABLES = """
SELECT c.relname FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = CAST('carbon' AS regnamespace)
    AND c.relname <> 'alembic_version'
"""
# Where a row lies on its page, and how many entries of an index await their removal.
BUFFERS_SLACK, BUFFERS_FACTOR = 100, 2.0
# The upload of this day counts to the end of the month, beside those that are replaced.
LASTING_TOKEN = 7
NAMES = {
    text.strip(): f"{module.__name__.rpartition('.')[2]}.{name}"
    for module in (collect, load_mappings, old_summaries, old_versions)
    for name, text in vars(module).items()
    if isinstance(text, str) and "carbon." in text
}


class Measured:
    """A connection that runs each statement twice: explained and rolled back, and as ever."""

    def __init__(self, conn: Connection, costs: Counter[tuple[str, str]]) -> None:
        self._conn, self._costs = conn, costs

    def __getattr__(self, name: str) -> Any:
        used = getattr(self._conn, name)
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            return used

        async def twice(text: str, *arguments: Any) -> Any:
            if "carbon." in text:
                await self._explain(text, arguments)
            return await used(text, *arguments)

        return twice

    async def _explain(self, text: str, arguments: Sequence[Any]) -> None:
        name = NAMES.get(text.strip(), text)
        transaction = self._conn.transaction()
        await transaction.start()
        found = await self._conn.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", *arguments
        )
        await transaction.rollback()
        plan = json.loads(found)[0]["Plan"] if isinstance(found, str) else found[0]["Plan"]
        read = [node for node in nodes(plan) if "Relation Name" in node]
        self._costs[name, "rows"] += int(sum(map(rows_through, read)))
        self._costs[name, "buffers"] += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@contextmanager
def measured(costs: Counter[tuple[str, str]]) -> Iterator[None]:
    session = Ledger.session

    @asynccontextmanager
    async def measuring(ledger: Ledger) -> AsyncIterator[Any]:
        async with session(ledger) as conn:
            yield Measured(conn, costs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ledger, "session", measuring)
        yield


async def a_day_of_use(driver: LedgerDriver, day: int, uploads: int) -> None:
    """Replaced and withdrawn uploads, refused ones, recalculations, changed factors."""
    token = 1_000 * (day + 1)
    await save(driver, token, (*SHORT[:3], f'{{"ef":{day + 1}}}'), LONG)
    async with driver.ledger.transaction() as conn:
        await keep_load_mapping(conn, TENANT, token, {"columns": {"Faktor": "ef"}})
    for number in range(uploads):
        token += 10
        await driver.upload(token, ["0828"] * 3, pipeline_id=token)
        await driver.recalculate(token + 1)
        await driver.upload(token + 2, ["0829"], unit="0829", pipeline_id=token + 2)
        await driver.recalculate(token + 3)
        await driver.withdraw(token + 4, token + 2)
        refused = NewSet(TENANT, token + 5, MODULE, PLANE, YEAR, None, "blob:a", pipeline_id=1)
        await driver.load(refused, ["0828"])
        async with driver.ledger.transaction() as conn:
            await first_answer(conn, TENANT, token, token, {"rows": number})


async def a_days_housekeeping(driver: LedgerDriver) -> Counter[tuple[str, str]]:
    """What every statement of the day's housekeeping has read."""
    costs: Counter[tuple[str, str]] = Counter()

    async def exist(_tenant: str, pipelines: Sequence[int]) -> Sequence[int]:
        return [one for one in pipelines if one == LASTING_TOKEN]

    retention = HistoryRetention(KEPT_DAYS * A_DAY, exist)
    with measured(costs):
        while (await collect_once(driver.ledger, 60.0)).more:
            pass
        await forget_history(driver.ledger, retention, structlog.get_logger())
    return costs


async def counts_of_rows(driver: LedgerDriver) -> Counter[str]:
    tables = [row["relname"] for row in await driver.rows(TABLES)]
    return Counter(
        {t: (await driver.rows(f"SELECT count(*) FROM carbon.{t}"))[0][0] for t in tables}
    )


async def use(driver: LedgerDriver, days: int, uploads: int) -> None:
    """Days of use, and no table and no statement is larger than when they became flat."""
    rows, costs = list[Counter[str]](), list[Counter[tuple[str, str]]]()
    await save(driver, 1, SHORT, LONG)
    await driver.upload(LASTING_TOKEN, ["0830"], unit="0830", pipeline_id=LASTING_TOKEN)
    await driver.recalculate(LASTING_TOKEN + 1)
    for day in range(days):
        await a_day_of_use(driver, day, uploads)
        await driver.advance_clock((day + 1) * A_DAY)
        costs.append(await a_days_housekeeping(driver))
        rows.append(await counts_of_rows(driver))
        async with driver.ledger.session() as conn:
            for table in rows[-1]:
                # As autovacuum does meanwhile.
                await conn.execute(f"VACUUM (ANALYZE) carbon.{table}")
    for name in ("DELETE_ENTRY_SET", "DELETE_EMISSION_SETS"):
        assert costs[-1][f"old_summaries.{name}", "rows"] > 0
    assert costs[-1]["old_versions.DELETE_VERSIONS", "rows"] > 0
    assert costs[-1]["load_mappings.DELETE", "rows"] > 0
    assert rows[0].keys() >= {"entry_sets", "emission_sets", "factor_versions", "load_mappings"}
    middle = (FLAT_AFTER_DAYS + days) // 2
    before, after = slice(FLAT_AFTER_DAYS, middle), slice(middle, days)
    for table in rows[0]:
        flat = max(one[table] for one in rows[before])
        assert max(one[table] for one in rows[after]) <= flat, (table, [one[table] for one in rows])
    for name, what in set().union(*costs):
        course = [one[name, what] for one in costs]
        most = max(course[before])
        if what == "buffers":
            most = int(most * BUFFERS_FACTOR) + BUFFERS_SLACK
        assert max(course[after]) <= most, (name, what, course)
    assert (await driver.states())[LASTING_TOKEN] == "PUBLISHED"


async def test_a_month_leaves_the_ledger_as_it_was(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of each day there is more than a round takes.
    monkeypatch.setattr(old_summaries, "SETS_PER_ROUND", 3)
    await use(driver, days=31, uploads=2)


@pytest.mark.slow
async def test_a_month_of_much_use_leaves_the_ledger_as_it_was(driver: LedgerDriver) -> None:
    await use(driver, days=31, uploads=40)
