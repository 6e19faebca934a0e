"""Day after day of use, sweeps and retention: no table grows, and no sweep reads more than before.

The clock is moved. What is compared are rows and buffers, never times. Years, keys and freshness
have rows for each module and year, however often these are used.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import pytest
import structlog

from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.statements import Connection, Statement
from scheduler_service.store.store import Store
from scheduler_service.sweeps.loop import Sweep
from tests.scheduler_service.store.core.test_plans import nodes, rows_through
from tests.scheduler_service.store.retention.test_remove_pipelines import run, upload
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

NOOP = Scope(TENANT)
DAY = timedelta(days=1)
KEPT_DAYS = 3
# Since then, each day as much is old as comes. Pauses and pipelines end a moment after the day's
# beginning, and what waits for another to go, goes a day later.
FLAT_AFTER_DAYS = KEPT_DAYS + 3
TABLES = """
SELECT c.relname FROM pg_class AS c
WHERE c.relkind = 'r' AND c.relnamespace = CAST('scheduler' AS regnamespace)
    AND c.relname <> 'alembic_version'
"""
# Where a row lies on its page, and how many entries of an index await their removal.
BUFFERS_SLACK, BUFFERS_FACTOR = 100, 2.0


async def a_day_of_use(driver: StoreDriver, pipelines: int) -> None:
    """Uploads, failures, a retry, a cancel, a lost worker, a pause: of each as much every day."""
    today = driver.another()
    for _ in range(pipelines):
        await upload(today)
        failed = await run(today, "noop", NOOP, JobResult.ERROR)
        await today.retry(failed.pipeline_id)
        await today.finish(await today.claim("noop"))
        waiting = await today.submit("noop", NOOP)
        await today.cancel(waiting.pipeline_id)
    failed = await run(today, "csv_ingest", INGEST, JobResult.ERROR)
    await today.retry(failed.pipeline_id)
    await today.finish(await today.claim("csv_ingest"))
    await today.submit("noop", NOOP)
    lost = driver.another()
    await lost.claim("noop")
    await lost.let_leases_expire()
    await today.finish(await today.claim("noop"))
    await today.store.pause_job_type([TENANT], "unit_sync", "a test asks", "tester")
    await today.store.resume_job_type([TENANT], "unit_sync", "tester")


@contextmanager
def measured(costs: Counter[tuple[str, str]]) -> Iterator[None]:
    """Each statement runs twice: explained and rolled back, and as ever. Counts what it reads."""
    rows, run_it = Statement.rows, Statement.run

    async def explain(asked: Statement, conn: Connection, given: dict[str, Any]) -> None:
        # The store writes BEGIN itself, of which the driver knows nothing.
        within = conn.is_in_transaction()
        await conn.execute("SAVEPOINT explained" if within else "BEGIN")
        found = await conn.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.text}", *asked.arguments(given)
        )
        await conn.execute("ROLLBACK TO SAVEPOINT explained" if within else "ROLLBACK")
        plan = json.loads(found)[0]["Plan"]
        read = [node for node in nodes(plan) if "Relation Name" in node]
        costs[asked.name, "rows"] += int(sum(map(rows_through, read)))
        costs[asked.name, "buffers"] += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    async def explained_rows(asked: Statement, conn: Connection, row: Any, /, **given: Any) -> Any:
        await explain(asked, conn, given)
        return await rows(asked, conn, row, **given)

    async def explained_run(asked: Statement, conn: Connection, **given: Any) -> None:
        await explain(asked, conn, given)
        await run_it(asked, conn, **given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Statement, "rows", explained_rows)
        patched.setattr(Statement, "run", explained_run)
        yield


@asynccontextmanager
async def sweeping(driver: StoreDriver) -> AsyncIterator[Store]:
    """The store of the sweeps, which keeps pipelines for KEPT_DAYS only."""
    used = driver.store
    store = Store(
        used.pools,
        lease_seconds=used.lease_seconds,
        sweep_seconds=used.sweep_seconds,
        retention_days=KEPT_DAYS,
    )
    yield store
    await store.notifier.close()


async def a_days_sweeps(store: Store) -> Counter[tuple[str, str]]:
    """What every sweep and look of retention of the day has read, by statement."""
    costs: Counter[tuple[str, str]] = Counter()
    with measured(costs):
        sweep = Sweep(store, structlog.get_logger())
        await sweep.once()
        await sweep.pause_seconds()
        await store.forget_old()
        await store.remove_pipelines()
    return costs


async def counts_of_rows(store: Store) -> Counter[str]:
    tables = [row["relname"] for row in await store.pool.fetch(TABLES)]
    return Counter(
        {t: await store.pool.fetchval(f"SELECT count(*) FROM scheduler.{t}") for t in tables}
    )


async def use(driver: StoreDriver, days: int, pipelines: int) -> None:
    """Days of use, and no table and no sweep is larger than it was when they became flat."""
    rows, costs = list[Counter[str]](), list[Counter[tuple[str, str]]]()
    async with sweeping(driver) as store:
        for _ in range(days):
            await a_day_of_use(driver, pipelines)
            await driver.pass_time(DAY)
            costs.append(await a_days_sweeps(store))
            rows.append(await counts_of_rows(store))
            # As autovacuum does meanwhile.
            for table in rows[-1]:
                await store.pool.execute(f"VACUUM (ANALYZE) scheduler.{table}")
    assert costs[-1]["remove_pipelines", "rows"] > 0
    assert rows[0].keys() >= {"pipelines", "jobs", "workers", "pauses", "claim_requests"}
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


async def test_a_month_leaves_tables_and_sweeps_as_they_were(driver: StoreDriver) -> None:
    await use(driver, days=31, pipelines=2)


@pytest.mark.slow
async def test_a_month_of_much_use_leaves_tables_and_sweeps_as_they_were(
    driver: StoreDriver,
) -> None:
    await use(driver, days=31, pipelines=50)
