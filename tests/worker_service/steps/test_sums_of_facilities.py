"""A facility whose factor has no kilograms shares its unit's own totals, whatever comes first."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from tests.worker_service.steps.facility_files import (
    FACILITIES,
    GAS,
    GASES,
    MICE,
    TOTAL_USE,
    USES,
    factors,
    gases,
    kg,
    load,
    looked_at,
    prepare,
    send,
    uses,
)
from worker_service.ledger.freshness import computable_types, read_states
from worker_service.ledger.totals import stored_totals

ENTRIES = """
SELECT s.data_entry_type, e.unit, carbon.entry_values(e, s.text_keys, s.number_keys) AS data
FROM carbon.entry_sets AS s
JOIN carbon.entries AS e USING (tenant, entry_set)
WHERE s.state = 'PUBLISHED'
"""
FACTORS = """
SELECT classification ->> 'researchfacility_id' AS facility,
    CAST(factor_values ->> 'kg_co2eq_sum' AS double precision) AS kg
FROM carbon.factors WHERE data_entry_type = 70 AND removed_at IS NULL
"""


def types_of(view: PipelineView) -> list[tuple[str, int]]:
    return [(job.job_type, job.scope.module) for job in view.in_order()]


async def test_new_totals_of_a_facility_are_shared_again(harness: WorkerHarness) -> None:
    await prepare(harness)
    await load(harness, "factor_ingest", USES, factors({"MIC": None, "NMR": 1000}))
    await load(harness, "csv_ingest", GASES, gases({"MIC": 150}), source="a")
    await load(
        harness,
        "csv_ingest",
        USES,
        uses({("0828", "mic"): 10, ("0829", "MIC"): 5, ("0829", "NMR"): 1}),
    )
    assert await kg(harness) == {
        (GAS, "MIC"): 150,
        (FACILITIES, "0828"): 15,
        (FACILITIES, "0829"): 17.5,
    }
    view = await load(harness, "csv_ingest", GASES, gases({"MIC": 50}), source="b")
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert types_of(view) == [
        ("csv_ingest", GAS),
        ("emission_recalc", GAS),
        ("aggregation", GAS),
        ("emission_recalc", FACILITIES),
        ("aggregation", FACILITIES),
    ]
    assert await kg(harness) == {
        (GAS, "MIC"): 200,
        (FACILITIES, "0828"): 20,
        (FACILITIES, "0829"): 20,
    }


async def test_totals_in_which_no_facility_has_a_part_are_followed_by_nothing(
    harness: WorkerHarness,
) -> None:
    await prepare(harness)
    await load(harness, "factor_ingest", USES, factors({"MIC": None, "NMR": 1000}))
    await load(harness, "csv_ingest", USES, uses({("0828", "MIC"): 10, ("0829", "NMR"): 1}))
    alone = [("csv_ingest", GAS), ("emission_recalc", GAS), ("aggregation", GAS)]
    # Not a facility, and one whose file has its kilograms.
    for unit in ("0828", "NMR"):
        view = await load(harness, "csv_ingest", GASES, gases({unit: 7}), source=unit)
        assert types_of(view) == alone


async def test_a_facility_that_uses_itself_does_not_share_its_share(
    harness: WorkerHarness,
) -> None:
    await prepare(harness)
    await load(harness, "factor_ingest", USES, factors({"MIC": None, "NMR": None}))
    await load(harness, "csv_ingest", GASES, gases({"MIC": 100, "NMR": 1}))
    used = {("MIC", "MIC"): 50, ("MIC", "NMR"): 100, ("NMR", "MIC"): 10}
    for _ in range(2):
        await load(harness, "csv_ingest", USES, uses(used))
        assert await kg(harness) == {
            (GAS, "MIC"): 100,
            (GAS, "NMR"): 1,
            (FACILITIES, "MIC"): 51,
            (FACILITIES, "NMR"): 10,
        }


async def test_a_source_of_an_animal_facility_has_its_part_of_the_totals(
    harness: WorkerHarness,
) -> None:
    await prepare(harness)
    factor = (
        "researchfacility_id,researchfacility_name,researchfacility_type,use_unit,total_use,"
        "share_processemissions,share_equipments,kg_co2eq_sum_equipments\n"
        "MIC,Of it,mice,cages,10,0.5,1,30\n"
    )
    use = (
        "unit_institutional_id,researchfacility_id,researchfacility_name,researchfacility_type,use,"
        "use_unit\n0828,MIC,Of it,mice,1,cages\n"
    )
    await load(harness, "factor_ingest", MICE, factor)
    await load(harness, "csv_ingest", MICE, use)
    assert await kg(harness) == {}
    await load(harness, "csv_ingest", GASES, gases({"MIC": 100}))
    assert await kg(harness) == {(GAS, "MIC"): 100, (FACILITIES, "0828"): 8}


async def test_random_orders_end_as_a_computation_from_scratch(harness: WorkerHarness) -> None:
    chance = random.Random(1106)
    await prepare(harness)
    async with harness.working(number=1):
        for _ in range(2):
            await watched(harness, await everything_at_once(harness, chance))
            assert all(state.fresh for state in (await looked_at(harness))[1].values())


async def everything_at_once(harness: WorkerHarness, chance: random.Random) -> list[int]:
    """Files in a random order, none of which waits for another; their pipelines."""
    units, facilities = ("0828", "0829", "MIC"), ("MIC", "NMR")
    files = [
        (GASES, gases({unit: chance.randint(1, 9) * 100}), unit) for unit in (*facilities, *units)
    ]
    files += [
        (USES, uses({(unit, facility): chance.randint(1, 50)}), unit + facility)
        for unit, facility in product(units, facilities)
    ]
    sums = [{"MIC": None, "NMR": chance.choice([None, 1000.0])}, {"MIC": 500.0, "NMR": None}]
    jobs = [("csv_ingest", *file) for file in files]
    jobs += [("factor_ingest", USES, factors(one), "") for one in sums]
    chance.shuffle(jobs)
    return [
        await send(harness, job_type, of, text, take_away="yes", source=source)
        if source
        else await send(harness, job_type, of, text, take_away="yes")
        for job_type, of, text, source in jobs
    ]


async def watched(harness: WorkerHarness, pipelines: Sequence[int]) -> None:
    """To their ends. Whenever totals are said to be fresh, they are what the files come to."""
    ends = asyncio.gather(*[harness.ended(one) for one in pipelines])
    lights = set()
    while not ends.done():
        lights |= await checked(harness)
    await ends
    assert await checked(harness) == {(GAS, True), (FACILITIES, True)}
    assert (FACILITIES, False) in lights, "it was red in between"


async def checked(harness: WorkerHarness) -> set[tuple[int, bool]]:
    """Which modules are fresh; of these the totals are compared with plain Python."""
    async with harness.ledger.snapshot() as conn:
        found = await stored_totals(conn, "local", YEAR, None, None)
        states = await read_states(conn, "local", YEAR, computable_types(None))
        wanted = from_scratch(await conn.fetch(ENTRIES), await conn.fetch(FACTORS))
    lights = {(state.module, state.fresh) for state in states}
    for module in (module for module, fresh in lights if fresh):
        kept = {one.unit: float(one.total) for one in found if one.module == module and one.total}
        assert kept == pytest.approx(wanted[module]), module
    return lights


def from_scratch(
    entries: Sequence[Any], factors: Sequence[Any]
) -> Mapping[int, Mapping[str, float]]:
    """Kilograms by module and unit."""
    own: defaultdict[str, float] = defaultdict(float)
    shared: defaultdict[str, float] = defaultdict(float)
    for one in entries:
        if one["data_entry_type"] == GASES:
            own[one["unit"]] += one["data"]["quantity"]
    sums = {one["facility"]: one["kg"] for one in factors}
    for one in entries:
        if one["data_entry_type"] == USES:
            facility = one["data"]["researchfacility_id"]
            of_file = sums.get(facility, 0.0)
            whole = own.get(facility.upper(), 0.0) if of_file is None else of_file
            shared[one["unit"]] += one["data"]["use"] / TOTAL_USE * whole
    return {GAS: dict(own), FACILITIES: {unit: kg for unit, kg in shared.items() if kg}}
