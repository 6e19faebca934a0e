"""A worker that is killed in the middle of a sync of units changes nothing; the next goes on."""

import asyncio

import asyncpg
from aiohttp import web

from carbonline.command.demo import YEAR
from carbonline.v1 import types_pb2
from tests.acceptance.acceptance_run import AcceptanceRun, write_some_flights
from tests.acceptance.conftest import OpenRun
from tests.worker_service.steps.test_unit_directory import PASSWORD, Directory, served

CARRIER = {"id": "AA", "name": "American"}
PHYSICS, LAW = {"id": "0828", "name": "Physics"}, {"id": "0829", "name": "Law"}
NEW = [{"id": f"{number:05d}", "name": f"Institute {number}"} for number in range(5_000)]
WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query ~ 'carbon.units' AND pid <> pg_backend_pid()
"""


async def submitted(run: AcceptanceRun) -> int:
    scope = run.client.scope(year=YEAR)
    answer = await run.client.submit("unit_sync", scope, {"provider": "unit-directory"})
    return answer.pipeline_id


async def units(run: AcceptanceRun) -> dict[str, tuple[str, bool]]:
    """Name and staleness of every unit."""
    connection = await asyncpg.connect(run.stack.addresses.database_url)
    try:
        rows = await connection.fetch("SELECT unit, name, stale FROM carbon.units")
    finally:
        await connection.close()
    return {row["unit"]: (row["name"], row["stale"]) for row in rows}


async def totals(run: AcceptanceRun) -> dict[str, float]:
    answer = await run.client.get_totals(YEAR)
    return {one.unit: one.total_kg for one in answer.module_totals}


async def must_have_completed(run: AcceptanceRun, pipeline: int) -> None:
    """By a second attempt: what the list has is there, what it lacks is flagged and stays."""
    view = await run.ended(pipeline)
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()
    assert view.in_order()[0].attempts == 2
    after = await units(run)
    assert {unit for unit, (_, stale) in after.items() if not stale} == {
        "AA",
        "0828",
        *(one["id"] for one in NEW),
    }
    assert after["0829"] == ("Law", True)


async def test_units_and_totals_stand_when_a_worker_is_killed_while_it_asks(
    open_run: OpenRun,
) -> None:
    directory = Directory([[CARRIER, PHYSICS], [LAW]])
    async with served(directory), open_run(workers=1, environment=directory.environment()) as run:
        run.file = write_some_flights(run.stack.addresses.data_folder / "some.csv.gz")
        await run.ended(await run.submit())
        await run.ended(await submitted(run))
        before, sums = await units(run), await totals(run)
        assert before["0829"] == ("Law", False)
        assert sums["AA"] > 0
        directory.pages = [[CARRIER, PHYSICS], NEW]
        in_the_middle, killed = asyncio.Event(), asyncio.Event()

        async def hang(request: web.Request) -> None:
            # After the first page, before the one with the new units.
            if request.query["page"] == "2" and not killed.is_set():
                in_the_middle.set()
                await killed.wait()

        directory.before = hang
        pipeline = await submitted(run)
        async with asyncio.timeout(30):
            await in_the_middle.wait()
        run.stack.kill("worker-1")
        assert (await units(run), await totals(run)) == (before, sums)
        killed.set()
        await must_have_completed(run, pipeline)
        assert await totals(run) == sums
        await run.everything_must_be_fresh()
        logs = run.stack.addresses.log_folder
        assert not [log for log in logs.iterdir() if PASSWORD in log.read_text("utf-8")]


async def test_nothing_is_half_saved_when_a_worker_is_killed_while_it_saves(
    open_run: OpenRun,
) -> None:
    directory = Directory([[CARRIER, PHYSICS], [LAW]])
    async with served(directory), open_run(workers=1, environment=directory.environment()) as run:
        await run.ended(await submitted(run))
        before = await units(run)
        directory.pages = [[CARRIER, PHYSICS], NEW]
        holder = await asyncpg.connect(run.stack.addresses.database_url)
        try:
            async with holder.transaction():
                # The new units are written by then, and the one that vanished is to be flagged.
                await holder.execute("SELECT FROM carbon.units WHERE unit = '0829' FOR UPDATE")
                pipeline = await submitted(run)
                async with asyncio.timeout(30):
                    # PostgreSQL rings no bell for it.
                    while not (await run.fetch_row(WAITS))[0]:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                run.stack.kill("worker-1")
                assert await units(run) == before
        finally:
            await holder.close()
        await must_have_completed(run, pipeline)
