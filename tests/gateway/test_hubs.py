"""Viewers with the same rights share a hub, whatever their tokens are; others share nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import operations_pb2, options_pb2, types_pb2
from gateway_service.server import RunningGateway
from gateway_service.streams.hub import rights_of
from tests.gateway.conftest import Services, both_services
from tests.gateway.http_client import SECONDS_MAX, Event, HttpClient
from tests.gateway.test_console_events import EVENTS, LOCAL, next_update, pipelines_of
from tests.scheduler_service.rpc.conftest import BLOB, Client

SHORT_SECONDS = 4.0
TRAVEL, PLANE = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.DATA_ENTRY_TYPE_PLANE
HEADCOUNT, MEMBER = types_pb2.MODULE_HEADCOUNT, types_pb2.DATA_ENTRY_TYPE_MEMBER
TYPES = {TRAVEL: PLANE, HEADCOUNT: MEMBER}
UNITS = ("0828", "0900", "")


class ByRights:
    """`Bearer NAME:unit=0828` and `Bearer NAME:module=2` are limited; the token NAME:short ends
    SHORT_SECONDS after it was first used.
    """

    def __init__(self) -> None:
        self._ends_at = 0.0

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The caller, of tenant local."""
        name, _, limit = authorization.removeprefix("Bearer ").partition(":")
        kind, _, value = limit.partition("=")
        more: dict[str, Any] = {}
        if kind == "unit":
            more["units"] = frozenset({value})
        if kind == "module":
            more["modules"] = frozenset({int(value)})
        if kind == "short":
            self._ends_at = self._ends_at or time.time() + SHORT_SECONDS
            more["expires_at"] = self._ends_at
        principal = Principal(name or "driver", ("local",), **more)
        left = principal.seconds_left
        return None if left is not None and left <= 0 else principal


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    async with both_services(database_url, tmp_path, ByRights()) as running:
        yield running


async def upload(driver: Client, year: int, module: types_pb2.Module.ValueType, unit: str) -> str:
    """The number of a new pipeline."""
    scope = types_pb2.Scope(
        tenant="local", module=module, data_entry_type=TYPES[module], year=year, unit=unit
    )
    return str((await driver.submit("csv_ingest", scope, {"blob": BLOB})).pipeline_id)


async def test_viewers_with_other_rights_see_their_own_rows_only(
    gateway: RunningGateway, driver: Client
) -> None:
    await driver.provision(2024)
    await driver.provision(2025)
    made = {of: await upload(driver, 2024, *of) for of in product(TYPES, UNITS)}
    # Whom the services show what: all, a unit's, another unit's, a module's.
    sees = {
        "ann": set(made),
        "bob:unit=0828": {of for of in made if of[1] == "0828"},
        "dan:unit=0900": {of for of in made if of[1] == "0900"},
        f"eve:module={TRAVEL}": {of for of in made if of[0] == TRAVEL},
    }
    async with AsyncExitStack() as viewers:
        events = {
            token: (
                await viewers.enter_async_context(HttpClient(gateway.port, token).stream(EVENTS))
            ).events()
            for token in sees
        }
        for token, scopes in sees.items():
            first = await next_update(events[token])
            own = {made[scope] for scope in scopes}
            assert set(pipelines_of(first)) & set(made.values()) == own
            assert jobs_pipelines(first) & set(made.values()) == own
        again = {of: await upload(driver, 2025, *of) for of in made}
        for token, scopes in sees.items():
            own = {again[scope] for scope in scopes}
            told, of_jobs = set[str](), set[str]()
            async with asyncio.timeout(SECONDS_MAX):
                while not own <= of_jobs:
                    update = await next_update(events[token])
                    told |= set(pipelines_of(update))
                    of_jobs |= jobs_pipelines(update)
            assert told & set(again.values()) == own
            assert of_jobs & set(again.values()) == own


def jobs_pipelines(update: Event) -> set[str]:
    return {row["pipeline_id"] for row in update.data["jobs"]}


async def test_a_hub_goes_on_with_another_token_when_one_has_ended(
    gateway: RunningGateway, driver: Client
) -> None:
    async with AsyncExitStack() as viewers:
        ends = HttpClient(gateway.port, "ann:short").stream(EVENTS)
        short = (await viewers.enter_async_context(ends)).events()
        await next_update(short)
        stays = HttpClient(gateway.port, "bob").stream(EVENTS)
        events = (await viewers.enter_async_context(stays)).events()
        await next_update(events)
        async with asyncio.timeout(SECONDS_MAX):
            # Who has no right any more hears no more.
            async for _ in short:
                pass
        pipeline = str((await driver.submit("noop", LOCAL)).pipeline_id)
        async with asyncio.timeout(SECONDS_MAX):
            while pipeline not in pipelines_of(await next_update(events)):
                pass
    answer = await HttpClient(gateway.port, "ann:short").get(EVENTS)
    assert answer.status == 401


def test_only_names_and_times_may_differ_in_a_hub() -> None:
    def caller(**more: Any) -> operations_pb2.GetCallerResponse:
        return operations_pb2.GetCallerResponse(**more)

    others: dict[str, Any] = {
        "tenants": ["other"],
        "roles": [options_pb2.ROLE_AUDITOR],
        "all_modules": True,
        "modules": [TRAVEL],
        "all_units": True,
        "units": ["0828"],
    }
    same = caller(name="ann")
    same.expires_at.FromSeconds(7)
    same.answered_at.FromSeconds(6)
    assert rights_of(same) == rights_of(caller())
    # A field that is added is a right until somebody says that it is none.
    assert {*others, "name", "expires_at", "answered_at"} == set(caller().DESCRIPTOR.fields_by_name)
    of_each = [rights_of(caller(**{name: value})) for name, value in others.items()]
    assert len({rights_of(caller()), *of_each}) == len(others) + 1
