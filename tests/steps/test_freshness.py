"""Totals are stale from a change on until they contain it, also while it is being computed."""

import asyncio

import pytest

from tests.steps.conftest import CDG, FACTORS, GVA_CDG_KG, JFK, YEAR, House, flights
from worker_service.ledger.freshness import ModuleState
from worker_service.ledger.totals import TotalsReader, Wanted, YearTotals
from worker_service.ledger_api.freshness import answer_freshness, computable_types
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run


async def read(house: House) -> YearTotals:
    wanted = Wanted("local", YEAR, None, None)
    return await TotalsReader(house.ledger).read_year(wanted, computable_types(None), (2020, 2030))


async def reasons(house: House) -> list[str]:
    """Of each module that has something: why it is stale, "" for fresh."""
    states: list[ModuleState] = list((await read(house)).states)
    return [answer_freshness(state).reason for state in states]


async def test_everything_that_has_ended_well_is_fresh(house: House) -> None:
    assert await reasons(house) == []
    await house.load_flights(flights(CDG, JFK))
    assert await reasons(house) == [""]
    await house.load_flights(flights(CDG), unit="0828")
    assert await reasons(house) == [""]
    await house.load_factors(FACTORS.replace("0.2906", "0.5"))
    assert await reasons(house) == [""]
    await house.load_places("iata,latitude,longitude\nCDG,48.9,2.5\n")
    assert await reasons(house) == [""]
    await house.recalculate()
    assert await reasons(house) == [""]


async def test_totals_are_stale_while_a_recalculation_runs(idle_house: House) -> None:
    house = idle_house
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    recalculation = house.steps["emission_recalc"]

    async def waiting(run: Run) -> Outcome:
        begun.set()
        await may_go_on.wait()
        return await recalculation(run)

    async with house.working():
        await house.load_units()
        await house.load_places()
        await house.load_factors()
        await house.load_flights(flights(CDG))
    house.steps["emission_recalc"] = waiting
    async with house.working(number=1):
        pipeline = await house.submit_flights(flights(CDG, CDG))
        async with asyncio.timeout(30):
            await begun.wait()
        [reason] = await reasons(house)
        missing, left_over = reason.split(", ")
        assert missing == "1 upload of plane (2 rows) is not computed yet"
        assert left_over == "1 upload of plane is still in the totals and does not count any more"
        assert await house.kg() == pytest.approx({"0828": GVA_CDG_KG})
        may_go_on.set()
        await house.ended(pipeline)
    assert await reasons(house) == [""]
    assert await house.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})
