"""Each line of the table answers with its RPC, for the tenant of the token and no other."""

from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2, types_pb2
from gateway_service.other_routes import OtherRoute
from gateway_service.routes import ROUTES, WITHOUT_ROUTE, Route
from tests.gateway.http_client import HttpClient
from tests.scheduler_service.rpc.conftest import Client

PROBLEM = "application/problem+json"
PATHS = {
    "{pipeline_id}": "1",
    "{job_id}": "1",
    "{upload_id}": "1",
    "{year}": "2024",
    "{job_type}": "noop",
    "{worker_id}": "11111111-1111-1111-1111-111111111111",
    "{name}": "nightly",
    "{blob}": "blob:sha256:" + "0" * 64,
}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "SchedulerService.Submit": {
        "request_id": "00000000-0000-0000-0000-000000000001",
        "job_type": "noop",
        "scope": {"tenant": "local"},
    },
    "SchedulerService.BatchSubmit": {
        "requests": [{"request_id": "00000000-0000-0000-0000-000000000002", "job_type": "noop"}]
    },
    "OperationsService.WithdrawUpload": {
        "module": "MODULE_PROFESSIONAL_TRAVEL",
        "data_entry_type": "DATA_ENTRY_TYPE_PLANE",
        "year": 2024,
        "request_id": "00000000-0000-0000-0000-000000000003",
    },
    "OperationsService.CreateSchedule": {
        "name": "nightly",
        "cron": "15 2 * * *",
        "job_type": "noop",
    },
    "OperationsService.LockPeriod": {"reason": "reported"},
    "LedgerService.SaveMapping": {
        "name": "agency",
        "data_entry_type": "DATA_ENTRY_TYPE_PLANE",
        "mapping": {"columns": {"Von": "origin_iata"}},
    },
    "LedgerService.DeleteMapping": {
        "name": "agency",
        "data_entry_type": "DATA_ENTRY_TYPE_PLANE",
    },
}


def path_of(route: Route | OtherRoute) -> str:
    path = route.path
    for name, value in PATHS.items():
        path = path.replace(name, value)
    return path


def test_every_rpc_has_a_route_or_a_reason() -> None:
    served = {route.rpc for route in ROUTES}
    rpcs = {
        f"{service.name}.{method.name}"
        for file in (blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert served | set(WITHOUT_ROUTE) == rpcs
    assert not served & set(WITHOUT_ROUTE)


async def test_every_route_answers_from_its_service(http: HttpClient, driver: Client) -> None:
    submitted = await driver.submit("noop", types_pb2.Scope(tenant="local"))
    assert submitted.pipeline_id == 1
    for route in ROUTES:
        answer = await http.ask(route.method, path_of(route), BODIES.get(route.rpc))
        # What is refused, a service refuses, and says why: nothing of it is the gateway's fault.
        assert answer.status in (200, 400, 403, 404, 409), (route, answer.body)
        if answer.status != 200:
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json["reason"] != "PATH_NOT_FOUND", route
            assert answer.json["detail"]


async def test_a_query_takes_short_names_lists_and_times(http: HttpClient, driver: Client) -> None:
    await driver.submit("noop", types_pb2.Scope(tenant="local"))
    path = "/v1/pipelines?statuses=not_started,running&errors_only=false&page_size=5"
    answer = await http.get(f"{path}&created_from=2020-01-01T00:00:00Z")
    (found,) = answer.json["pipelines"]
    assert (found["pipeline_id"], found["status"]) == ("1", "PIPELINE_STATUS_NOT_STARTED")
    assert (await http.get("/v1/pipelines?statuses=running")).json["pipelines"] == []


async def test_every_wrong_field_is_named_at_once(http: HttpClient) -> None:
    answer = await http.get("/v1/pipelines?bar=1&statuses=running,soon&year=x&page_size=3000000000")
    assert (answer.status, answer.json["reason"]) == (400, "FIELD_INVALID")
    assert [one["field"] for one in answer.json["violations"]] == [
        "bar",
        "page_size",
        "statuses[1]",
        "year",
    ]
    wrong = {"job_type": 3, "scope": {"year": "x", "planet": 1}, "payload": 7, "extra": {}}
    answer = await http.post("/v1/pipelines", wrong)
    assert [one["field"] for one in answer.json["violations"]] == [
        "job_type",
        "scope.year",
        "scope.planet",
        "payload",
        "extra",
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nothing", 404, "PATH_NOT_FOUND"),
        ("GET", "/v1", 404, "PATH_NOT_FOUND"),
        ("GET", "/v1/pipelines/", 404, "PATH_NOT_FOUND"),
        ("GET", "/v1/jobs/a:b", 404, "PATH_NOT_FOUND"),
        ("GET", "/static/none.js", 404, "PATH_NOT_FOUND"),
        ("GET", "/static/../settings.py", 404, "PATH_NOT_FOUND"),
        ("DELETE", "/v1/jobs", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/healthz", 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", "/v1/pipelines", 405, "METHOD_NOT_ALLOWED"),
        # What is not a method of HTTP does not reach the routes.
        ("FOO", "/v1/pipelines", 400, "NOT_HTTP"),
    ],
)
async def test_unknown_paths_and_methods_are_problems(
    http: HttpClient, method: str, path: str, status: int, reason: str
) -> None:
    answer = await http.ask(method, path)
    assert (answer.status, answer.headers["content-type"]) == (status, PROBLEM)
    assert (answer.json["status"], answer.json["reason"]) == (status, reason)


async def test_a_refused_method_says_all_that_the_path_takes(http: HttpClient) -> None:
    answer = await http.ask("PUT", "/v1/pipelines")
    assert {one.strip() for one in answer.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "reason"),
    [
        (b"{", "application/json", 400, "NOT_JSON"),
        (b"[1]", "application/json", 400, "NOT_JSON"),
        (b"\xff\xfe", "application/json", 400, "NOT_JSON"),
        (b"[" * 100_000, "application/json", 400, "NOT_JSON"),
        (b'{"scope":' * 50 + b"{}" + b"}" * 50, "application/json", 400, "FIELD_INVALID"),
        (b'{"job_type": "\\ud800"}', "application/json", 400, "FIELD_INVALID"),
        (b"{}", "text/plain", 415, "NOT_JSON"),
        (b" " * (17 * 1024 * 1024), "application/json", 413, "TOO_LARGE"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(
    http: HttpClient, body: bytes, kind: str, status: int, reason: str
) -> None:
    answer = await http.ask("POST", "/v1/pipelines", body, content_type=kind)
    assert (answer.status, answer.json["reason"]) == (status, reason)
