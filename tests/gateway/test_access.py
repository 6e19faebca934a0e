"""Who comes in: tokens, hosts and origins, and the headers of every answer."""

import pytest

from gateway_service.server import RunningGateway
from tests.gateway.conftest import Services, gateway_before
from tests.gateway.http_client import HttpClient


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic bG9jYWw=", "Bearer \xe9", "Bearer a b", "Bearer nobody"],
)
async def test_without_a_token_that_a_service_knows_nothing_is_told(
    gateway: RunningGateway, authorization: str
) -> None:
    caller = HttpClient(gateway.port, token="")
    answer = await caller.get("/v1/pipelines", authorization=authorization)
    assert (answer.status, answer.json["reason"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_longest_token_that_is_passed_on_has_4096_characters(
    gateway: RunningGateway,
) -> None:
    assert (await HttpClient(gateway.port, token="a" * 4096).get("/v1/pipelines")).status == 200
    answer = await HttpClient(gateway.port, token="a" * 4097).get("/v1/pipelines")
    assert (answer.status, answer.json["reason"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7410", 200),
        ("localhost", 200),
        ("[::1]:7410", 200),
        ("carbon.example", 200),
        ("CARBON.example:443", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("carbon.example.evil.example", 421),
        ("", 421),
    ],
)
async def test_only_names_of_ours_are_answered(http: HttpClient, host: str, status: int) -> None:
    for path in ("/v1/pipelines", "/", "/healthz"):
        assert (await http.get(path, host=host)).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "cross-site", "origin": "http://carbon.example"}, 403),
        ({"origin": "http://carbon.example"}, 200),
        ({"origin": "https://carbon.example"}, 200),
        ({"origin": "http://carbon.example:81"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
        ({"sec_fetch_site": "cross-site", "authorization": "Bearer local"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_page_of_another_site_cannot_use_the_cookie(
    gateway: RunningGateway, method: str, headers: dict[str, str], status: int
) -> None:
    browser = HttpClient(gateway.port, token="")
    path = "/v1/pipelines" if method == "GET" else "/v1/job-types/noop:pause"
    answer = await browser.ask(
        method, path, None, host="carbon.example", cookie="__Host-carbonline=local", **headers
    )
    assert answer.status == status
    if status == 403:
        assert answer.json["reason"] == "CROSS_SITE"


async def test_the_cookie_of_plain_loopback_counts_nowhere_else(gateway: RunningGateway) -> None:
    browser = HttpClient(gateway.port, token="")
    ours = {"sec_fetch_site": "same-origin", "cookie": "carbonline=local"}
    assert (await browser.get("/v1/pipelines", **ours)).status == 200
    assert (await browser.get("/v1/pipelines", host="carbon.example", **ours)).status == 401


async def test_every_answer_carries_the_headers_that_protect_it(http: HttpClient) -> None:
    for path in ("/", "/login", "/v1/pipelines", "/v1/pipelines?x=1", "/nothing", "/healthz"):
        headers = (await http.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; "), path
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in headers
    assert (await http.get("/v1/pipelines")).headers["cache-control"] == "no-store"


async def test_the_page_runs_scripts_of_its_own_files_only(http: HttpClient) -> None:
    page = await http.get("/years/2024")
    script = page.headers["content-security-policy"].partition("script-src ")[2].partition(";")[0]
    assert script.split()[0] == "'self'"
    assert [one.partition("-")[0] for one in script.split()[1:]] == ["'sha256"]
    address = page.body.decode().partition('type="module" src="')[2].partition('"')[0]
    module = await http.get(address)
    assert (module.status, module.headers["content-type"]) == (
        200,
        "text/javascript; charset=utf-8",
    )
    assert module.headers["cache-control"].endswith("immutable")


async def test_probes_say_whether_the_services_can_be_used(services: Services) -> None:
    async with gateway_before(services.scheduler_address, services.ledger_address) as running:
        answer = await HttpClient(running.port, token="").get("/readyz")
        assert (answer.status, answer.body) == (200, b"ok\n")
    async with gateway_before("unix:/nowhere/s", services.ledger_address) as running:
        client = HttpClient(running.port)
        answer = await client.get("/readyz")
        assert (answer.status, answer.body) == (
            503,
            b"the scheduler does not answer: UNAVAILABLE\n",
        )
        assert (await client.get("/healthz")).status == 200
        answer = await client.get("/v1/pipelines")
        assert (answer.status, answer.json["reason"]) == (503, "SERVICE_UNREACHABLE")
        assert answer.headers["retry-after"] == "1"
        assert "Nothing listens at unix:/nowhere/s" in answer.json["detail"]
