"""A database that cannot be migrated is told in a sentence, and never with its password."""

import re

import asyncpg
import pytest

from carbonline.local.errors import LocalStackError, WrongChoice
from carbonline.local.migration import migrate_schemas
from migrations import run


async def sentence_about(database_url: str) -> str:
    with pytest.raises(LocalStackError) as raised:
        await migrate_schemas(database_url)
    return str(raised.value)


async def test_a_database_that_is_not_there_is_named(empty_database_url: str) -> None:
    said = await sentence_about(re.sub(r"/test_\d+", "/absent", empty_database_url))
    assert said.endswith('cannot be used: database "absent" does not exist.')


async def test_nobody_who_answers_is_named_without_the_password() -> None:
    said = await sentence_about("postgresql://me:secret@127.0.0.1:1/x")
    assert said.startswith("No PostgreSQL answers at postgresql://me:***@127.0.0.1:1/x")
    said = await sentence_about("postgresql://127.0.0.1:1/x?user=me&password=secret")
    assert said.startswith("No PostgreSQL answers at postgresql://127.0.0.1:1/x?")
    assert "secret" not in said


async def test_what_is_no_url_is_not_repeated() -> None:
    assert "secret" not in await sentence_about("me:secret")


async def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(WrongChoice, match=r"A database of mysql cannot be used, only PostgreSQL"):
        await migrate_schemas("mysql://me:secret@127.0.0.1/x")


async def test_a_session_in_the_way_is_named(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SESSION", "SET lock_timeout = '50ms'; SET statement_timeout = '1min'")
    monkeypatch.setattr(run, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(run, "LOCK_WAIT_SECONDS_MAX", 0.0)
    await run.upgrade(empty_database_url, "scheduler", "0001")
    reader = await asyncpg.connect(empty_database_url)
    try:
        async with reader.transaction():
            await reader.fetch("SELECT FROM scheduler.jobs")
            said = await sentence_about(empty_database_url)
    finally:
        await reader.close()
    assert said.startswith("Not migrated: the upgrade of scheduler waited")
    assert f"session {reader.get_server_pid()} of" in said
    assert said.endswith("end it, then run `carbonline migrate` again.")
