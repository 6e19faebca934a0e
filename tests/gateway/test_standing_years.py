"""Totals are told to be out of date only if nothing is on its way to them, whatever begins when."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import cycle
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from carbonline.v1 import operations_pb2, types_pb2
from gateway_service.services import Services as Called
from gateway_service.streams.follow import Follower
from gateway_service.streams.rows import Key, Row
from gateway_service.streams.standing_years import LOOKS_MAX, Place, StandingYears
from tests.gateway.conftest import Services
from tests.gateway.http_client import SECONDS_MAX
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_a_pipeline_over_the_wire import TRAVEL, chain

PLACE: Place = (TRAVEL.year, TRAVEL.module)
TRAIN = types_pb2.Scope()
TRAIN.CopyFrom(TRAVEL)
TRAIN.data_entry_type = types_pb2.DATA_ENTRY_TYPE_TRAIN
Act = Callable[[], Awaitable[object]]


class Interrupted(Called):
    """Something happens before calls of some RPCs; each of the acts once."""

    def __init__(self, scheduler_address: str, ledger_address: str) -> None:
        super().__init__(scheduler_address, ledger_address)
        self.acts: list[tuple[str, Act]] = []
        self.calls: list[str] = []

    async def answer(self, method: MethodDescriptor, request: Message, token: str) -> Message:
        self.calls.append(method.name)
        if self.acts and self.acts[0][0] == method.name:
            await self.acts.pop(0)[1]()
        return await super().answer(method, request, token)


@pytest.fixture
async def called(services: Services) -> AsyncIterator[Interrupted]:
    made = Interrupted(services.scheduler_address, services.ledger_address)
    yield made
    await made.close()


async def upload(driver: Client, scope: types_pb2.Scope = TRAVEL) -> int:
    answer = await driver.submit("csv_ingest", scope, {"blob": BLOB})
    return int(answer.pipeline_id)


async def cancel(driver: Client, pipeline_id: int) -> None:
    await driver.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=pipeline_id)
    )


def is_stale(years: list[operations_pb2.GetYearResponse]) -> bool | None:
    """None if the year is left out."""
    told = {year.year: [one for one in year.modules if not one.fresh] for year in years}
    return bool(told[TRAVEL.year]) if TRAVEL.year in told else None


async def test_what_begins_before_a_year_is_read_is_told_with_it(
    called: Interrupted, driver: Client
) -> None:
    """The stream of pipelines tells of it later."""
    await driver.provision()
    called.acts = [("ListYears", lambda: upload(driver))]
    rounds: asyncio.Queue[dict[Key, Row]] = asyncio.Queue()
    live: dict[int, Place] = {}

    def take(rows: Mapping[Key, Row], *, whole: bool, more_live: bool) -> None:
        assert (whole, more_live) == (rounds.empty(), False)
        rounds.put_nowait(dict(rows))

    following = asyncio.create_task(Follower(called, "local", live, take).run())
    try:
        async with asyncio.timeout(SECONDS_MAX):
            rows = await rounds.get()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    (module,) = rows["years", str(TRAVEL.year)]["modules"]
    statuses: list[Any] = [row["status"] for (name, _), row in rows.items() if name == "pipelines"]
    assert not module["fresh"]
    assert "PIPELINE_STATUS_NOT_STARTED" in statuses
    assert list(live.values()) == [PLACE]


async def test_what_ends_while_a_year_is_read_leaves_no_word_of_before(
    called: Interrupted, driver: Client
) -> None:
    await driver.provision()
    begun: list[int] = []
    scopes = cycle([TRAVEL, TRAIN])

    async def begin() -> None:
        begun.append(await upload(driver, next(scopes)))

    async def end() -> None:
        await cancel(driver, begun.pop())

    called.acts = [("ListYears", begin), ("ListActivePipelines", end)]
    years, live = await StandingYears(called, "local").read(())
    assert not called.acts
    assert is_stale(years) is False
    assert not live
    # As long as it goes on so, the year has its turn later.
    called.acts = [("ListYears", begin), ("ListActivePipelines", end)] * LOOKS_MAX
    called.acts.append(("ListYears", begin))
    years, _ = await StandingYears(called, "local").read(())
    assert not called.acts
    assert is_stale(years) is None


async def test_what_is_out_of_date_with_nothing_on_its_way_is_looked_for_once(
    called: Interrupted, driver: Client
) -> None:
    await driver.provision()
    pipeline = await upload(driver)
    (ingest,) = await driver.claim("csv_ingest")
    await chain(driver, ingest, "emission_recalc")
    await driver.finish(ingest)
    standing = StandingYears(called, "local")
    years, _ = await standing.read([PLACE])
    assert is_stale(years)
    assert "ListActivePipelines" not in called.calls
    await cancel(driver, pipeline)
    for _ in range(2):
        years, live = await standing.read(())
        assert is_stale(years)
        assert not live
    assert called.calls.count("ListActivePipelines") == 1
    # What is on its way again is looked for when it is over.
    await standing.read([PLACE])
    await standing.read(())
    assert called.calls.count("ListActivePipelines") == 2


def test_a_place_is_a_year_and_a_module() -> None:
    assert PLACE == (2024, types_pb2.MODULE_PROFESSIONAL_TRAVEL)
