"""A check of factors, places, rows or units tells what the load comes to, and writes nothing."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_CDG_KM,
    JFK,
    PLACES,
    PLANE,
    TRAVEL,
    UNITS,
    YEAR,
    WorkerHarness,
    flights,
)
from tests.worker_service.steps.test_csv_check import ledger
from tests.worker_service.steps.test_reference_rows import RATES, load_purchases

OF_PLANES: Mapping[str, Any] = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
KG = """
SELECT coalesce(sum(m.total_kg), 0) AS kg
FROM carbon.emission_sets AS m
JOIN carbon.entry_sets AS s USING (tenant, entry_set)
WHERE m.state = 'PUBLISHED' AND s.state = 'PUBLISHED' AND s.data_entry_type = $1
"""
# What both tell of a file and of its changes.
NEVER_THE_SAME = ("kilograms", "needs_consent")


async def job_of(
    harness: WorkerHarness, job_type: str, text: str, payload: Mapping[str, Any], **scope: Any
) -> types_pb2.Job:
    """The first job of a pipeline, after its end."""
    number = await harness.submit(job_type, text, payload=payload, **scope)
    return (await harness.ended(number)).in_order()[0]


async def kg_of(harness: WorkerHarness, type_id: int) -> float:
    [row] = await harness.rows(KG, type_id)
    return float(row["kg"])


async def check_and_load(
    harness: WorkerHarness,
    job_types: tuple[str, str],
    text: str,
    payload: Mapping[str, Any],
    type_id: int = PLANE,
    **scope: Any,
) -> tuple[dict[str, Any], types_pb2.Job]:
    """The stats of a check, which wrote nothing, and the load that follows and agrees with it."""
    check, load = job_types
    before = await ledger(harness)
    checked = await job_of(harness, check, text, payload, **scope)
    assert await ledger(harness) == before
    said = values_of(checked.stats)
    kg = await kg_of(harness, type_id)
    loaded = await job_of(harness, load, text, payload, **scope)
    did = values_of(loaded.stats)
    if checked.error_cause:
        assert (checked.error_cause, checked.message) == (loaded.error_cause, loaded.message)
        return said, loaded
    assert loaded.error_cause == said.get("needs_consent", ""), text
    if loaded.error_cause:
        consent = {**payload, "take_away": "yes"}
        did = values_of((await job_of(harness, load, text, consent, **scope)).stats)
    assert {k: v for k, v in said.items() if k not in NEVER_THE_SAME} == did, text
    after = await kg_of(harness, type_id)
    for of in said["kilograms"]:
        assert of["kg_before"] == pytest.approx(kg, rel=1e-12)
        assert of["kg_after"] == pytest.approx(after, rel=1e-12)
    if not said["kilograms"]:
        assert after == kg
    return said, loaded


def random_factors(chance: random.Random) -> str:
    """Factors of two bands and two cabins: some bad, some far too small, some left out."""
    rows = [FACTORS.splitlines()[0]]
    for band, bounds in (("short", "0,800"), ("long", "800,"), ("longest", "9000,")):
        for cabin in chance.sample(["economy", "first", "hammock"], chance.randint(0, 2)):
            kg = chance.choice(["0.2", "0.2906", "0.29", "0.0002", "200", "x", "-1"])
            rows.append(f"{band},{cabin},{kg},{chance.choice(['1.35', '1', ''])},{bounds}")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_numbers_of_a_check_of_factors_are_those_of_the_load(
    harness: WorkerHarness, seed: int
) -> None:
    chance = random.Random(seed)
    await harness.load_flights(flights(CDG, JFK, CDG.replace("economy", "first")))
    for _ in range(5):
        mode = {"mode": chance.choice(["add", "replace"])}
        await check_and_load(
            harness, ("factor_check", "factor_ingest"), random_factors(chance), mode, **OF_PLANES
        )


async def test_a_check_of_factors_tells_new_changed_and_stale_ones_and_the_kilograms(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG))
    text = FACTORS.splitlines()[0] + "\nshort,economy,0.3,1.35,0,800\nshort,first,0.5,1,0,800\n"
    job = await job_of(harness, "factor_check", text, {}, **OF_PLANES)
    stats = values_of(job.stats)
    names = ("factors_new", "factors_changed", "factors_stale", "factors_removed")
    assert [stats[name] for name in names] == [1, 2, 1, 0]
    [of] = stats["kilograms"]
    assert (of["type"], of["year"], of["entries_without_kg"]) == ("plane", YEAR, 0)
    assert of["kg_before"] == pytest.approx(GVA_CDG_KG)
    assert of["kg_after"] == pytest.approx(GVA_CDG_KG / 0.2906 * 0.3)
    assert job.message.startswith("This was a check, and nothing was written. 2 factors accepted")
    assert f"plane {YEAR}: {GVA_CDG_KG:,.3f} kg now, " in job.message


async def test_entries_that_get_their_first_kilograms_are_counted(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG.replace("economy", "first")))
    text = FACTORS + "short,first,0.5,1,0,800\n"
    said, _ = await check_and_load(
        harness, ("factor_check", "factor_ingest"), text, {}, **OF_PLANES
    )
    [of] = said["kilograms"]
    assert of["kg_before"] == 0
    assert of["kg_after"] == pytest.approx(GVA_CDG_KM * 0.5)


@pytest.mark.parametrize("mode", ["add", "replace"])
async def test_the_numbers_of_a_check_of_places_are_those_of_the_load(
    harness: WorkerHarness, mode: str
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    nearby = PLACES.replace("49.0097,2.5479", "46.3,6.2").replace("JFK,40.6413,-73.7781\n", "")
    for text in (nearby, PLACES + "SXF,91,0\nBER,52.3667,13.5033\n", PLACES):
        payload = {"transport_mode": "plane", "mode": mode}
        names = ("reference_check", "reference_ingest")
        await check_and_load(harness, names, text, payload, reference_kind="locations")


async def test_the_numbers_of_a_check_of_rates_are_those_of_the_load(
    harness: WorkerHarness,
) -> None:
    names = ("reference_check", "reference_ingest")
    services = types_pb2.DATA_ENTRY_TYPE_SERVICES
    scope: dict[str, Any] = {"type_id": services, "reference_kind": "rates"}
    await check_and_load(harness, names, RATES, {}, **scope)
    await load_purchases(harness)
    halved = RATES.replace("0.95", "0.3").replace("USD,2024,1.25\n", "USD,2024,x\n")
    for mode in ("add", "replace"):
        said, _ = await check_and_load(harness, names, halved, {"mode": mode}, **scope)
        assert said["rows_rejected"] == 1


async def test_the_numbers_of_a_check_of_units_are_those_of_the_load(
    harness: WorkerHarness,
) -> None:
    renamed = UNITS.replace("Law", "Laws").replace("0828", "0830") + "0831,Arts\n,nobody\n"
    for payload in ({}, {"are_all": "yes"}):
        said, loaded = await check_and_load(
            harness, ("unit_check", "unit_sync"), renamed, payload, year=YEAR
        )
        assert said["kilograms"] == []
        assert "provisioned" in loaded.message


async def test_a_check_of_units_provisions_no_year(idle_harness: WorkerHarness) -> None:
    async with idle_harness.working():
        job = await job_of(idle_harness, "unit_check", UNITS, {}, year=YEAR)
        assert job.result == types_pb2.JOB_RESULT_SUCCESS
        assert "provisioned" not in job.message
    years = await idle_harness.rows("SELECT * FROM scheduler.years")
    assert list(years) == []


@pytest.mark.parametrize("job_type", ["factor_check", "reference_check", "unit_check"])
async def test_a_check_of_a_load_holds_no_key_and_no_slot_and_nothing_follows(
    harness: WorkerHarness, job_type: str
) -> None:
    text, payload, scope = {
        "factor_check": (FACTORS, {}, OF_PLANES),
        "reference_check": (PLACES, {"transport_mode": "plane"}, {"reference_kind": "locations"}),
        "unit_check": (UNITS, {}, {"year": YEAR}),
    }[job_type]
    number = await harness.submit(job_type, text, payload=payload, **scope)
    assert len((await harness.ended(number)).in_order()) == 1
    [row] = await harness.rows(
        "SELECT exclusive_key, slot_key FROM scheduler.jobs WHERE job_type = $1", job_type
    )
    assert (row["exclusive_key"], row["slot_key"]) == (None, None)
