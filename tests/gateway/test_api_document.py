"""The OpenAPI document is valid, and tells exactly what is served, in the words of the contract."""

import asyncio
import gzip
import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from carbonline.serving.errors import CODES
from carbonline.serving.logs import open_log
from gateway_service.access.every_request import EveryRequest
from gateway_service.access.limits import StreamLimits
from gateway_service.api_document import api_document
from gateway_service.application import application
from gateway_service.console.page import PAGES
from gateway_service.metrics import GatewayMetrics
from gateway_service.other_routes import OTHER_ROUTES
from gateway_service.readiness import Readiness
from gateway_service.routes import ROUTES
from gateway_service.services import Services
from gateway_service.transcode.comments import summary_of
from gateway_service.transcode.problems import BAD_GATEWAY, STATUSES
from tests.gateway.http_client import HttpClient

REASON_LINE = re.compile(r"^\* `(\w+)` \((\d+)\): (.+)$", re.MULTILINE)


def operations() -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), path): operation
        for path, methods in api_document()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid() -> None:
    validate(api_document())


def test_every_route_of_both_lists_is_told_once() -> None:
    told = [(one.method, one.path) for one in ROUTES]
    told += [(one.method, one.path) for one in OTHER_ROUTES]
    assert len(set(told)) == len(told)
    assert set(operations()) == set(told)
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)


async def test_what_is_served_is_told_and_the_reverse() -> None:
    services = Services("unix:/nowhere/s", "unix:/nowhere/l")
    app = application(
        services,
        Readiness(services),
        GatewayMetrics(CollectorRegistry()),
        open_log("error"),
        asyncio.Event(),
        hosts=(),
        build_id="",
        limits=StreamLimits(),
    )
    assert isinstance(app, EveryRequest)
    served = {
        (method, route.path.replace(":name}", "}"))
        for route in app._app.routes  # type: ignore[attr-defined]
        if isinstance(route, Route) and route.path not in PAGES
        for method in set(route.methods or ()) - {"HEAD"}
    }
    await services.close()
    assert served == set(operations())


def test_every_operation_and_field_says_what_it_is() -> None:
    for (method, path), operation in operations().items():
        assert operation["summary"], (method, path)
        for parameter in operation["parameters"]:
            assert parameter["description"], (method, path, parameter["name"])
    for name, schema in api_document()["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert described.get("description") or name in ("Problem", "Violation"), (name, field)


def test_reasons_and_their_statuses_are_those_of_the_contract() -> None:
    problem = api_document()["components"]["schemas"]["Problem"]
    told = {
        name: int(status)
        for name, status, _ in REASON_LINE.findall(problem["properties"]["reason"]["description"])
    }
    for reason, code in CODES.items():
        status = 413 if reason == "TOO_LARGE" else STATUSES.get(code.name, BAD_GATEWAY)
        assert told[reason] == status, reason


def test_an_operation_tells_the_reasons_that_its_rpc_names() -> None:
    responses = operations()["POST", "/v1/pipelines/{pipeline_id}:cancel"]["responses"]
    assert responses["409"]["description"] == "Conflict: NOTHING_TO_CANCEL."
    assert responses["404"]["description"] == "Not Found: PATH_NOT_FOUND, PIPELINE_NOT_FOUND."
    assert "OTHER_TENANT" in responses["403"]["description"]


def test_a_path_with_a_name_tells_that_no_path_may_come_of_it() -> None:
    for path, methods in api_document()["paths"].items():
        for told in methods.values():
            words = told["responses"].get("404", {}).get("description", "")
            assert ("PATH_NOT_FOUND" in words) == ("{" in path), path


def test_lists_in_a_query_are_repeated_and_enums_have_their_short_names() -> None:
    told = {one["name"]: one for one in operations()["GET", "/v1/pipelines"]["parameters"]}
    statuses = told["statuses"]
    assert (statuses["style"], statuses["explode"]) == ("form", True)
    assert "partial" in statuses["schema"]["items"]["enum"]
    assert told["created_from"]["schema"] == {"type": "string", "format": "date-time"}


def test_a_field_of_the_path_stands_in_no_query_and_no_body() -> None:
    for (method, path), operation in operations().items():
        names = [one["name"] for one in operation["parameters"]]
        assert len(set(names)) == len(names), (method, path)
    body = api_document()["components"]["schemas"]["CancelPipelineRequest"]
    assert "pipeline_id" not in body["properties"]
    assert body["additionalProperties"] is False


def test_a_summary_is_the_first_sentence() -> None:
    assert summary_of("Lists jobs. Next: read them.") == "Lists jobs"
    assert summary_of("Sends the header, e.g. this one.") == "Sends the header, e.g. this one"
    assert summary_of("") == ""


async def test_the_document_is_served_to_everybody_and_packed_once(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = HttpClient(http.port, token="")
    answer = await stranger.get("/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == api_document()
    packed = await stranger.get("/v1/openapi.json", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == answer.headers["vary"] == "Accept-Encoding"
    assert len(packed.body) < 50_000
    assert json.loads(gzip.decompress(packed.body)) == api_document()
    # A stranger who asks again costs nothing.
    monkeypatch.setattr("gzip.compress", None)
    again = await stranger.get("/v1/openapi.json", accept_encoding="gzip")
    assert (again.status, again.body) == (200, packed.body)
    lost = await stranger.get("/v1/nothing")
    assert "/v1/openapi.json" in lost.json["detail"]
