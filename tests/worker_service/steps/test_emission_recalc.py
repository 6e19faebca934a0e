"""Emissions follow factors, places and overrides; what did not change keeps its rows."""

from collections.abc import Sequence

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_CDG_KM,
    GVA_JFK_KG,
    JFK,
    PLACES,
    YEAR,
    WorkerHarness,
    flights,
)

EMISSIONS = """
SELECT emission_set, entry_set, row_number, part, factor_id, factor_version, overridden, kg
FROM carbon.emissions JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.state = 'PUBLISHED'
ORDER BY entry_set, row_number, part
"""


async def emissions(harness: WorkerHarness) -> Sequence[tuple[object, ...]]:
    return [tuple(row) for row in await harness.rows(EMISSIONS)]


async def test_doubled_factors_double_the_emissions_and_keep_their_ids(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await harness.rows(EMISSIONS)
    view = await harness.load_factors(FACTORS.replace("0.2906", "0.5812"))
    assert [job.job_type for job in view.in_order()] == [
        "factor_ingest",
        "emission_recalc",
        "aggregation",
    ]
    after = await harness.rows(EMISSIONS)
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": GVA_JFK_KG})
    assert [row["factor_id"] for row in after] == [row["factor_id"] for row in before]
    assert [row["factor_version"] for row in after] == [2, 1]


async def test_a_recalculation_without_a_change_keeps_every_row(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before, totals = await emissions(harness), await harness.kg()
    view = await harness.recalculate()
    recalculation = view.in_order()[0]
    assert recalculation.message == "2 entries have emissions; nothing has changed."
    assert values_of(recalculation.stats)["sets_kept"] == 1
    assert await emissions(harness) == before
    assert await harness.kg() == totals


async def test_the_same_factors_again_keep_every_row(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await emissions(harness)
    await harness.load_factors()
    assert await emissions(harness) == before


async def test_only_the_file_that_was_added_is_computed(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await emissions(harness)
    view = await harness.load_flights(flights(CDG), unit="0828")
    stats = values_of(view.in_order()[1].stats)
    assert (stats["sets_computed"], stats["sets_kept"], stats["rows"]) == (1, 1, 1)
    after = await emissions(harness)
    assert after[:2] == before
    assert len(after) == 3


async def test_a_given_value_outlives_recalculations_and_goes_with_its_file(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(
        flights("0828,GVA,CDG,1,economy,7,0", "0829,GVA,JFK,3,economy,1,12.5")
    )
    for factors in (FACTORS, FACTORS.replace("0.2906", "9")):
        await harness.load_factors(factors)
        assert await harness.kg() == {"0828": 0.0, "0829": 12.5}
        assert (await harness.totals())["0828"].outcome_counts == {"overridden": 1}
        assert [row["overridden"] for row in await harness.rows(EMISSIONS)] == [True, True]
    await harness.load_factors()
    await harness.load_flights(flights(CDG, JFK))
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})


async def test_an_unknown_airport_is_counted_and_named(harness: WorkerHarness) -> None:
    view = await harness.load_flights(flights(CDG, "0828,GVA,XXX,1,economy,1,"))
    ingest, recalculation, aggregation = view.in_order()
    assert ingest.result == types_pb2.JOB_RESULT_SUCCESS
    assert recalculation.result == types_pb2.JOB_RESULT_WARNING
    assert aggregation.result == types_pb2.JOB_RESULT_SUCCESS
    stats = values_of(recalculation.stats)
    assert stats["outcomes"] == {"computed": 1, "unknown_place": 1}
    [sample] = stats["uncomputed"]
    assert (sample["outcome"], sample["entries"]) == ("unknown_place", 1)
    assert "XXX" in sample["detail"]
    assert "1 has none (1 unknown_place" in recalculation.message
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})
    assert (await harness.totals())["0828"].outcome_counts == {"computed": 1, "unknown_place": 1}


async def test_an_entry_that_no_factor_fits_any_more_loses_its_emission(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    view = await harness.load_factors(FACTORS.replace("0,800\n", "0,100\n"))
    stats = values_of(view.in_order()[1].stats)
    assert stats["outcomes"] == {"computed": 1, "no_factor": 1}
    assert await harness.kg() == pytest.approx({"0828": 0.0, "0829": GVA_JFK_KG})
    assert len(await emissions(harness)) == 1
    assert (await harness.totals())["0828"].outcome_counts == {"no_factor": 1}


async def test_of_two_factors_that_newer_files_lack_the_one_that_was_given_last_counts(
    harness: WorkerHarness,
) -> None:
    header = FACTORS.splitlines(keepends=True)[0]
    await harness.load_flights(flights(CDG))
    for rows in ("a,economy,0.2,1,,\n", "b,economy,0.3,1,,\n"):
        await harness.load_factors(header + rows, take_away="yes")
    view = await harness.load_factors(header + "c,first,0.8,1,,\n")
    assert values_of(view.in_order()[1].stats)["outcomes"] == {"computed": 1}
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KM * 0.3})


async def test_a_factor_that_the_newest_file_lacks_is_told_and_used(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    lines = FACTORS.splitlines(keepends=True)
    view = await harness.load_factors(lines[0] + lines[2])
    ingest = view.in_order()[0]
    assert values_of(ingest.stats)["factors_stale"] == 1
    assert ingest.message == (
        "1 factor accepted. 1 row with a warning; the first: row 1, min_distance: no factor of"
        " economy for 0 to 800 km. 0 are new or changed."
        " 1 older one not in this file: used where no factor of it fits."
    )
    assert_uses_the_stale_factor(view.in_order()[1], entries=1)
    await harness.load_flights(flights(CDG, CDG))
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})


async def test_entries_of_stale_factors_count_also_where_their_emissions_are_kept(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, CDG, JFK))
    lines = FACTORS.splitlines(keepends=True)
    await harness.load_factors(lines[0] + lines[2])
    view = await harness.load_flights(flights(CDG, JFK), source="agency_b")
    recalculation = view.in_order()[1]
    assert values_of(recalculation.stats)["sets_kept"] == 1
    assert_uses_the_stale_factor(recalculation, entries=3)
    again = (await harness.recalculate()).in_order()[0]
    assert "nothing has changed" in again.message
    assert_uses_the_stale_factor(again, entries=3)
    back = (await harness.load_factors()).in_order()[1]
    assert back.result == types_pb2.JOB_RESULT_SUCCESS
    assert values_of(back.stats)["stale_factors_used"] == 0
    assert "lacks" not in back.message


async def test_several_stale_factors_are_counted_and_the_most_used_one_is_named(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK, JFK))
    first = FACTORS.splitlines(keepends=True)[0] + "all,first,1,1,0,\n"
    recalculation = (await harness.load_factors(first)).in_order()[1]
    assert recalculation.message.endswith(
        "3 entries use 2 factors that the newest file lacks, mostly long economy."
    )
    stats = values_of(recalculation.stats)
    assert (stats["stale_factors_used"], stats["entries_of_stale_factors"]) == (2, 3)
    assert stats["stale_factors"] == [
        {"factor": "long economy", "entries": 2},
        {"factor": "short economy", "entries": 1},
    ]


def assert_uses_the_stale_factor(recalculation: types_pb2.Job, entries: int) -> None:
    assert recalculation.result == types_pb2.JOB_RESULT_WARNING
    use = "entry uses" if entries == 1 else "entries use"
    assert recalculation.message.endswith(
        f"{entries} {use} 1 factor that the newest file lacks: short economy."
    )
    stats = values_of(recalculation.stats)
    assert stats["entries_of_stale_factors"] == entries
    assert stats["stale_factors"] == [{"factor": "short economy", "entries": entries}]


async def test_moved_airports_move_every_year(harness: WorkerHarness) -> None:
    for year in (YEAR - 1, YEAR + 1):
        await harness.load_units(year=year)
        await harness.load_factors(year=year)
    await harness.load_flights(flights(CDG))
    await harness.load_flights(flights(CDG), year=YEAR - 1)
    view = await harness.load_places(PLACES.replace("49.0097", "48.0097"))
    recalculated = [job.scope.year for job in view.in_order() if job.job_type == "emission_recalc"]
    assert sorted(recalculated) == [YEAR - 1, YEAR, YEAR + 1]
    for year in (YEAR - 1, YEAR):
        assert (await harness.kg(year))["0828"] < GVA_CDG_KG - 10
    assert await harness.kg(YEAR + 1) == {}
    lost = await harness.load_places(PLACES.replace("CDG", "ORY"), mode="replace", take_away="yes")
    assert {
        job.scope.year: job.result for job in lost.in_order() if job.job_type == "emission_recalc"
    } == {
        YEAR - 1: types_pb2.JOB_RESULT_WARNING,
        YEAR: types_pb2.JOB_RESULT_WARNING,
        YEAR + 1: types_pb2.JOB_RESULT_SUCCESS,
    }
    assert await harness.kg() == {"0828": 0.0}
