"""Migrated schemas are what tables/ says, back and forth, on both versions of PostgreSQL."""

import asyncio
import logging

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from carbonline.migrations import run
from carbonline.migrations.run import (
    ADVISORY_LOCKS,
    SCHEMAS,
    History,
    downgrade,
    is_current,
    upgrade,
)
from scheduler_service.store.core import tables as scheduler_tables
from tests.carbonline.migrations.conftest import Databases, on_both_versions
from tests.carbonline.migrations.schema_text import (
    DECLARED,
    IMMUTABLE_FUNCTIONS,
    make_declared,
    schema_text,
)
from worker_service.ledger import tables as ledger_tables

DECLARATIONS: dict[History, MetaData] = {
    "scheduler": scheduler_tables.METADATA,
    "ledger": ledger_tables.METADATA,
}
both_histories = pytest.mark.parametrize("history", list(SCHEMAS))


@on_both_versions
@both_histories
async def test_the_migrated_schema_is_what_the_tables_declare(
    databases: Databases, url: str, history: History
) -> None:
    await upgrade(url, history)
    declared = await databases.new()
    functions = await schema_text(url, SCHEMAS[history], (IMMUTABLE_FUNCTIONS,))
    await make_declared(declared, DECLARATIONS[history], functions)
    migrated = await schema_text(url, SCHEMAS[history], DECLARED)
    assert len(migrated) > 50
    assert migrated == await schema_text(declared, SCHEMAS[history], DECLARED)


@on_both_versions
@both_histories
async def test_up_down_up_leaves_the_same(url: str, history: History) -> None:
    await upgrade(url, history)
    first = await schema_text(url, SCHEMAS[history])
    await downgrade(url, history)
    assert await schema_text(url, SCHEMAS[history]) == []
    assert not await is_current(url, history)
    await upgrade(url, history)
    assert await schema_text(url, SCHEMAS[history]) == first
    assert await is_current(url, history)


@both_histories
async def test_of_two_upgrades_at_once_one_does_the_work_and_both_end(
    url: str, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "alembic.runtime.migration"):
        await asyncio.gather(*[upgrade(url, history) for _ in range(3)])
    worked = [line for line in caplog.messages if line.startswith("Running upgrade")]
    revisions = ScriptDirectory(str(run.scripts_of(history))).walk_revisions()
    assert len(worked) == len(list(revisions))
    assert await is_current(url, history)


@both_histories
async def test_an_upgrade_gives_up_waiting_for_another_in_the_end(
    url: str, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOCK_WAIT_SECONDS_MAX", 0.1)
    other = await asyncpg.connect(url)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCKS[history])
        with pytest.raises(run.AnotherUpgradeRuns, match=f"another upgrade of {history}"):
            await upgrade(url, history)
        assert not await is_current(url, history)
    finally:
        await other.close()
    await upgrade(url, history)
    assert await is_current(url, history)


async def test_the_two_histories_do_not_wait_for_each_other(url: str) -> None:
    other = await asyncpg.connect(url)
    try:
        await other.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCKS["ledger"])
        await upgrade(url, "scheduler")
    finally:
        await other.close()
    assert await is_current(url, "scheduler")
    assert not await is_current(url, "ledger")
