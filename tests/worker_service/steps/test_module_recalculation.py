"""A module is recalculated by a job of each type: of all that have data, or of the stale ones."""

import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import CDG, GVA_CDG_KG, YEAR, WorkerHarness, flights
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
from tests.worker_service.steps.test_routed_ingest import (
    HEADER,
    PURCHASE,
    SERVICES,
    VEHICLES,
)
from worker_service.mechanics.outcome import Failed, Outcome
from worker_service.mechanics.run import Run

PLANE = types_pb2.DATA_ENTRY_TYPE_PLANE
OTHER = types_pb2.DATA_ENTRY_TYPE_OTHER_PURCHASES
NAMES = {SERVICES: "services", VEHICLES: "vehicles", OTHER: "other_purchases"}
WITHOUT_DATA = (
    "scientific_equipment, it_equipment, consumable_accessories,"
    " biological_chemical_gaseous_product, other_purchases, additional_purchases"
)
OF_FACTORS = "purchase_institutional_code,currency,ef_kg_co2eq_per_currency\n"


@dataclass
class Purchases:
    """Purchases of types whose recalculations end in ERROR while they are `broken`."""

    harness: WorkerHarness
    broken: set[int] = field(default_factory=set)
    sums_are_broken: bool = False
    factor_of: dict[int, float] = field(default_factory=dict)
    spent_of: dict[int, int] = field(default_factory=dict)

    async def load_factor(self, data_entry_type: int, kg_per_franc: float) -> PipelineView:
        self.factor_of[data_entry_type] = kg_per_franc
        text = f"{OF_FACTORS}c,chf,{kg_per_franc}\n"
        return await load(self.harness, "factor_ingest", data_entry_type, text, take_away="yes")

    async def spend(self, data_entry_type: int, francs: int) -> PipelineView:
        self.spent_of[data_entry_type] = francs
        text = f"{HEADER}0828,It,{francs},c,\n"
        return await load(self.harness, "csv_ingest", data_entry_type, text, take_away="yes")

    async def load_each(self) -> None:
        """Services come to 50 kg, vehicles to 200."""
        await self.harness.load_units()
        for data_entry_type, factor, francs in ((SERVICES, 0.5, 100), (VEHICLES, 0.2, 1000)):
            await self.load_factor(data_entry_type, factor)
            await self.spend(data_entry_type, francs)

    async def recalculate(
        self, module: int = PURCHASE, *, only_stale: bool = False
    ) -> PipelineView:
        payload = {"only_stale": "yes"} if only_stale else {}
        number = await self.harness.submit(
            "module_emission_recalc", None, payload=payload, module=module, year=YEAR
        )
        return await self.harness.ended(number)

    def expected(self) -> float:
        """The kilograms of all purchases, without the product."""
        return sum(francs * self.factor_of[of] for of, francs in self.spent_of.items())

    async def total(self) -> float:
        return sum(of for (module, _), of in (await kg(self.harness)).items() if module == PURCHASE)


@pytest.fixture
async def purchases(idle_harness: WorkerHarness) -> AsyncIterator[Purchases]:
    """With a worker, and nothing loaded."""
    made = Purchases(idle_harness)
    recalculation = idle_harness.steps["emission_recalc"]
    aggregation = idle_harness.steps["aggregation"]

    async def recalculated(run: Run) -> Outcome:
        if run.job.data_entry_type in made.broken:
            return Failed("broken", "It was broken by the test.")
        return await recalculation(run)

    async def summed(run: Run) -> Outcome:
        if made.sums_are_broken:
            return Failed("broken", "It was broken by the test.")
        return await aggregation(run)

    idle_harness.steps |= {"emission_recalc": recalculated, "aggregation": summed}
    async with idle_harness.working():
        yield made


def jobs_of(view: PipelineView) -> list[tuple[str, int, int]]:
    """Job type, module and data-entry type of the jobs that followed."""
    return [
        (job.job_type, job.scope.module, job.scope.data_entry_type) for job in view.in_order()[1:]
    ]


def recalculations(*data_entry_types: int) -> list[tuple[str, int, int]]:
    """Those of purchases, and the one aggregation behind them."""
    computed = [("emission_recalc", PURCHASE, of) for of in data_entry_types]
    return [*computed, ("aggregation", PURCHASE, 0)]


def message_and_stats(view: PipelineView) -> tuple[str, Mapping[str, Any]]:
    first = view.in_order()[0]
    assert first.result == types_pb2.JOB_RESULT_SUCCESS
    return first.message, values_of(first.stats)


def status(view: PipelineView) -> int:
    assert view.pipeline is not None
    return view.pipeline.status


async def test_each_type_with_data_has_a_job_and_one_sum_follows(purchases: Purchases) -> None:
    await purchases.load_each()
    view = await purchases.recalculate()
    assert jobs_of(view) == recalculations(SERVICES, VEHICLES)
    assert message_and_stats(view)[0] == (
        f"2 types to compute: services, vehicles. Without data: {WITHOUT_DATA}."
    )
    assert status(view) == types_pb2.PIPELINE_STATUS_SUCCESS
    results = {
        job.scope.data_entry_type: values_of(job.stats)["outcomes"]
        for job in view.in_order()
        if job.job_type == "emission_recalc"
    }
    assert results == {SERVICES: {"computed": 1}, VEHICLES: {"computed": 1}}
    assert await purchases.total() == purchases.expected() == 250


async def test_only_stale_types_of_the_module_itself_are_computed(purchases: Purchases) -> None:
    await purchases.load_each()
    harness = purchases.harness
    await harness.load_places()
    await harness.load_factors()
    purchases.broken = {SERVICES, PLANE}
    assert status(await harness.load_flights(flights(CDG))) == types_pb2.PIPELINE_STATUS_PARTIAL
    partial = await purchases.load_factor(SERVICES, 0.6)
    assert status(partial) == types_pb2.PIPELINE_STATUS_PARTIAL
    assert await purchases.total() == 250
    purchases.broken = set()
    view = await purchases.recalculate(only_stale=True)
    assert jobs_of(view) == recalculations(SERVICES)
    message, stats = message_and_stats(view)
    assert message == (
        f"1 type to compute: services. Up to date: vehicles. Without data: {WITHOUT_DATA}."
    )
    assert stats == {
        "types_to_compute": ["services"],
        "types_up_to_date": ["vehicles"],
        "types_without_data": WITHOUT_DATA.split(", "),
    }
    assert await purchases.total() == purchases.expected() == 260
    assert (types_pb2.MODULE_PROFESSIONAL_TRAVEL, "0828") not in await kg(harness)
    await purchases.recalculate(types_pb2.MODULE_PROFESSIONAL_TRAVEL, only_stale=True)
    of_planes = (await kg(harness))[types_pb2.MODULE_PROFESSIONAL_TRAVEL, "0828"]
    assert of_planes == pytest.approx(GVA_CDG_KG)


async def test_nothing_follows_where_nothing_is_to_be_computed(purchases: Purchases) -> None:
    await purchases.harness.load_units()
    for only_stale in (False, True):
        view = await purchases.recalculate(only_stale=only_stale)
        assert (jobs_of(view), status(view)) == ([], types_pb2.PIPELINE_STATUS_SUCCESS)
        none = f"No type of purchase has data in {YEAR}: nothing to compute."
        assert message_and_stats(view)[0] == none
    await purchases.load_each()
    view = await purchases.recalculate(only_stale=True)
    assert (jobs_of(view), status(view)) == ([], types_pb2.PIPELINE_STATUS_SUCCESS)
    assert message_and_stats(view)[0].startswith(
        "Nothing to compute. Up to date: services, vehicles. Without"
    )


async def test_a_type_that_fails_leaves_the_others(purchases: Purchases) -> None:
    await purchases.load_each()
    purchases.broken = {SERVICES, VEHICLES}
    await purchases.spend(SERVICES, 300)
    await purchases.spend(VEHICLES, 3000)
    assert await purchases.total() == 250
    purchases.broken = {SERVICES}
    view = await purchases.recalculate(only_stale=True)
    assert jobs_of(view) == recalculations(SERVICES, VEHICLES)
    assert status(view) == types_pb2.PIPELINE_STATUS_PARTIAL
    results = {job.scope.data_entry_type: job.result for job in view.in_order()[1:]}
    assert results == {
        SERVICES: types_pb2.JOB_RESULT_ERROR,
        VEHICLES: types_pb2.JOB_RESULT_SUCCESS,
        0: types_pb2.JOB_RESULT_SUCCESS,
    }
    # The services of before are no longer counted as entries, and not yet computed again.
    assert await purchases.total() == 50 + 600
    purchases.broken = set()
    assert jobs_of(await purchases.recalculate(only_stale=True)) == recalculations(SERVICES)
    assert await purchases.total() == purchases.expected() == 750


async def test_totals_that_lack_a_change_are_summed_though_no_type_is_stale(
    purchases: Purchases,
) -> None:
    await purchases.load_each()
    purchases.sums_are_broken = True
    await purchases.load_factor(SERVICES, 0.7)
    purchases.sums_are_broken = False
    assert await purchases.total() == 250
    view = await purchases.recalculate(only_stale=True)
    assert jobs_of(view) == recalculations()
    assert message_and_stats(view)[0].startswith(
        "No type to compute, but the totals lack a change, so they are summed."
        " Up to date: services, vehicles."
    )
    assert await purchases.total() == purchases.expected() == 270


async def test_facilities_wait_for_the_totals_that_their_factors_are_made_of(
    purchases: Purchases,
) -> None:
    harness = purchases.harness
    await prepare(harness)
    await load(harness, "factor_ingest", USES, factors({"MIC": None}))
    await load(harness, "csv_ingest", GASES, gases({"MIC": 100}), source="a")
    await load(harness, "csv_ingest", USES, uses({("0828", "MIC"): 10}))
    purchases.broken = {GASES}
    await load(harness, "csv_ingest", GASES, gases({"MIC": 50}), source="b")
    purchases.broken = set()
    view = await purchases.recalculate(FACILITIES, only_stale=True)
    assert jobs_of(view) == []
    assert message_and_stats(view)[0] == (
        "Nothing to compute. Computed again once other modules have new totals:"
        " research_facilities. Without data: mice_and_fish_animal_facilities."
    )
    view = await purchases.recalculate(GAS, only_stale=True)
    assert [job.job_type for job in view.in_order()] == [
        "module_emission_recalc",
        *("emission_recalc", "aggregation"),
        *("emission_recalc", "aggregation"),
    ]
    assert await kg(harness) == {(GAS, "MIC"): 150, (FACILITIES, "0828"): 15}


async def test_whatever_has_failed_before_stale_types_give_the_totals_of_a_computation_from_scratch(
    purchases: Purchases,
) -> None:
    chance = random.Random(711)
    await purchases.load_each()
    for round_ in range(4):
        missed: set[int] = set()
        for number in range(3):
            of = chance.choice(list(NAMES))
            purchases.broken = set(chance.sample(list(NAMES), chance.randint(0, 2)))
            if of not in purchases.factor_of or chance.random() < 0.5:
                await purchases.load_factor(of, chance.randint(1, 99) / 128)
                changed = of in purchases.spent_of
            else:
                await purchases.spend(of, 1000 * round_ + 100 * number + chance.randint(1, 99))
                changed = True
            if changed and of in purchases.broken:
                missed.add(of)
            elif changed:
                missed.discard(of)
        purchases.broken = set()
        view = await purchases.recalculate(only_stale=True)
        computed = [one[2] for one in jobs_of(view) if one[0] == "emission_recalc"]
        assert computed == sorted(missed)
        assert await purchases.total() == purchases.expected()
        assert all(state.fresh for state in (await looked_at(purchases.harness))[1].values())
