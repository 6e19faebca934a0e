"""The URL that asyncpg takes is the URL of a migration, whatever parameters it has."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from carbonline.migrations.run import SCHEMAS, downgrade, is_current, open_engine, upgrade
from carbonline.postgres.url import shown_url

ORDINARY = [
    "sslmode=disable",
    "sslmode=prefer",
    "target_session_attrs=read-write",
    "application_name=a%20report",
    "options=-c%20jit%3Doff",
    "statement_timeout=20s",
    "sslmode=disable&application_name=x&tcp_user_timeout=10000&options=-c%20lock_timeout%3D1s",
]


@pytest.mark.parametrize("parameters", ORDINARY)
async def test_a_history_runs_up_and_down_by_a_url_with(url: str, parameters: str) -> None:
    url = f"{url}&{parameters}"
    for history in SCHEMAS:
        await upgrade(url, history)
        assert await is_current(url, history)
    await downgrade(url, "ledger")
    assert not await is_current(url, "ledger")


@pytest.mark.parametrize(
    ("parameter", "setting", "value"),
    [
        ("application_name=a%20report", "application_name", "a report"),
        ("options=-c%20statement_timeout%3D7s", "statement_timeout", "7s"),
        ("lock_timeout=3s", "lock_timeout", "3s"),
    ],
)
async def test_what_a_url_sets_holds_in_its_sessions(
    url: str, parameter: str, setting: str, value: str
) -> None:
    engine = open_engine(f"{url}&{parameter}")
    async with engine.connect() as connection:
        assert await connection.scalar(text(f"SHOW {setting}")) == value


async def test_a_url_of_sqlalchemys_manner_is_read_as_any_other(url: str) -> None:
    await upgrade(url.replace("postgresql:", "postgresql+asyncpg:"), "ledger")
    assert await is_current(url, "ledger")


async def test_one_reader_is_given_the_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[object, ...]] = []

    async def connect(*arguments: object, **options: Any) -> None:
        given.append((*arguments, options))
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg, "connect", connect)
    url = "postgresql://me@one:1,two:2/x?sslmode=verify-full&sslrootcert=/x&connect_timeout=3"
    with pytest.raises(ConnectionRefusedError):
        await upgrade(url, "scheduler")
    assert given == [(url, {})]


SHOWN: list[tuple[Callable[[str], str], str]] = [
    (lambda secret: f"postgresql://me:{secret}@h:1/x?sslmode=require", "sslmode=require"),
    (lambda secret: f"postgresql://me:{secret}/x@h/x", "@h/x"),
    (lambda secret: f"postgresql://me:{secret}@{secret}@h/x", "@h/x"),
    (lambda secret: f"postgresql://me:{secret}#{secret}@h/x", "@h/x"),
    (lambda secret: f"postgresql+asyncpg://me:{secret}@h/x", "postgresql://me:***@h/x"),
    (lambda secret: f"postgresql:///x?user=me&password={secret}&host=h", "&host=h"),
    (lambda secret: f"postgresql://h:1/x?user=me@h&password={secret}", "postgresql://h:"),
    (lambda secret: f"postgresql:///x?sslpassw%6Frd={secret}#{secret}", "=hidden"),
]


@pytest.mark.parametrize(("url", "rest"), SHOWN)
def test_a_url_is_shown_without_its_password(url: Callable[[str], str], rest: str) -> None:
    shown = shown_url(url("secret"))
    assert "secret" not in shown
    assert rest in shown


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    url = "postgresql://carbonline@/x?host=/tmp/a:b&port=5432"
    assert shown_url(url) == url
