"""`sslmode=verify-full`: only a PostgreSQL that the authority vouches for, by its name, is used."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from carbonline.serving import database_start
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.postgres_with_tls import postgres_with_tls
from tests.carbonline.serving.processes import (
    PROGRAMS,
    SECONDS_MAX,
    Line,
    line_like,
    process,
    settings_of,
)


def verified(url: str, authority: Authority) -> str:
    """The URL for whoever trusts this authority only."""
    return f"{url}?sslmode=verify-full&sslrootcert={authority.ca}"


def is_event(event: str, line: Line) -> bool:
    return bool(line["event"] == event)


async def ends_of(url: str, folder: Path) -> dict[str, str]:
    """What each process of the product says before it ends, as it does with exit code 2."""
    settings = settings_of(url, folder)
    said = {}
    async with AsyncExitStack() as opened:
        running = {
            name: await opened.enter_async_context(process(*program, **settings))
            for name, program in PROGRAMS.items()
        }
        for name, one in running.items():
            _, heard = await asyncio.wait_for(one.communicate(), SECONDS_MAX)
            assert one.returncode == 2, heard
            said[name] = heard.decode()
    return said


async def test_each_process_uses_a_database_that_its_authority_vouches_for(
    database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with (
        postgres_with_tls(database_url, authority.issue("database")) as (front, url),
        AsyncExitStack() as opened,
    ):
        settings = settings_of(verified(url, authority), tmp_path)
        for name, program in PROGRAMS.items():
            before = front.over_tls
            one = await opened.enter_async_context(process(*program, **settings))
            await line_like(one, partial(is_event, f"{name}_started"))
            assert front.over_tls > before
        assert front.plain == 0


@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_database_that_nobody_vouches_for_is_refused_at_once(
    database_url: str, tmp_path: Path, wrong: str
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    issued = (
        stranger.issue("database")
        if wrong == "authority"
        else authority.issue("database", "elsewhere.example")
    )
    async with postgres_with_tls(database_url, issued) as (front, url):
        began = asyncio.get_running_loop().time()
        said = await ends_of(verified(url, authority), tmp_path)
        # Nobody renews a certificate while a process waits for its database to start.
        assert asyncio.get_running_loop().time() - began < database_start.WAIT_SECONDS_MAX
        assert front.plain == 0
    for name, sentences in said.items():
        [sentence] = sentences.splitlines()
        assert sentence.startswith(f"{name}: cannot ")
        assert "certificate verify failed" in sentence
        assert "CARBONLINE_" in sentence


async def test_a_database_without_tls_is_not_used_in_the_clear(
    database_url: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    async with postgres_with_tls(database_url, None) as (front, url):
        said = await ends_of(verified(url, authority), tmp_path)
        assert front.plain == 0
    for name, sentences in said.items():
        assert sentences.startswith(f"{name}: cannot connect to PostgreSQL")
        [sentence] = sentences.splitlines()
        assert "rejected SSL upgrade; give the server a certificate" in sentence
