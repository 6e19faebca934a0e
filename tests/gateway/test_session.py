"""Logins of browsers: the caller's own token in a cookie, and codes that stand for it once."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from carbonline.local.folder_lock import locked_folder
from carbonline.local.settings import Addresses
from carbonline.local.stack_file import write_stack_file
from gateway_service.access.failed_logins import FAILURE_SECONDS, FailedLogins
from gateway_service.access.session import CODE_SECONDS, OneTimeCodes
from gateway_service.server import RunningGateway
from tests.gateway.http_client import Answer, HttpClient

OURS = {"sec_fetch_site": "same-origin"}


async def logged_in(browser: HttpClient, body: dict[str, str], **more: str) -> Answer:
    return await browser.post("/v1/session", body, **OURS, **more)


@pytest.fixture
def browser(gateway: RunningGateway) -> HttpClient:
    """Sends no token by itself."""
    return HttpClient(gateway.port, token="")


async def test_a_login_is_a_cookie_that_scripts_cannot_read(browser: HttpClient) -> None:
    answer = await logged_in(browser, {"token": "ann@local"})
    assert answer.status == 200
    assert (answer.json["name"], answer.json["tenants"]) == ("ann", ["local"])
    assert "ROLE_OPERATOR" in answer.json["roles"]
    assert answer.json["all_modules"] is True
    cookie = answer.headers["set-cookie"]
    assert cookie == 'carbonline="ann@local"; HttpOnly; Path=/; SameSite=lax'
    me = await browser.get("/v1/me", cookie='carbonline="ann@local"', **OURS)
    assert me.json["name"] == "ann"
    session = await browser.get("/v1/session", cookie='carbonline="ann@local"', **OURS)
    assert {**session.json, "answered_at": ""} == {**me.json, "answered_at": ""}
    ended = await browser.ask("DELETE", "/v1/session", None, **OURS)
    assert (ended.status, "Max-Age=0" in ended.headers["set-cookie"]) == (204, True)


async def test_off_this_machine_the_cookie_is_secure_and_of_one_host(browser: HttpClient) -> None:
    answer = await logged_in(browser, {"token": "local"}, host="carbon.example")
    cookie = answer.headers["set-cookie"]
    assert cookie == "__Host-carbonline=local; HttpOnly; Path=/; SameSite=lax; Secure"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "nobody"}, 401),
        ({"token": "a b"}, 401),
        ({"code": "unknown"}, 401),
        ({}, 400),
        ({"token": ""}, 400),
        ({"token": "local", "code": "x"}, 400),
        ({"password": "x"}, 400),
    ],
)
async def test_a_login_that_fails_sets_no_cookie(
    browser: HttpClient, body: dict[str, str], status: int
) -> None:
    began = time.monotonic()
    answer = await logged_in(browser, body)
    assert (answer.status, "set-cookie" in answer.headers) == (status, False)
    # Who lets nobody in is not told so at once. A request that is none at all is a mistake.
    assert status == 400 or time.monotonic() - began >= FAILURE_SECONDS


async def test_a_flood_of_failed_logins_waits_no_more_than_so_many_at_once() -> None:
    failed = FailedLogins(seconds=3600, waiting_max=1)
    first = asyncio.ensure_future(failed.slow())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await failed.slow()
    assert not first.done()
    first.cancel()
    await asyncio.wait([first])
    another = asyncio.ensure_future(failed.slow())
    await asyncio.sleep(0)
    assert not another.done()
    another.cancel()


async def test_no_other_site_logs_a_browser_in_or_out(browser: HttpClient) -> None:
    for method, body in (("POST", {"token": "local"}), ("DELETE", None)):
        answer = await browser.ask(method, "/v1/session", body, sec_fetch_site="cross-site")
        assert (answer.status, answer.json["reason"]) == (403, "CROSS_SITE")


async def test_a_code_logs_in_once(http: HttpClient, browser: HttpClient) -> None:
    made = (await http.post("/v1/session/codes")).json
    assert made["seconds"] == 60
    first = await logged_in(browser, {"code": made["code"]})
    assert first.headers["set-cookie"].startswith("carbonline=local; ")
    again = await logged_in(browser, {"code": made["code"]})
    assert (again.status, again.json["reason"]) == (401, "CODE_UNKNOWN")


def test_a_code_is_good_for_a_minute() -> None:
    now = 0.0
    codes = OneTimeCodes(lambda: now)
    early, late = codes.make("token"), codes.make("token")
    now = CODE_SECONDS - 1
    assert codes.use(early) == "token"
    now = CODE_SECONDS + 1
    assert codes.use(late) == ""


async def test_a_browser_makes_no_codes(browser: HttpClient) -> None:
    answer = await browser.post("/v1/session/codes", None, cookie="carbonline=local", **OURS)
    assert answer.status == 401
    assert (await HttpClient(browser.port, "nobody").post("/v1/session/codes")).status == 401


async def test_the_command_prints_an_address_without_the_token(
    gateway: RunningGateway, browser: HttpClient, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("local\n")
    where = Addresses(
        "postgresql://x/y", "unix:s", "unix:l", token, "local", tmp_path, tmp_path, tmp_path,
        gateway_address=f"127.0.0.1:{gateway.port}",
    )  # fmt: skip
    command = ("-m", "carbonline.program", "console", "--print", "--data-folder", str(tmp_path))
    with locked_folder(tmp_path):
        write_stack_file(where)
        run = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=asyncio.subprocess.PIPE
        )
        printed = (await run.communicate())[0].decode().strip()
    page, _, code = printed.partition("#code=")
    assert (run.returncode, page) == (0, f"http://127.0.0.1:{gateway.port}/login")
    answer = await logged_in(browser, {"code": code})
    assert answer.json["name"] == "local"
