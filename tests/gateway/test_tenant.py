"""A browser of somebody who acts for several tenants: the chosen one is named in every call."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from carbonline.v1 import blobs_pb2, interventions_pb2, scheduler_pb2
from gateway_service.access.tenant import _CHOSEN, CHOICE, name_tenant
from gateway_service.other_routes import OtherRoute
from gateway_service.server import RunningGateway
from tests.gateway.conftest import Services, both_services
from tests.gateway.http_client import HttpClient
from tests.gateway.test_console_events import next_update, pipelines_of
from tests.gateway.test_rights import EVERY_ROUTE, ByRole, outcome, sent
from tests.scheduler_service.rpc.conftest import Client

EVENTS = "/v1/events"
NOOP = {"job_type": "noop"}
UNNAMED = (400, "FIELD_INVALID")


class Browser(HttpClient):
    """Its token is of both tenants, in a cookie, beside that of its choice."""

    def _headers(self, given: object) -> dict[str, str]:
        chosen = f'carbonline="@local/other"; {CHOICE}={self.token}'
        return {"cookie": chosen, "sec-fetch-site": "same-origin"}


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    async with both_services(database_url, tmp_path, ByRole()) as running:
        yield running


async def test_no_route_asks_a_browser_for_the_tenant_that_it_has_chosen(
    http: HttpClient, driver: Client
) -> None:
    await driver.provision()
    for chosen in ("local", "other"):
        unlike = []
        for route in EVERY_ROUTE:
            if isinstance(route, OtherRoute) and route.name.endswith("Session"):
                continue
            alone = outcome(await sent(HttpClient(http.port, f"@{chosen}"), route))
            found = outcome(await sent(Browser(http.port, chosen), route))
            if (found == UNNAMED) != (alone == UNNAMED):
                unlike.append((route.method, route.path, alone, found))
        assert not unlike


async def test_each_choice_has_its_own_stream_and_a_program_has_none(
    gateway: RunningGateway,
) -> None:
    ids = {"local": "11111111-1111-4111-8111-111111111111"}
    ids["other"] = ids["local"].replace("1", "2")
    async with AsyncExitStack() as open_streams:
        events = {}
        for chosen in ids:
            stream = Browser(gateway.port, chosen).stream(EVENTS)
            events[chosen] = (await open_streams.enter_async_context(stream)).events()
            await next_update(events[chosen])
        for chosen, request_id in ids.items():
            one = HttpClient(gateway.port, f"@{chosen}")
            made = await one.post("/v1/pipelines", {**NOOP, "request_id": request_id})
            assert made.status == 200
            update = await next_update(events[chosen])
            assert set(pipelines_of(update)) == {made.json["pipeline_id"]}
    program = HttpClient(gateway.port, "@local/other")
    answer = await program.get("/v1/pipelines", cookie=f"carbonline=x; {CHOICE}=local")
    assert outcome(answer) == UNNAMED


def test_what_names_a_tenant_keeps_it() -> None:
    choice = _CHOSEN.set("north")
    try:
        header = blobs_pb2.BlobHeader()
        submission = scheduler_pb2.SubmitRequest()
        submission.scope.tenant = "south"
        every = interventions_pb2.PauseJobTypeRequest(all_tenants=True)
        for message in (header, submission, every):
            name_tenant(message)
        named = (header.scope.tenant, submission.scope.tenant, every.tenant)
        assert named == ("north", "south", "")
    finally:
        _CHOSEN.reset(choice)
