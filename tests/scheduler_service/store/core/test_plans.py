"""The hot statements find their rows by an index, whatever the statistics say."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from scheduler_service.jobs.requests import Submission
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core import pool
from scheduler_service.store.core.pool import session_settings
from scheduler_service.store.core.statements import Row, statement, statement_files
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

# What a job's row looks like is learned from one that RPCs made; only the number is SQL's.
CLONE = """
INSERT INTO scheduler.{table} ({columns})
SELECT {selected} FROM scheduler.{table} AS t, generate_series(1, {copies}) AS copy
WHERE t.job_id = {job_id}
"""
LIVE, FINISHED = 10_000, 100_000
# A share of so many is more than the planner would look up one by one.
WAITING = 100_000
OF_EACH_JOB = {"job_id", "claim_token", "last_token", "finished_by_token", "fair_stamp"}
PRIMARY_KEY, CLAIMABLE = "jobs_pkey", "claimable_jobs_of_a_tenant"
TO_RUN_ALONE = "claimable_jobs_to_run_alone"
OF_PIPELINE, OF_SLOT = "jobs_of_a_pipeline", "jobs_of_a_slot_by_claim"
JOB_INDEXES = {
    "claim_jobs": {CLAIMABLE, TO_RUN_ALONE, PRIMARY_KEY},
    "finish_jobs": {PRIMARY_KEY},
    "hold_finishing_jobs": {PRIMARY_KEY},
    "settle_keys": {PRIMARY_KEY, "waiting_jobs_of_a_key_in_order"},
    "save_pipelines": {PRIMARY_KEY},
    "failed_uploads": {"failed_uploads_of_a_module", "good_uploads_of_a_source"},
    "newer_upload": {"what_was_brought"},
    "live_jobs_of_keys": {
        "one_claimable_or_running_job_per_exclusive_key",
        "waiting_jobs_of_a_key_in_order",
    },
}
# Read in many pipelines of few jobs, which is what the planner has to expect.
INDEXES_OF_PIPELINE = {
    "live_jobs_of": {OF_PIPELINE},
    "lock_live_jobs_of": {OF_PIPELINE},
    "active_jobs": {OF_PIPELINE, PRIMARY_KEY, OF_SLOT},
    "changed_jobs": {OF_PIPELINE, PRIMARY_KEY, OF_SLOT},
    "children_still_held": {OF_PIPELINE, PRIMARY_KEY},
    "list_jobs": {OF_PIPELINE, PRIMARY_KEY, OF_SLOT},
    "list_jobs_of_pipeline": {OF_PIPELINE, PRIMARY_KEY, OF_SLOT},
    "first_jobs": {OF_PIPELINE, PRIMARY_KEY, OF_SLOT},
}
CLAIM_STATEMENTS = ("renew_claims", "delete_claims", "hold_finishing_jobs", "finish_jobs")


async def clone(driver: StoreDriver, job_id: int, copies: int) -> None:
    """So many more jobs (and claims, and live jobs of their pipeline) like this one."""
    pool = driver.store.pool
    last = await pool.fetchval(
        "SELECT nextval('scheduler.tokens') + max(job_id) FROM scheduler.jobs"
    )
    for table in ("jobs", "claims"):
        names = await pool.fetchval(
            "SELECT array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = 'scheduler' AND table_name = $1",
            table,
        )
        own = f"CASE WHEN t.{{}} IS NOT NULL THEN copy + {last} END"
        selected = [own.format(name) if name in OF_EACH_JOB else f"t.{name}" for name in names]
        await pool.execute(
            CLONE.format(
                table=table,
                columns=", ".join(names),
                selected=", ".join(selected),
                copies=copies,
                job_id=job_id,
            )
        )
    for sequence in ("tokens", "job_ids"):
        await pool.execute(f"SELECT setval('scheduler.{sequence}', {last + copies})")
    await pool.execute(
        "UPDATE scheduler.pipelines AS p"
        " SET live_jobs = live_jobs + CASE WHEN j.state <> 'FINISHED' THEN $2 ELSE 0 END,"
        " finished_jobs = finished_jobs + CASE WHEN j.state = 'FINISHED' THEN $2 ELSE 0 END"
        " FROM scheduler.jobs AS j WHERE j.job_id = $1 AND p.pipeline_id = j.pipeline_id",
        job_id,
        copies,
    )


async def plan_of(url: str, name: str) -> dict[str, Any]:
    """The generic plan, which is the one that the scheduler's sessions use."""
    asked = statement(name)
    conn = await asyncpg.connect(url, server_settings=session_settings("plans"))
    try:
        await conn.execute(f"PREPARE asked AS {asked.text}")
        nothing = ", ".join("NULL" for _ in asked.parameters)
        execute = f"EXECUTE asked({nothing})" if nothing else "EXECUTE asked"
        found = await conn.fetchval(f"EXPLAIN (FORMAT JSON) {execute}")
    finally:
        await conn.close()
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def indexes_on(plan: dict[str, Any], table: str) -> set[str]:
    """The indexes by which a plan reads a table; "none" for a scan of the whole."""
    found = set()
    for node in nodes(plan):
        if node.get("Relation Name") == table and "Scan" in node["Node Type"]:
            found.add(node.get("Index Name") or index_below(node))
    return found


def index_below(node: dict[str, Any]) -> str:
    """A bitmap scan names its index one node further down."""
    return next((n["Index Name"] for n in nodes(node) if "Index Name" in n), "none")


def whole_indexes(plan: dict[str, Any]) -> set[str]:
    """Indexes that a plan reads from one end to the other."""
    return {n["Index Name"] for n in nodes(plan) if "Index Name" in n and "Index Cond" not in n}


async def all_waiting(driver: StoreDriver) -> None:
    submitted = await driver.submit("noop", Scope(TENANT))
    await clone(driver, submitted.job_id, WAITING)


async def all_running_and_many_finished(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    done = await driver.claim("noop")
    await driver.finish(done)
    await clone(driver, done.row.job_id, FINISHED)
    await driver.submit("noop", Scope(TENANT))
    held = await driver.claim("noop")
    await clone(driver, held.row.job_id, LIVE)


# What sweeps, people's lists and a worker's end read from one end to the other: rows that live for
# a moment, and one per worker.
READ_WHOLE = {
    # Where a job is to run alone: the claims of the worker that asks, and who else could make room.
    "claim_alone": {"claims"},
    "claim_jobs": {TO_RUN_ALONE, "claims", "late_queues_pkey", "workers"},
    "mark_company": {"claims"},
    "explain_job": {"set_asides"},
    "queue_stats": {"claims", "jobs_pkey"},
    "verify_live_claims": {"claims", "jobs_pkey"},
    "verify_progress": {"set_asides"},
    "forget_ended_workers": {"claims"},
    "forget_late_queues": {"late_queues"},
    "forget_pauses": {"pauses"},
    "forget_set_asides": {"set_asides"},
    "forget_workers": {"claims", "workers_pkey"},
    "grant_after_outage": {"claims", "claims_pkey"},
    "held_claims": {"claims"},
    # The pauses that last.
    "late_by_a_pause": {"one_pause_of_a_type_at_a_time"},
    "list_workers": {"claims_pkey", "jobs_pkey", "workers_pkey"},
    "seconds_to_next_due": {"claims"},
    "see_worker": {"workers"},
    "workers_for_job": {"workers"},
    "workers_of_queues": {"workers"},
}


async def test_no_statement_reads_the_whole_of_a_table_that_grows(database_url: str) -> None:
    read_whole = {}
    for name in statement_files():
        plan = await plan_of(database_url, name)
        tables = {n["Relation Name"] for n in nodes(plan) if n["Node Type"] == "Seq Scan"}
        if tables or whole_indexes(plan):
            read_whole[name] = tables | whole_indexes(plan)
    assert read_whole == READ_WHOLE


@pytest.mark.parametrize("fill", [all_waiting, all_running_and_many_finished])
async def test_hot_statements_find_their_rows_by_the_index_meant_for_it(
    driver: StoreDriver, database_url: str, fill: Callable[[StoreDriver], Awaitable[None]]
) -> None:
    await fill(driver)
    for table in ("jobs", "claims", "pipelines"):
        await driver.store.pool.execute(f"VACUUM ANALYZE scheduler.{table}")
    plans = {name: await plan_of(database_url, name) for name in JOB_INDEXES}
    assert {name: indexes_on(plan, "jobs") for name, plan in plans.items()} == JOB_INDEXES
    # Of pipelines there are two here, so that any way to them is right. Whether any job is to run
    # alone, or any queue is late, is asked of the head of an index that is nearly always empty.
    whole = {n for plan in plans.values() for n in whole_indexes(plan)}
    assert not whole - {"pipelines_pkey", "late_queues_pkey", TO_RUN_ALONE}
    if fill is all_running_and_many_finished:
        for name in CLAIM_STATEMENTS:
            assert indexes_on(await plan_of(database_url, name), "claims") == {"claims_pkey"}


async def test_what_reads_a_pipelines_jobs_reads_no_others(
    driver: StoreDriver, database_url: str
) -> None:
    for _ in range(6):
        await driver.submit_jobs(
            [
                Submission(uuid4(), b"body", "noop", Scope(TENANT), None, 5, "tester")
                for _ in range(500)
            ]
        )
    claims = await driver.claim_all("noop", max_jobs=1500)
    await driver.finish_jobs([driver.ending(claim) for claim in claims])
    for table in ("jobs", "claims", "pipelines"):
        await driver.store.pool.execute(f"VACUUM ANALYZE scheduler.{table}")
    plans = {name: await plan_of(database_url, name) for name in INDEXES_OF_PIPELINE}
    found = {name: indexes_on(plan, "jobs") for name, plan in plans.items()}
    assert found == INDEXES_OF_PIPELINE
    for name in ("list_jobs", "last_listed_pipeline"):
        plan = await plan_of(database_url, name)
        assert indexes_on(plan, "pipelines") == {"pipelines_of_a_tenant_by_number"}
    by_tenant_then_each = {"pipelines_of_a_tenant_by_number", "pipelines_pkey"}
    assert indexes_on(await plan_of(database_url, "list_pipelines"), "pipelines") == (
        by_tenant_then_each
    )
    for name, plan in plans.items():
        (read_by,) = {n["Index Cond"] for n in nodes(plan) if n.get("Index Name") == OF_PIPELINE}
        if name == "first_jobs":
            # The numbers of all of them: it does not matter which have ended.
            continue
        # Else a change of a large pipeline, or its end, would cost a look at all of its jobs.
        assert "FINISHED" in read_by
        assert ("changed_version" in read_by) == (name == "changed_jobs")


BEATS = 1_500
MANY_CLAIMS = """
INSERT INTO scheduler.claims (claim_token, job_id, worker_id, principal, lease_until)
SELECT n, n, gen_random_uuid(), 'local', scheduler.clock() FROM generate_series(1, 10000) AS n
"""


async def test_what_many_beats_read_grows_with_their_number_only(
    driver: StoreDriver, database_url: str
) -> None:
    for _ in range(3):
        await driver.submit_jobs(
            [
                Submission(uuid4(), b"body", "noop", Scope(TENANT), None, 5, "tester")
                for _ in range(500)
            ]
        )
    claims = await driver.claim_all("noop", max_jobs=BEATS)
    given: dict[str, list[Any]] = {
        "worker_ids": [driver.worker_id] * BEATS,
        "principals": ["local"] * BEATS,
        "job_ids": [claim.row.job_id for claim in claims],
        "claim_tokens": [claim.claim_token for claim in claims],
        "done": [1] * BEATS,
        "total": [2] * BEATS,
        "phases": ["read"] * BEATS,
        "messages": ["so far"] * BEATS,
        "tenants": [json.dumps([TENANT])] * BEATS,
    }
    conn = await asyncpg.connect(database_url, server_settings=session_settings("plans"))
    try:
        for name in ("renew_claims", "claims_not_renewed"):
            asked = statement(name)
            await conn.execute(f"PREPARE {name} AS {asked.text}")
            values = ", ".join(literal(given.get(one)) for one in asked.parameters)
            found = await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE {name}({values})")
            read = [rows_through(node) for node in nodes(json.loads(found)[0]["Plan"])]
            assert max(read) < 4 * BEATS, name
    finally:
        await conn.close()


def literal(values: list[Any] | None) -> str:
    """An array as SQL says it; a lease's seconds where there is none."""
    if values is None:
        return "45.0"
    quoted = (str(value).replace('"', '\\"') for value in values)
    return "'{" + ",".join(f'"{value}"' for value in quoted) + "}'"


def rows_through(node: dict[str, Any]) -> float:
    """What a node has looked at, over all the times that it ran."""
    removed = sum(node.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Join Filter"))
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


async def test_plans_of_an_empty_table_are_gone_when_it_has_filled(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PLANS_SECONDS_MAX", -1.0)
    asked = statement("renew_claims")
    nothing = ", ".join("NULL" for _ in asked.parameters)
    opened = await pool.open_pool(database_url, "plans", 1)
    try:
        async with opened.acquire() as conn:
            await conn.execute("VACUUM ANALYZE scheduler.claims")
            await asked.rows(conn, Row, **dict.fromkeys(asked.parameters))
            name = await conn.fetchval(
                "SELECT name FROM pg_prepared_statements WHERE statement = $1", asked.text
            )
            explain = f"EXPLAIN (FORMAT JSON) EXECUTE {name}({nothing})"
            plan = json.loads(await conn.fetchval(explain))[0]["Plan"]
            assert whole_indexes(plan) >= {"claims_pkey"}
            await conn.execute(MANY_CLAIMS)
        # The same session, as the prepared statement shows.
        async with opened.acquire() as conn:
            plan = json.loads(await conn.fetchval(explain))[0]["Plan"]
            assert indexes_on(plan, "claims") == {"claims_pkey"}
            assert not whole_indexes(plan)
    finally:
        await opened.close()


async def test_a_claim_reads_nothing_of_tenants_that_it_is_not_for(
    driver: StoreDriver, database_url: str
) -> None:
    submitted = await driver.submit("noop", Scope("other"))
    await clone(driver, submitted.job_id, LIVE)
    mine = await driver.submit("noop", Scope(TENANT))
    asked = statement("claim_jobs")
    values = {
        "worker_ids": [uuid4()],
        "request_ids": [uuid4()],
        "principals": ["local"],
        "max_jobs": [10],
        "job_types": ["noop"],
        "tenants": [TENANT],
        "spare_heads": 100,
        "lease_seconds": 45.0,
        "answer_bytes_max": 1_000_000,
    }
    conn = await asyncpg.connect(database_url, server_settings=session_settings("plans"))
    try:
        found = await conn.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.text}",
            *asked.arguments(values),
        )
    finally:
        await conn.close()
    read = [
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        for node in nodes(json.loads(found)[0]["Plan"])
        if node.get("Relation Name") == "jobs" and "Scan" in node["Node Type"]
    ]
    assert await driver.state(mine.job_id) == "RUNNING"
    assert max(read) == 1
