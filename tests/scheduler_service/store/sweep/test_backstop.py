"""Keys that stand still while jobs wait for them are moved on, and what sweeps read does not grow
with what has ended.
"""

import json
from typing import Any

import asyncpg
import pytest

from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.pool import session_settings
from scheduler_service.store.core.statements import statement
from scheduler_service.store.sweep import sweep
from tests.scheduler_service.store.core.test_plans import clone, nodes, rows_through
from tests.scheduler_service.store.store_driver import PLANE, TENANT, TRAVEL, YEAR, StoreDriver

# What a bug would leave behind: keys that stand on nobody, on who has ended, or on a drain that is
# over, and jobs that nobody queues.
STANDING_STILL = {
    "on nobody": "first_job_id = NULL",
    "on a job that is gone": "first_job_id = 1000000",
    "on a drain that is over": "drain_token = 1000000",
    "on a job that is not queued": "drain_token = NULL",
}
UNQUEUED = "UPDATE scheduler.jobs SET state = 'NOT_STARTED' WHERE state = 'QUEUED'"


async def keys_that_stand(driver: StoreDriver, what: str, keys: int) -> list[int]:
    """So many keys, each with a job that waits and that nobody will queue."""
    jobs = [
        await driver.submit("emission_recalc", Scope(TENANT, TRAVEL, PLANE + number, YEAR))
        for number in range(keys)
    ]
    await driver.store.pool.execute(UNQUEUED)
    await driver.store.pool.execute(
        f"UPDATE scheduler.exclusive_keys SET {what} WHERE first_job_id IS NOT NULL"
    )
    return [job.job_id for job in jobs]


@pytest.mark.parametrize("what", STANDING_STILL.values(), ids=STANDING_STILL)
async def test_a_key_that_stands_still_while_a_job_waits_is_moved_on(
    driver: StoreDriver, what: str
) -> None:
    (job_id,) = await keys_that_stand(driver, what, 1)
    assert await driver.store.backstop() == 1
    assert await driver.state(job_id) == "QUEUED"
    assert await driver.store.backstop() == 0


async def test_each_look_goes_on_behind_the_last_and_comes_to_every_key(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "KEYS_MAX", 2)
    scopes = [Scope(TENANT, TRAVEL, PLANE + number, YEAR) for number in range(5)]
    for scope in scopes:
        await driver.submit("emission_recalc", scope)
    await driver.claim_all("emission_recalc")
    # One job waits rightly behind each, but the last key also stands on a drain that is over.
    for scope in scopes:
        await driver.submit("emission_recalc", scope)
    await driver.store.pool.execute(
        "UPDATE scheduler.exclusive_keys SET drain_token = 1000000 WHERE exclusive_key ="
        " (SELECT max(exclusive_key) FROM scheduler.jobs WHERE state = 'NOT_STARTED')"
    )
    assert [await driver.store.backstop() for _ in range(4)] == [0, 0, 1, 0]


async def test_a_key_whose_jobs_run_or_rightly_wait_is_left_alone(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", Scope(TENANT, TRAVEL, PLANE, YEAR, unit="0828"))
    await driver.submit("csv_ingest", Scope(TENANT, TRAVEL, PLANE, YEAR, unit="0829"))
    await driver.claim("csv_ingest")
    assert await driver.store.backstop() == 0


ENDED = 2_000
# What a sweep may look at where almost everything has ended.
ROWS_MAX = 100
OF_SWEEPS: dict[str, dict[str, Any]] = {
    "grant_after_outage": {
        "outage_seconds": 3600.0,
        "own_sweep_at": None,
        "lease_seconds": 45.0,
    },
    "record_sweep": {},
    "expired_claims": {"after_token": 0, "claims_max": 200},
    "due_jobs": {"after_time": None, "after_job_id": 0, "jobs_max": 200},
    "keys_waited_for": {"after_key": "", "keys_max": 1_000},
    "neglected_keys": {"exclusive_keys": ["recalc/uni/20/2024"]},
    "seconds_to_next_due": {"since_seconds": 1.0},
}
# Each ended job had a key of its own, and so had what it left behind.
OF_OLD = (
    "UPDATE scheduler.jobs SET exclusive_key = 'old/' || job_id WHERE state = 'FINISHED'",
    """INSERT INTO scheduler.exclusive_keys (exclusive_key, next_number)
    SELECT exclusive_key, 2 FROM scheduler.jobs WHERE state = 'FINISHED'""",
    "VACUUM ANALYZE scheduler.jobs",
    "VACUUM ANALYZE scheduler.exclusive_keys",
)


async def test_what_a_sweep_reads_does_not_grow_with_what_has_ended(
    driver: StoreDriver, database_url: str
) -> None:
    await driver.submit("emission_recalc", Scope(TENANT, TRAVEL, PLANE, YEAR))
    done = await driver.claim("emission_recalc")
    await driver.finish(done)
    await clone(driver, done.row.job_id, ENDED)
    for statement_of_old in OF_OLD:
        await driver.store.pool.execute(statement_of_old)
    read = {}
    conn = await asyncpg.connect(database_url, server_settings=session_settings("plans"))
    try:
        for name, given in OF_SWEEPS.items():
            asked = statement(name)
            async with conn.transaction():
                found = await conn.fetchval(
                    f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.text}", *asked.arguments(given)
                )
            read[name] = max(rows_through(node) for node in nodes(json.loads(found)[0]["Plan"]))
    finally:
        await conn.close()
    assert {name: rows for name, rows in read.items() if rows > ROWS_MAX} == {}
