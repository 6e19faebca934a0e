"""An aggregation sums units whose emissions changed, and leaves the totals of all others."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from carbonline.client.json_struct import values_of
from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.ledger.test_collect import OLD_SETS
from tests.worker_service.ledger.verified import findings
from tests.worker_service.steps.claims import PLANE, TRAVEL, YEAR, claim
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    PLACES,
    UNITS,
    WorkerHarness,
    flights,
)
from tests.worker_service.steps.test_upload_withdrawal import upload_of, withdraw
from worker_service.ledger.changed_units import ENDED
from worker_service.ledger.collect import collect_once
from worker_service.ledger.freshness import is_fresh
from worker_service.ledger.totals import TotalsSlice, replace_totals
from worker_service.mechanics.outcome import RetryLater, Succeeded
from worker_service.steps.aggregation import run_aggregation
from worker_service.steps.emission_recalc import run_emission_recalc

TOTALS = TotalsSlice(TENANT, TRAVEL, YEAR, [PLANE])
# Newer than every token that the scheduler has given in such a short life.
BEFORE, AGGREGATION = 1_000_000, 1_000_001
CHANGES = ("year", "unit", "unit", "unit", "withdrawal", "factor", "place", "tree")
ALL = """
SELECT unit, scope3_kg::text, total_kg::text, by_emission_type, by_additional_value, entry_count,
    outcome_counts
FROM carbon.totals ORDER BY unit
"""
WRITTEN = "SELECT unit, xmin::text AS written_by FROM carbon.totals"


async def written(harness: WorkerHarness) -> dict[str, str]:
    """Who wrote the totals of each unit last: what is written again gets another xmin."""
    return {row["unit"]: row["written_by"] for row in await harness.rows(WRITTEN)}


async def rewritten(harness: WorkerHarness, before: dict[str, str]) -> set[str]:
    """The units whose totals were written since, or have gone."""
    now = await written(harness)
    return {unit for unit in before.keys() | now.keys() if before.get(unit) != now.get(unit)}


async def aggregate(harness: WorkerHarness, token: int = AGGREGATION) -> dict[str, object]:
    """What an aggregation by itself says."""
    outcome = await run_aggregation(harness.stores, claim("aggregation", token).run)
    assert isinstance(outcome, Succeeded)
    return dict(outcome.stats)


async def test_an_upload_of_a_unit_leaves_the_totals_of_others(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await written(harness)
    view = await harness.load_flights(flights(JFK, JFK), unit="0829", source="agency")
    assert await rewritten(harness, before) == {"0829"}
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": 3 * GVA_JFK_KG})
    stats = values_of(view.in_order()[2].stats)
    assert (stats["units"], stats["entries"]) == (2, 4)
    assert float(stats["total_kg"]) == pytest.approx(GVA_CDG_KG + 3 * GVA_JFK_KG)
    # The totals that stayed say less of what they contain.
    async with harness.ledger.snapshot() as snapshot:
        assert await is_fresh(snapshot, TENANT, PLANE, YEAR)


async def test_what_a_unit_no_longer_has_goes_and_the_others_stay(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    other = await harness.load_flights(flights(JFK), unit="0829")
    before = await written(harness)
    await withdraw(harness, upload_of(other))
    # One row tells what all totals contain.
    assert await rewritten(harness, before) == {"0828", "0829"}
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})
    async with harness.ledger.snapshot() as snapshot:
        assert await is_fresh(snapshot, TENANT, PLANE, YEAR)
    before = await written(harness)
    await harness.load_flights(flights(JFK), unit="0829")
    assert await rewritten(harness, before) == {"0829"}


async def test_a_file_that_replaces_another_sums_the_units_of_both(harness: WorkerHarness) -> None:
    await harness.load_units(UNITS + "0830,Institute of Art\n")
    await harness.load_flights(flights(CDG), source="kept")
    await harness.load_flights(flights(JFK))
    before = await written(harness)
    await harness.load_flights(flights(JFK.replace("0829", "0830")), take_away="yes")
    assert await rewritten(harness, before) == {"0829", "0830"}
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0830": GVA_JFK_KG})


async def test_a_patch_reaches_the_totals(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_factors(FACTORS.replace("0.2906", "0.5812"))
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": GVA_JFK_KG})


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param("input_tokens - 'factors/20/2024'", id="of a release that names no factors"),
        pytest.param("'{}'", id="of unknown emissions"),
    ],
)
async def test_totals_that_do_not_say_what_they_contain_are_replaced_whole(
    harness: WorkerHarness, tampered: str
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.rows(f"UPDATE carbon.totals SET input_tokens = {tampered}, total_kg = scope3_kg")
    before = await written(harness)
    await harness.load_flights(flights(CDG), unit="0828")
    assert await rewritten(harness, before) == {"0828", "0829"}
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": GVA_JFK_KG})


async def test_old_totals_are_replaced_whole(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.rows("UPDATE carbon.totals SET computed_at = computed_at - interval '13 hours'")
    before = await written(harness)
    await harness.load_flights(flights(CDG), unit="0828")
    assert await rewritten(harness, before) == {"0828", "0829"}


async def test_more_units_than_are_worth_it_are_summed_together(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_service.ledger.changed_units.UNITS_MAX", 1)
    await harness.load_units(UNITS + "0830,Institute of Art\n")
    await harness.load_flights(flights(CDG, JFK, JFK.replace("0829", "0830")))
    before = await written(harness)
    await harness.load_flights(flights(CDG), source="one unit")
    assert await rewritten(harness, before) == {"0828"}
    before = await written(harness)
    await harness.load_flights(flights(CDG, JFK), source="two units")
    assert await rewritten(harness, before) == {"0828", "0829", "0830"}
    assert await findings(harness.ledger) == []


async def test_what_ended_and_was_collected_before_it_was_summed_again_is_found(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG))
    other = await harness.load_flights(flights(JFK), unit="0829")
    await LedgerDriver(harness.ledger).withdraw(BEFORE - 1, upload_of(other))
    recalculation = claim("emission_recalc", BEFORE)
    assert isinstance(await run_emission_recalc(harness.stores, recalculation.run), Succeeded)
    await collect_once(harness.ledger, 0.0)
    stats = await aggregate(harness)
    assert (stats["units"], stats["entries"]) == (1, 1)
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_look_for_what_ended_reads_no_set_that_ended_before(
    idle_harness: WorkerHarness,
) -> None:
    harness = idle_harness
    await harness.rows(OLD_SETS)
    await harness.rows("ANALYZE carbon.emission_sets")
    later = datetime.now(UTC) + timedelta(hours=1)
    of = (TENANT, YEAR, [PLANE], [1], later)
    rows = await harness.rows(f"EXPLAIN (ANALYZE, COSTS OFF) {ENDED}", *of)
    plan = "\n".join(row[0] for row in rows)
    assert "uncollected_emission_sets" in plan, plan
    assert "collected_emission_sets on" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Rows Removed by Filter" not in plan, plan


async def test_totals_that_another_aggregation_wrote_meanwhile_are_not_added_to(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    await harness.load_flights(flights(CDG, JFK))
    async with driver.publication(BEFORE, TOTALS.ledger_scope) as conn:
        step = run_aggregation(harness.stores, claim("aggregation", AGGREGATION).run)
        waiting = asyncio.ensure_future(step)
        await driver.somebody_waits()
        await replace_totals(conn, TOTALS, [], {}, BEFORE)
    assert isinstance(await waiting, RetryLater)
    await aggregate(harness, AGGREGATION + 1)
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})


async def _random_change(harness: WorkerHarness, chance: random.Random, uploads: list[int]) -> None:
    """An upload of all units or of one, which adds or replaces, or a withdrawal, or another factor,
    another airport, or units that move.
    """
    units = ["0828", "0829", "0830"]
    flown = [
        f"{chance.choice(units)},GVA,{chance.choice(['CDG', 'JFK', 'XXX'])},{row},economy,"
        f"{chance.randint(1, 9)},{chance.choice(['', '', '0.1', '7.123456789012345'])}"
        for row in range(chance.randint(1, 5))
    ]
    match chance.choice(CHANGES):
        case "year":
            source = chance.choice(["a", "b"])
            view = await harness.load_flights(flights(*flown), source=source, take_away="yes")
            uploads.append(upload_of(view))
        case "unit":
            unit = chance.choice(units)
            rows = [unit + row[4:] for row in flown]
            source = chance.choice(["a", "b"])
            view = await harness.load_flights(
                flights(*rows), source=source, unit=unit, take_away="yes"
            )
            uploads.append(upload_of(view))
        case "withdrawal":
            if uploads:
                await withdraw(harness, uploads.pop(chance.randrange(len(uploads))))
        case "factor":
            value = f"{chance.uniform(0.1, 0.4):.{chance.randint(1, 17)}f}"
            text = FACTORS.replace(chance.choice(["0.2906", "0.1902"]), value)
            await harness.load_factors(text, mode="add", take_away="yes")
        case "place":
            moved = PLACES.replace("2.5479", f"{chance.uniform(2, 3):.4f}")
            await harness.load_places(moved, take_away="yes")
        case _:
            parents = chance.choice([("", "0828", "0829"), ("0830", "0830", ""), ("", "", "")])
            rows = [
                f"{unit},{unit},{parent}\n" for unit, parent in zip(units, parents, strict=True)
            ]
            await harness.load_units("unit_institutional_id,name,parent_unit_id\n" + "".join(rows))


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_changes_totals_are_those_of_a_computation_from_scratch(
    harness: WorkerHarness, seed: int
) -> None:
    chance = random.Random(seed)
    await harness.load_units(UNITS + "0830,Institute of Art\n")
    uploads: list[int] = []
    for _ in range(16):
        await _random_change(harness, chance, uploads)
        # Sums all rows of all sets, without what the sets and the totals keep.
        assert await findings(harness.ledger) == []
    there = await harness.rows(ALL)
    await harness.rows("DELETE FROM carbon.totals")
    await aggregate(harness)
    assert await harness.rows(ALL) == there
