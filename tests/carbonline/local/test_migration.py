"""A database that cannot be migrated is told in a sentence, and never with its password."""

import re
from pathlib import Path

import asyncpg
import pytest

from carbonline.local.errors import LocalStackError, WrongChoice
from carbonline.local.migration import migrate_schemas
from carbonline.migrations import run


async def sentence_about(database_url: str) -> str:
    with pytest.raises(LocalStackError) as raised:
        await migrate_schemas(database_url)
    return str(raised.value)


async def test_a_database_that_is_not_there_is_named(empty_database_url: str) -> None:
    said = await sentence_about(re.sub(r"/test_\d+", "/absent", empty_database_url))
    assert said.endswith('cannot be used: database "absent" does not exist.')


async def test_nobody_who_answers_is_named_without_the_password() -> None:
    said = await sentence_about("postgresql://me:secret@127.0.0.1:1/x")
    assert said.startswith("Cannot connect to PostgreSQL at postgresql://me:***@127.0.0.1:1/x")
    said = await sentence_about("postgresql://127.0.0.1:1/x?user=me&password=secret")
    assert said.startswith("Cannot connect to PostgreSQL at postgresql://127.0.0.1:1/x?")
    assert "secret" not in said


async def test_what_is_not_a_url_is_not_repeated() -> None:
    assert "secret" not in await sentence_about("me:secret")


async def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(WrongChoice, match="name: mysql is not PostgreSQL; correct it"):
        await migrate_schemas("mysql://me:secret@127.0.0.1/x")


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ("nonsense=1", 'unrecognized configuration parameter "nonsense"'),
        ("connect_timeout=10", 'unrecognized configuration parameter "connect_timeout"'),
        ("statement_timeout=soon", 'invalid value for parameter "statement_timeout": "soon"'),
        ("shared_buffers=1", 'parameter "shared_buffers" cannot be changed'),
        ("options=-Z", "invalid command-line argument for server process: -Z"),
    ],
)
async def test_a_parameter_that_postgresql_refuses_is_named(
    empty_database_url: str, parameter: str, said: str
) -> None:
    with pytest.raises(WrongChoice) as raised:
        await migrate_schemas(f"{empty_database_url}&password=secret&{parameter}")
    sentence = str(raised.value)
    assert f"cannot be used: {said}" in sentence
    assert sentence.endswith("; correct that parameter of the URL, or leave it out.")
    assert "secret" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@h/x?sslmode=never", "`sslmode` parameter must be one of: disable"),
        ("postgresql://me:secret@h/x?sslmode=mro", "it is not a URL like postgresql://user@host"),
        ("postgresql://me:secret@h/x?sslmode", "it is not a URL like postgresql://user@host"),
        ("postgresql://me:secret@a,,b/x", "it is not a URL like postgresql://user@host"),
        ("postgresql://me:se/cret@h/x", "it is not a URL like postgresql://user@host"),
        ("postgresql://me:p@[secret@h/x", "it is not a URL like postgresql://user@host"),
        ("me:secret@h/x", "it is not a URL like postgresql://user@host"),
        (
            "postgresql://me:secret@h/x?sslmode=verify-full&sslrootcert=",
            'root certificate file "',
        ),
    ],
)
async def test_a_url_that_cannot_be_read_is_told_without_its_password(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(WrongChoice) as raised:
        await migrate_schemas(url)
    sentence = str(raised.value)
    assert sentence.startswith(f"That database URL cannot be used: {said}")
    assert sentence.endswith("; correct it.")
    assert "cret" not in sentence


async def test_a_server_that_is_not_as_the_url_wants_it_is_named(empty_database_url: str) -> None:
    said = await sentence_about(f"{empty_database_url}&target_session_attrs=read-only")
    assert "cannot be used: None of the hosts match the target attribute requirement" in said


async def test_a_database_that_may_only_be_read_is_named(empty_database_url: str) -> None:
    with pytest.raises(WrongChoice, match=r"cannot be used: cannot execute .* in a read-only"):
        await migrate_schemas(f"{empty_database_url}&default_transaction_read_only=on")


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
