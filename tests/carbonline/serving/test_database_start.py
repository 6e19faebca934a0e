"""A process that starts before its database waits; one that cannot use it says so in a sentence."""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.postgres.errors import STARTING, DatabaseRefused, DatabaseUnavailable
from carbonline.postgres.pool import probe
from carbonline.serving import database_start
from carbonline.serving.database_start import database_is_up, reason_of
from carbonline.serving.logs import open_log
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.processes import (
    PROGRAMS,
    SECONDS_MAX,
    Line,
    line_like,
    process,
    settings_of,
)
from tests.carbonline.serving.starting_postgres import starting_postgres
from worker_service.ledger.pool import open_ledger
from worker_service.ledger_database import sentence_about

LOG = open_log("error")


def is_event(event: str, line: Line) -> bool:
    return bool(line["event"] == event)


async def test_a_database_that_is_starting_is_waited_for(database_url: str, tmp_path: Path) -> None:
    async with (
        starting_postgres(database_url, tmp_path) as (postgres, url),
        AsyncExitStack() as opened,
    ):
        running = {
            name: await opened.enter_async_context(process(*program, **settings_of(url, tmp_path)))
            for name, program in PROGRAMS.items()
        }
        for one in running.values():
            line = await line_like(one, partial(is_event, "database_starting"))
            assert line["reason"].endswith("the database system is starting up")
        postgres.is_up.set()
        for name, one in running.items():
            await line_like(one, partial(is_event, f"{name}_started"))


async def test_a_database_that_is_absent_is_a_sentence_and_exit_2(
    database_url: str, tmp_path: Path
) -> None:
    absent = re.sub(r"/test_\d+", "/absent", database_url)
    async with AsyncExitStack() as opened:
        running = {
            name: await opened.enter_async_context(
                process(*program, **settings_of(absent, tmp_path))
            )
            for name, program in PROGRAMS.items()
        }
        for name, one in running.items():
            _, heard = await asyncio.wait_for(one.communicate(), SECONDS_MAX)
            assert one.returncode == 2
            [sentence] = heard.decode().splitlines()
            assert sentence.startswith(f"{name}: cannot use the database at CARBONLINE_")
            assert 'database "absent" does not exist; fix the URL' in sentence


async def test_a_url_has_parameters_as_for_any_program_also_in_a_file_that_others_may_read(
    database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "url"
    path.write_text(
        f"{database_url}&sslmode=disable&application_name=x&options=-c%20lock_timeout%3D1s"
    )
    path.chmod(0o644)
    async with AsyncExitStack() as opened:
        for name, program in PROGRAMS.items():
            settings = {**settings_of("", tmp_path), "DATABASE_URL_FILE": str(path)}
            one = await opened.enter_async_context(process(*program, **settings))
            first = await line_like(one, lambda _: True)
            assert first["event"] == "secret_file_exposed"
            assert (first["level"], first["file"]) == ("warning", str(path))
            await line_like(one, partial(is_event, f"{name}_started"))


async def test_a_parameter_that_is_refused_is_a_sentence_and_exit_2(
    database_url: str, tmp_path: Path
) -> None:
    settings = settings_of(f"{database_url}&password=secret&connect_timeout=10", tmp_path)
    async with AsyncExitStack() as opened:
        running = {
            name: await opened.enter_async_context(process(*program, **settings))
            for name, program in PROGRAMS.items()
        }
        for name, one in running.items():
            _, heard = await asyncio.wait_for(one.communicate(), SECONDS_MAX)
            assert one.returncode == 2
            [sentence] = heard.decode().splitlines()
            assert sentence.startswith(f"{name}: cannot use the database at CARBONLINE_")
            assert 'unrecognized configuration parameter "connect_timeout"; fix' in sentence
            assert "secret" not in sentence


async def message_of_the_scheduler(database_url: str) -> str:
    """What the scheduler says of a database that it cannot open."""
    with pytest.raises((DatabaseUnavailable, DatabaseRefused)) as raised:
        async with running_server(Settings(database_url, "unix:/nowhere/s"), LOG):
            pass
    return str(raised.value)


async def message_of_a_worker(database_url: str) -> str:
    """What a worker or the ledger process says of it."""
    try:
        await open_ledger(database_url, application_name="test")
    except (DatabaseUnavailable, DatabaseRefused) as error:
        return sentence_about(error)
    pytest.fail("the ledger was opened")


@asynccontextmanager
async def role_with_a_password(cluster: EmbeddedPostgres, role: str) -> AsyncIterator[None]:
    """While this lasts the server asks for this role's password, and trusts everybody else."""
    conn = await asyncpg.connect(cluster.url("postgres"))
    file = await conn.fetchval("SHOW hba_file")
    text = await conn.fetchval("SELECT pg_read_file($1)", file)
    trusted = [line for line in text.splitlines() if line and not line.startswith("#")]

    async def write(rules: Sequence[str]) -> None:
        lines = ", ".join(f"('{rule}')" for rule in rules)
        await conn.execute(f"COPY (VALUES {lines}) TO '{file}'")
        await conn.execute("SELECT pg_reload_conf()")

    try:
        await conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
        await write([f"local all {role} scram-sha-256", *trusted])
        yield
    finally:
        await write(trusted)
        await conn.execute(f"DROP ROLE {role}")
        await conn.close()


async def until_refused(database_url: str) -> None:
    """The server reads its rules when it comes to it, and tells nobody."""
    async with asyncio.timeout(SECONDS_MAX):
        with suppress(asyncpg.InvalidPasswordError):
            while True:
                await probe(database_url, SECONDS_MAX)
                await asyncio.sleep(0.01)


async def test_a_wrong_password_is_a_sentence_without_it(
    cluster: EmbeddedPostgres, database_url: str
) -> None:
    url = database_url.replace("//carbonline@", "//forgetful:secret@")
    async with role_with_a_password(cluster, "forgetful"):
        await until_refused(url)
        for sentence in (await message_of_the_scheduler(url), await message_of_a_worker(url)):
            assert 'password authentication failed for user "forgetful"; fix' in sentence
            assert "secret" not in sentence


async def test_what_is_not_a_url_is_a_sentence_that_does_not_repeat_it() -> None:
    for url in ("postgresql://me:se/cret@host/x", "mysql://me:secret@host/x"):
        for sentence in (await message_of_the_scheduler(url), await message_of_a_worker(url)):
            assert "not a URL like postgresql://user@host/name" in sentence
            assert "cret" not in sentence


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("sslmode=never", "`sslmode` parameter must be one of: disable, allow"),
        ("sslmode=mro", "it is not a URL like postgresql://user@host/name"),
        ("host=,h", "it is not a URL like postgresql://user@host/name"),
        ("statement_timeout_=1s", 'unrecognized configuration parameter "statement_timeout_"'),
        ("work_mem=much", 'invalid value for parameter "work_mem": "much"'),
        ("options=-Z", "invalid command-line argument for server process: -Z"),
        ("shared_buffers=1", 'parameter "shared_buffers" cannot be changed'),
    ],
)
async def test_a_parameter_is_a_sentence_of_one_line(
    database_url: str, parameter: str, reason: str
) -> None:
    url = f"{database_url}&password=secret&{parameter}"
    for sentence in (await message_of_the_scheduler(url), await message_of_a_worker(url)):
        assert f"_DATABASE_URL: {reason}" in sentence
        assert "secret" not in sentence
        assert "\n" not in sentence


def test_a_certificate_that_is_not_trusted_is_not_blamed_on_the_url() -> None:
    assert reason_of(ssl.SSLCertVerificationError(1, "self-signed")) == "self-signed"


async def test_a_database_that_stays_away_is_waited_for_no_longer_than_promised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(database_start, "WAIT_SECONDS_MAX", 0.5)
    url = f"postgresql://me:secret@/x?host={tmp_path}"
    async with asyncio.timeout(SECONDS_MAX):
        assert await database_is_up(
            partial(probe, url, SECONDS_MAX), STARTING, asyncio.Event(), LOG
        )
    for sentence in (await message_of_the_scheduler(url), await message_of_a_worker(url)):
        assert sentence.startswith("cannot connect to PostgreSQL at CARBONLINE_")
        assert sentence.endswith("; start the server or fix the URL")
        assert "secret" not in sentence


async def test_a_host_that_there_is_not_is_not_waited_for() -> None:
    probes = []

    async def probe_with_a_wrong_url() -> None:
        probes.append(1)
        raise socket.gaierror("Name or service not known")

    async with asyncio.timeout(SECONDS_MAX):
        assert await database_is_up(probe_with_a_wrong_url, STARTING, asyncio.Event(), LOG)
    assert len(probes) == 1


async def test_who_waits_for_a_database_ends_when_told_to() -> None:
    stopping = asyncio.Event()

    async def probe_and_be_stopped() -> None:
        stopping.set()
        raise ConnectionRefusedError

    async with asyncio.timeout(SECONDS_MAX):
        assert not await database_is_up(probe_and_be_stopped, STARTING, stopping, LOG)
