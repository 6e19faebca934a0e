"""Whoever computes shares of totals while these change leaves stale ones, and is followed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest

from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import WorkerHarness
from tests.worker_service.steps.facility_files import (
    FACILITIES,
    GAS,
    GASES,
    USES,
    factors,
    gases,
    kg,
    load,
    looked_at,
    prepare,
    uses,
)
from worker_service.carbon.catalogue import module_of
from worker_service.ledger.freshness import ModuleState
from worker_service.ledger.pool import open_ledger
from worker_service.ledger_api.freshness import answer_freshness
from worker_service.mechanics.outcome import Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.aggregation import run_aggregation
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.factor_ingest import run_factor_ingest
from worker_service.steps.stores import Stores

Step: TypeAlias = Callable[[Stores, Run], Awaitable[Outcome]]
SECONDS = 120.0
HOLD_EMISSIONS = "SELECT FROM carbon.write_fences WHERE scope = 'emissions/70/2024' FOR UPDATE"
HOLD_TOTALS = "SELECT FROM carbon.totals WHERE module = 8 FOR UPDATE"
WAITING = """
SELECT FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@dataclass
class ByHand:
    """Runs the steps of claims that no scheduler has given, each with a newer token."""

    harness: WorkerHarness
    stores: Stores
    token: int = 1_000_000

    async def run(self, step: Step, data_entry_type: int, **payload: str) -> Succeeded:
        """Of a job over the type, or over its module."""
        self.token += 1
        held = claim(
            "by_hand",
            self.token,
            lease_seconds=4 * SECONDS,
            payload=payload,
            module=module_of(data_entry_type).id,
            data_entry_type=data_entry_type,
        )
        outcome = await step(self.stores, held.run)
        assert isinstance(outcome, Succeeded)
        return outcome

    async def ingest(self, data_entry_type: int, text: str, source: str = "") -> None:
        """A file that counts, and is not computed."""
        blob = self.harness.blob(text)
        payload = {"blob": blob, "source": source, "take_away": "yes"}
        await self.run(run_csv_ingest, data_entry_type, **payload)

    async def recalculate(self, data_entry_type: int) -> None:
        await self.run(run_emission_recalc, data_entry_type)

    async def total(self, data_entry_type: int) -> Written:
        """New totals of the type's module: whether anything follows."""
        return (await self.run(run_aggregation, data_entry_type)).written

    @asynccontextmanager
    async def meanwhile(self, doing: Coroutine[Any, Any, Any], hold: str) -> AsyncIterator[None]:
        """The body runs while `doing`, which has read what it computes from, waits for a lock."""
        async with asyncio.timeout(SECONDS), self.stores.ledger.session() as conn:
            transaction = conn.transaction()
            await transaction.start()
            await conn.execute(hold)
            held = asyncio.create_task(doing)
            while not await self.harness.rows(WAITING):
                assert not held.done()
                await asyncio.sleep(0)
            yield
            await transaction.rollback()
            await held


@pytest.fixture
async def by_hand(idle_harness: WorkerHarness, database_url: str) -> AsyncIterator[ByHand]:
    """A facility with 100 kg of its own, of which Physics has used a tenth. No worker runs."""
    async with idle_harness.working():
        await prepare(idle_harness)
        await load(idle_harness, "factor_ingest", USES, factors({"MIC": None}))
        await load(idle_harness, "csv_ingest", GASES, gases({"MIC": 100}))
        await load(idle_harness, "csv_ingest", USES, uses({("0828", "MIC"): 10}))
    # Whoever is held waits as long as the test takes, however busy the machine is.
    lease = 4 * SECONDS
    ledger = await open_ledger(
        database_url, application_name="test", lease_seconds=lease, jobs_max=4
    )
    try:
        yield ByHand(idle_harness, replace(idle_harness.stores, ledger=ledger))
    finally:
        await ledger.close()


async def state_of_facilities(harness: WorkerHarness) -> ModuleState:
    return (await looked_at(harness))[1][FACILITIES]


async def test_a_recalculation_that_began_before_new_totals_leaves_its_module_stale(
    by_hand: ByHand,
) -> None:
    harness = by_hand.harness
    await by_hand.ingest(GASES, gases({"MIC": 50}), "more")
    await by_hand.recalculate(GASES)
    await by_hand.ingest(USES, uses({("0828", "MIC"): 20}))
    async with by_hand.meanwhile(by_hand.recalculate(USES), HOLD_EMISSIONS):
        assert await by_hand.total(GASES) is Written.UNKNOWN
    await by_hand.total(USES)
    assert (await kg(harness))[FACILITIES, "0828"] == 20, "the totals of before"
    [uses_] = (await state_of_facilities(harness)).types
    assert uses_.misses_a_change
    await by_hand.recalculate(USES)
    await by_hand.total(USES)
    assert (await kg(harness))[FACILITIES, "0828"] == 30
    assert (await state_of_facilities(harness)).fresh


async def test_a_recalculation_that_began_after_new_totals_has_seen_them(by_hand: ByHand) -> None:
    await by_hand.ingest(GASES, gases({"MIC": 50}), "more")
    await by_hand.recalculate(GASES)
    assert await by_hand.total(GASES) is Written.UNKNOWN
    await by_hand.recalculate(USES)
    await by_hand.total(USES)
    assert (await kg(by_hand.harness))[FACILITIES, "0828"] == 15
    assert (await state_of_facilities(by_hand.harness)).fresh
    assert await by_hand.total(GASES) is Written.NOTHING


async def test_totals_that_are_as_they_were_are_followed_where_somebody_has_read_others(
    by_hand: ByHand,
) -> None:
    for quantity in (150, 100):
        await by_hand.ingest(GASES, gases({"MIC": quantity}))
        await by_hand.recalculate(GASES)
        if quantity == 150:
            assert await by_hand.total(GASES) is Written.UNKNOWN
            continue
        async with by_hand.meanwhile(by_hand.recalculate(USES), HOLD_EMISSIONS):
            # The emissions that count are those of 100 kg, and others are on their way.
            assert await by_hand.total(GASES) is Written.UNKNOWN
    assert not (await state_of_facilities(by_hand.harness)).fresh


async def test_a_factor_that_is_loaded_while_totals_are_published_has_the_new_ones(
    by_hand: ByHand,
) -> None:
    harness = by_hand.harness
    factor = {"blob": harness.blob(factors({"MIC": 1000})), "take_away": "yes"}
    await by_hand.run(run_factor_ingest, USES, **factor)
    await by_hand.recalculate(USES)
    await by_hand.ingest(GASES, gases({"MIC": 300}))
    await by_hand.recalculate(GASES)
    written: list[Written] = []

    async def total() -> None:
        written.append(await by_hand.total(GASES))

    async with by_hand.meanwhile(total(), HOLD_TOTALS):
        # No factor was made of totals when it looked.
        factor = {"blob": harness.blob(factors({"MIC": None})), "take_away": "yes"}
        await by_hand.run(run_factor_ingest, USES, **factor)
        await by_hand.recalculate(USES)
    assert written == [Written.UNKNOWN]
    assert not (await state_of_facilities(harness)).fresh


async def test_totals_of_facilities_wait_for_totals_that_are_stale(by_hand: ByHand) -> None:
    harness = by_hand.harness
    assert (await state_of_facilities(harness)).fresh
    await by_hand.ingest(GASES, gases({"0829": 50}), "more")
    for go_on in (by_hand.recalculate(GASES), by_hand.total(GASES)):
        state = await state_of_facilities(harness)
        [uses_] = state.types
        assert (state.fresh, uses_.misses_a_change, uses_.stale_modules) == (False, False, [GAS])
        answer = answer_freshness(state)
        said = "research_facilities has shares of the totals of process_emissions, which are stale"
        assert (answer.fresh, answer.reason) == (False, said)
        await go_on
    assert (await state_of_facilities(harness)).fresh
