"""Who may send what: every role and every tenant before every route of both lists."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.serving.auth.roles import ROLES_ALL
from carbonline.v1 import types_pb2
from gateway_service.api_document import api_document
from gateway_service.other_routes import EVENTS, OTHER_ROUTES, OtherRoute
from gateway_service.routes import ROUTES, Route
from gateway_service.services import method_of
from gateway_service.transcode.openapi import roles_of
from tests.gateway.conftest import Services, both_services
from tests.gateway.http_client import Answer, HttpClient
from tests.gateway.test_routes import BODIES, path_of
from tests.scheduler_service.rpc.conftest import Client

LOCAL = types_pb2.Scope(tenant="local")
EVERY_ROUTE: tuple[Route | OtherRoute, ...] = (*ROUTES, *OTHER_ROUTES)
DENIED = (403, "PERMISSION_DENIED")


class ByRole:
    """`Bearer ROLE@TENANT` has one role; without a role, all. No token is the tests' driver.

    `ROLE@TENANT+UNIT` is limited to a unit, and `ROLE@TENANT/OTHER` acts for two tenants.
    """

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The caller."""
        role, _, rest = authorization.removeprefix("Bearer ").partition("@")
        tenant, _, unit = rest.partition("+")
        roles = frozenset({role}) if role else ROLES_ALL
        units = frozenset({unit}) if unit else None
        return Principal(
            role or "driver", tuple((tenant or "local").split("/")), roles, units=units
        )


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    async with both_services(database_url, tmp_path, ByRole()) as running:
        yield running


def body_of(route: Route | OtherRoute) -> Mapping[str, Any] | bytes | None:
    if isinstance(route, Route):
        return BODIES.get(route.rpc)
    if route.name == "UploadBlob":
        return b"a,b\n"
    return {"token": "somebody"} if route.name == "BeginSession" else None


async def sent(http: HttpClient, route: Route | OtherRoute, query: str = "") -> Answer:
    """One request; of a stream, its status and headers, and the body if it is refused."""
    path = path_of(route).replace("{data_entry_type}", "plane") + query
    assert "{" not in path, f"{route.path}: give its parts values in tests/gateway/test_routes.py"
    if isinstance(route, OtherRoute) and EVENTS in route.answer:
        async with http.stream(path) as stream:
            if stream.status == 200:
                return Answer(200, stream.headers, b"")
    # A browser's logins come from a page of the gateway's own.
    return await http.ask(route.method, path, body_of(route), sec_fetch_site="same-origin")


def outcome(answer: Answer) -> tuple[int, str]:
    kind = answer.headers.get("content-type", "")
    return answer.status, answer.json["reason"] if kind.startswith("application/problem") else ""


def roles_that_may(route: Route | OtherRoute) -> frozenset[str]:
    """Those of the RPC that is called first; all, if none is."""
    rpc = route.rpc if isinstance(route, Route) else next(iter(route.rpcs), "")
    return frozenset(roles_of(method_of(f"carbonline.v1.{rpc}"))) if rpc else ROLES_ALL


@pytest.mark.parametrize("role", sorted(ROLES_ALL))
async def test_a_route_is_for_the_roles_of_its_rpc_and_for_no_other(
    http: HttpClient, driver: Client, role: str
) -> None:
    await driver.submit("noop", LOCAL)
    caller = HttpClient(http.port, f"{role}@local")
    wrong = []
    for route in EVERY_ROUTE:
        if isinstance(route, OtherRoute) and route.name == "BeginSession":
            # Its caller is whose token is in the body.
            continue
        found = outcome(await sent(caller, route))
        if (found == DENIED) == (role in roles_that_may(route)):
            wrong.append((route.method, route.path, found))
    assert not wrong


async def test_another_tenant_reads_and_changes_nothing(http: HttpClient, driver: Client) -> None:
    await driver.provision()
    number = (await driver.submit("noop", LOCAL)).pipeline_id
    before = (await driver.submit("noop", LOCAL)).pipeline_id
    stranger = HttpClient(http.port, "@elsewhere")
    told = []
    for route in EVERY_ROUTE:
        answer = await sent(stranger, route)
        if "{pipeline_id}" in route.path or "{job_id}" in route.path:
            allowed = ((403, "OTHER_TENANT"), (400, "FIELD_INVALID"))
            assert outcome(answer) in allowed, (route.path, outcome(answer))
        if route.method == "GET" and takes_a_tenant(route):
            asked = outcome(await sent(stranger, route, "?tenant=local"))
            # That another tenant has the same file, nobody is told.
            assert asked[0] in (400, 403) or asked == (404, "BLOB_NOT_FOUND"), (route.path, asked)
        if answer.status == 200 and answer.body and b'"tenant": "local"' in answer.body:
            told.append(route.path)
    assert not told
    assert number < before
    for one in (number, before):
        found = (await HttpClient(http.port, "@local").get(f"/v1/pipelines/{one}")).json
        assert found["pipeline"]["status"] == "PIPELINE_STATUS_NOT_STARTED"


def takes_a_tenant(route: Route | OtherRoute) -> bool:
    told = api_document()["paths"][route.path][route.method.lower()]
    return any(one["name"] == "tenant" for one in told["parameters"])


async def test_a_body_that_names_another_tenant_is_refused(
    http: HttpClient, driver: Client
) -> None:
    await driver.submit("noop", LOCAL)
    stranger = HttpClient(http.port, "@elsewhere")
    refused = 0
    for route in ROUTES:
        fields = method_of(route.full_name).input_type.fields_by_name
        if route.method != "POST" or "tenant" not in fields:
            continue
        body = {**BODIES.get(route.rpc, {}), "tenant": "local"}
        answer = await stranger.post(path_of(route), body)
        # Drained workers belong to nobody: an unknown one is not found.
        assert outcome(answer)[0] in (400, 403, 404), (route.path, json.loads(answer.body))
        refused += outcome(answer) == (403, "OTHER_TENANT")
    assert refused >= 6
