"""Totals are stale from a change on until they contain it, also while it is being computed."""

import asyncio

import pytest

from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    JFK,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.ledger.freshness import ModuleState
from worker_service.ledger.totals import TotalsFilter, TotalsReader, YearTotals
from worker_service.ledger_api.freshness import answer_freshness
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run


async def read(harness: WorkerHarness) -> YearTotals:
    wanted = TotalsFilter("local", YEAR, None, None)
    return await TotalsReader(harness.ledger).read_year(wanted, (2020, 2030))


async def reasons(harness: WorkerHarness) -> list[str]:
    """Of each module that has something: why it is stale, "" for fresh."""
    states: list[ModuleState] = list((await read(harness)).states)
    return [answer_freshness(state).reason for state in states]


async def test_everything_that_has_ended_well_is_fresh(harness: WorkerHarness) -> None:
    assert await reasons(harness) == []
    await harness.load_flights(flights(CDG, JFK))
    assert await reasons(harness) == [""]
    await harness.load_flights(flights(CDG), unit="0828")
    assert await reasons(harness) == [""]
    await harness.load_factors(FACTORS.replace("0.2906", "0.5"))
    assert await reasons(harness) == [""]
    await harness.load_places("iata,latitude,longitude\nCDG,48.9,2.5\n")
    assert await reasons(harness) == [""]
    await harness.recalculate()
    assert await reasons(harness) == [""]


async def test_totals_are_stale_while_a_recalculation_runs(idle_harness: WorkerHarness) -> None:
    harness = idle_harness
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    recalculation = harness.steps["emission_recalc"]

    async def waiting(run: Run) -> Outcome:
        begun.set()
        await may_go_on.wait()
        return await recalculation(run)

    async with harness.working():
        await harness.load_units()
        await harness.load_places()
        await harness.load_factors()
        await harness.load_flights(flights(CDG))
    harness.steps["emission_recalc"] = waiting
    async with harness.working(number=1):
        pipeline = await harness.submit_flights(flights(CDG, CDG))
        async with asyncio.timeout(30):
            await begun.wait()
        [reason] = await reasons(harness)
        missing, left_over = reason.split(", ")
        assert missing == "1 upload of plane (2 rows) is not computed yet"
        assert left_over == "1 upload of plane is still in the totals and no longer counts"
        assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})
        may_go_on.set()
        await harness.ended(pipeline)
    assert await reasons(harness) == [""]
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})
