"""An index of duplicates that is missing or invalid is made on a full table, while others write."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import IntegrityError

from carbonline.migrations.run import is_current, upgrade
from tests.carbonline.migrations.conftest import on_both_versions
from tests.carbonline.migrations.test_other_sessions import seen

NAME = "scheduler.one_waiting_job_per_coalesce_key"
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
DEFINITION = "SELECT pg_get_indexdef(to_regclass($1))"
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
# At the last of its waits the new index is complete, and refuses duplicates.
WAITS = """
SELECT count(*) FROM pg_stat_activity AS a
WHERE a.datname = current_database() AND a.wait_event_type = 'Lock'
    AND (a.query LIKE '%INDEX CONCURRENTLY%one_waiting_job_per_coalesce_key%')
    AND EXISTS (
        SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE c.relname LIKE 'one_waiting_job_per_coalesce_key%' AND i.indisready
    )
"""
SUBMIT = """
INSERT INTO scheduler.jobs (
    job_id, pipeline_id, tenant, job_type, state, priority, fair_stamp, attempts_max, coalesce_key,
    changed_version, created_at
)
SELECT n, n, 'uni', 'aggregation', 'QUEUED', 5, n, 5, 'key ' || n, 1, now()
FROM generate_series(CAST($1 AS bigint), $2) AS n
"""
DUPLICATE = SUBMIT.replace("SELECT n, n", "SELECT -n, n")


async def cut_short(other: asyncpg.Connection, writer: asyncpg.Connection, create: str) -> None:
    """An index that is invalid, because its creation met an old snapshot and gave up."""
    async with other.transaction(isolation="repeatable_read"):
        await other.fetchval("SELECT 1")
        await writer.execute("SET lock_timeout = '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await writer.execute(create.replace("INDEX", "INDEX CONCURRENTLY", 1))
        await writer.execute("RESET lock_timeout")


@on_both_versions
@pytest.mark.parametrize("broken", ["missing", "invalid"])
async def test_a_broken_index_of_duplicates_is_made_anew_while_jobs_are_submitted(
    url: str, broken: str
) -> None:
    await upgrade(url, "scheduler", "0020")
    other, writer = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await writer.execute(SUBMIT, 1, 10_000)
        definition = await writer.fetchval(DEFINITION, NAME)
        await writer.execute(f"DROP INDEX {NAME}")
        if broken == "invalid":
            await cut_short(other, writer, definition)
        assert await writer.fetchval(IS_VALID, NAME) is (None if broken == "missing" else False)
        async with asyncio.TaskGroup() as tasks, other.transaction(isolation="repeatable_read"):
            await other.fetchval("SELECT 1")
            tasks.create_task(upgrade(url, "scheduler"))
            await seen(writer, WAITS)
            await writer.execute(SUBMIT, 10_001, 10_100)
            with pytest.raises(asyncpg.UniqueViolationError):
                await writer.execute(DUPLICATE, 10_100, 10_100)
        assert await is_current(url, "scheduler")
        assert await writer.fetchval(IS_VALID, NAME) is True
        assert await writer.fetchval(DEFINITION, NAME) == definition
        assert await writer.fetchval(INVALID) == 0
        with pytest.raises(asyncpg.UniqueViolationError):
            await writer.execute(DUPLICATE, 5_000, 5_000)
    finally:
        await other.close()
        await writer.close()


async def test_an_index_that_is_valid_is_not_made_anew(url: str) -> None:
    await upgrade(url, "scheduler", "0020")
    writer = await asyncpg.connect(url)
    file_of = "SELECT pg_relation_filenode(to_regclass($1))"
    before = await writer.fetchval(file_of, NAME)
    await upgrade(url, "scheduler")
    assert await writer.fetchval(file_of, NAME) == before
    await writer.close()


async def test_where_duplicates_wait_the_upgrade_fails_and_ends_well_once_they_are_gone(
    url: str,
) -> None:
    await upgrade(url, "scheduler", "0020")
    writer = await asyncpg.connect(url)
    try:
        await writer.execute(f"DROP INDEX {NAME}")
        await writer.execute(SUBMIT, 1, 10)
        await writer.execute(DUPLICATE, 7, 7)
        with pytest.raises(IntegrityError, match="could not create unique index"):
            await upgrade(url, "scheduler")
        assert not await is_current(url, "scheduler")
        await writer.execute("DELETE FROM scheduler.jobs WHERE job_id = -7")
        await upgrade(url, "scheduler")
        assert await writer.fetchval(IS_VALID, NAME) is True
        assert await writer.fetchval(INVALID) == 0
    finally:
        await writer.close()
