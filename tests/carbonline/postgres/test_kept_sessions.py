"""A pooler that keeps no sessions is told of in a sentence, by everybody who opens a database."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from carbonline.local.errors import WrongChoice
from carbonline.local.migration import migrate_schemas
from carbonline.postgres.kept_sessions import SessionNotKept, check_sessions
from tests.carbonline.postgres.pooling_proxy import Lends, pooling_proxy
from tests.carbonline.serving.processes import PROGRAMS, SECONDS_MAX, process, settings_of
from tests.carbonline.serving.test_database_start import (
    message_of_a_worker,
    message_of_the_scheduler,
)

POOLER = "a connection pooler in front of PostgreSQL"
SAID = f"{POOLER} does not keep sessions"


async def look(url: str, **settings: str) -> None:
    connect = partial(asyncpg.connect, url, statement_cache_size=0, server_settings=settings)
    await check_sessions(connect, set_at_start=bool(settings))


async def test_postgresql_itself_keeps_sessions(database_url: str) -> None:
    await look(database_url)
    await look(database_url, statement_timeout="1s")


async def test_what_lends_its_sessions_for_a_transaction_is_told_of(
    database_url: str, tmp_path: Path
) -> None:
    async with pooling_proxy(database_url, tmp_path, "transactions") as url:
        with pytest.raises(SessionNotKept, match=SAID):
            await look(url)


async def test_it_is_found_also_where_it_lends_another_session_each_time(
    database_url: str, tmp_path: Path
) -> None:
    async with pooling_proxy(database_url, tmp_path, "transactions") as url:
        # Somebody else always has the session that was used last.
        other = await asyncpg.connect(url, statement_cache_size=0)
        async with other.transaction():
            with pytest.raises(SessionNotKept):
                await look(url)
        await other.close()


async def test_what_lends_its_sessions_for_a_statement_is_told_of(
    database_url: str, tmp_path: Path
) -> None:
    async with pooling_proxy(database_url, tmp_path, "statements") as url:
        with pytest.raises(SessionNotKept, match=SAID):
            await look(url)
        with pytest.raises(WrongChoice, match=f"cannot be used: {SAID}"):
            await migrate_schemas(url)


@pytest.mark.parametrize("lends", ["transactions", "sessions"])
async def test_a_pooler_that_refuses_what_a_session_is_set_to_is_not_said_to_lend_it(
    database_url: str, tmp_path: Path, lends: Lends
) -> None:
    async with pooling_proxy(database_url, tmp_path, lends, refuses_parameters=True) as url:
        with pytest.raises(SessionNotKept, match=f"{POOLER} refuses what a session is set to"):
            await look(url, statement_timeout="1s")


async def test_a_pooler_that_keeps_sessions_will_do_if_it_sets_what_it_is_told(
    database_url: str, tmp_path: Path
) -> None:
    async with pooling_proxy(database_url, tmp_path, "sessions") as url:
        await look(url)
        with pytest.raises(SessionNotKept, match=f"{POOLER} passes over what a session is set to"):
            await look(url, statement_timeout="1s")


async def test_scheduler_ledger_worker_and_migration_say_so_in_a_sentence(
    database_url: str, tmp_path: Path
) -> None:
    async with pooling_proxy(database_url, tmp_path, "transactions") as url:
        for sentence in (await message_of_the_scheduler(url), await message_of_a_worker(url)):
            assert SAID in sentence
            assert sentence.count("\n") == 0
        with pytest.raises(WrongChoice, match=f"cannot be used: {SAID}"):
            await migrate_schemas(url)


async def test_each_process_ends_with_exit_code_2(database_url: str, tmp_path: Path) -> None:
    async with (
        pooling_proxy(database_url, tmp_path, "transactions", refuses_parameters=True) as url,
        AsyncExitStack() as opened,
    ):
        for name, program in PROGRAMS.items():
            one = await opened.enter_async_context(process(*program, **settings_of(url, tmp_path)))
            _, heard = await asyncio.wait_for(one.communicate(), SECONDS_MAX)
            assert (one.returncode, heard.count(b"\n")) == (2, 1), heard
            assert heard.decode().startswith(f"{name}: cannot use the database at CARBONLINE_")
            assert f"{POOLER} refuses what a session is set to" in heard.decode()
