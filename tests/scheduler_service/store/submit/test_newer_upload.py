"""What a retry reads to learn whether something newer would be replaced."""

import json
import re
from dataclasses import replace
from uuid import uuid4

import asyncpg

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.rivals import rivals_of
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.pool import session_settings
from scheduler_service.store.core.statements import statement
from scheduler_service.store.submit.retry_pipeline import columns_of
from tests.scheduler_service.store.core.test_plans import nodes, rows_through
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAVEL,
    YEAR,
    StoreDriver,
)
from tests.scheduler_service.store.submit.test_retry_pipeline import (
    failed,
    landed,
    pipeline_in_the_way,
    refused,
)

# Pipelines behind an upload.
LATER = 60
BY_SCOPE = "what_was_brought"


def test_what_brings_data_is_looked_for_and_nothing_else() -> None:
    """The statement names types as its index does, and not as they are declared."""
    [named] = re.findall(r"j\.job_type IN \(([^)]*)\)", statement("newer_upload").text)
    scope = Scope(TENANT, TRAVEL, PLANE, YEAR, "0828", "locations")
    bring = {kind for kind in JOB_TYPES if rivals_of(kind, scope, None)}
    assert set(re.findall(r"'(\w+)'", named)) == bring


async def test_a_retry_reads_the_newest_upload_of_its_scope_alone(
    driver: StoreDriver, database_url: str
) -> None:
    older = await failed(driver)
    others = [
        driver.submission("noop", Scope(TENANT)),
        driver.submission("csv_ingest", Scope(TENANT, TRAVEL, PLANE, YEAR, "0829")),
        driver.submission("emission_recalc", RECALC),
        driver.submission("csv_ingest", INGEST),
    ]
    for _ in range(LATER // len(others)):
        await driver.submit_jobs([replace(one, request_id=uuid4()) for one in others])
    newer = await driver.submit("csv_ingest", INGEST)
    asked = statement("newer_upload")
    given = {
        "tenant": TENANT,
        "pipeline_id": older.pipeline_id,
        "oldest": older.pipeline_id,
        **columns_of(rivals_of("csv_ingest", INGEST, {"blob": "blob:sha256:0"})),
    }
    await driver.store.pool.execute("VACUUM ANALYZE scheduler.jobs")
    conn = await asyncpg.connect(database_url, server_settings=session_settings("plans"))
    try:
        explained = await conn.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.text}", *asked.arguments(given)
        )
    finally:
        await conn.close()
    read = [n for n in nodes(json.loads(explained)[0]["Plan"]) if n.get("Relation Name") == "jobs"]
    assert [(node["Index Name"], rows_through(node)) for node in read] == [(BY_SCOPE, 1)]
    assert await pipeline_in_the_way(driver, older.pipeline_id) == newer.pipeline_id


async def test_sources_are_compared_as_workers_read_them(driver: StoreDriver) -> None:
    submitted = await failed(driver, payload={"blob": "blob:sha256:1", "source": " Agence ÉTÉ"})
    await landed(driver, payload={"blob": "blob:sha256:1", "source": "agence été"})
    assert (await refused(driver, submitted.pipeline_id)).reason == "SUPERSEDED"
    default = await failed(driver)
    await landed(driver, payload={"blob": "blob:sha256:1", "source": "default"})
    assert (await refused(driver, default.pipeline_id)).reason == "SUPERSEDED"
