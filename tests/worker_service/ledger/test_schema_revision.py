"""A ledger process and a worker start on the schema that they need, and on a newer one."""

import asyncpg
import pytest

from worker_service.ledger.errors import SchemaMissing
from worker_service.ledger.pool import SCHEMA_REVISION, open_ledger


async def set_revision(database_url: str, revision: str) -> str:
    """The revision before."""
    conn = await asyncpg.connect(database_url)
    try:
        found: str = await conn.fetchval("SELECT version_num FROM carbon.alembic_version")
        await conn.execute("UPDATE carbon.alembic_version SET version_num = $1", revision)
    finally:
        await conn.close()
    return found


async def test_the_schema_that_is_asked_for_is_the_newest(database_url: str) -> None:
    assert await set_revision(database_url, SCHEMA_REVISION) == SCHEMA_REVISION


async def test_an_old_schema_is_refused_with_the_command_that_upgrades_it(
    database_url: str,
) -> None:
    await set_revision(database_url, "0001")
    with pytest.raises(SchemaMissing, match=f"revision 0001, not {SCHEMA_REVISION}: run `carbon"):
        await open_ledger(database_url, application_name="test")


async def test_a_newer_schema_is_taken(database_url: str) -> None:
    await set_revision(database_url, "9999")
    ledger = await open_ledger(database_url, application_name="test")
    await ledger.close()
