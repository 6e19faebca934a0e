"""A worker that is killed while it asks a service leaves what was there; another goes on."""

import asyncio

from aiohttp import web

from carbonline.command.demo import YEAR
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import AcceptanceRun
from tests.acceptance.conftest import OpenRun
from tests.worker_service.providers.fake_travel_api import SECRET, FakeTravelApi, served, trip

UNIT = "AA"


async def submitted(run: AcceptanceRun) -> int:
    scope = run.client.scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=YEAR,
    )
    answer = await run.client.submit("api_ingest", scope, {"provider": "travel-api"})
    return answer.pipeline_id


async def total_kg(run: AcceptanceRun) -> float:
    return (await run.client.get_totals(YEAR)).institution.total_kg


async def test_earlier_data_stays_when_a_worker_is_killed_in_the_middle(open_run: OpenRun) -> None:
    fake = FakeTravelApi([trip(kg=10, centre=UNIT)])
    async with served(fake), open_run(workers=1, environment=fake.environment()) as run:
        await run.ended(await submitted(run))
        assert await total_kg(run) == 10.0
        fake.records = [
            trip(kg=7, centre=UNIT, date=f"2024010{day}", ticket=f"{number}")
            for day in (1, 2, 3)
            for number in range(5_000)
        ]
        in_the_middle, killed = asyncio.Event(), asyncio.Event()
        first = fake.queries

        async def hang(_request: web.Request) -> web.Response | None:
            # After the dates and the first page.
            if fake.queries - first > 2 and not killed.is_set():
                in_the_middle.set()
                await killed.wait()
            return None

        fake.instead = hang
        pipeline = await submitted(run)
        async with asyncio.timeout(30):
            await in_the_middle.wait()
        run.stack.kill("worker-1")
        assert await total_kg(run) == 10.0
        killed.set()
        view = await run.ended(pipeline)
        assert view.pipeline is not None
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()
        assert view.in_order()[0].attempts == 2
        assert await total_kg(run) == 7.0 * 15_000
        await run.everything_must_be_fresh()
        logs = run.stack.addresses.log_folder
        assert not [log for log in logs.iterdir() if SECRET in log.read_text("utf-8")]
