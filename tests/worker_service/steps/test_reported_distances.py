"""A reported distance that the two places contradict is a warning, with its row and its upload."""

import csv
import io

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import FACTORS, PLACES, WorkerHarness
from worker_service.ledger.doubts import ENTRIES_KEPT_MAX
from worker_service.steps.housekeeping import collect_all
from worker_service.steps.publishing import SMALL_SETS

HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
    "cabin_class,distance_km\n"
)
MILES = "0829,GVA,JFK,3,economy,3853\n"
MORE_MILES = MILES.replace(",3,", ",4,")
GOOD = "0828,GVA,CDG,1,economy,408\n"
NOTED = """
SELECT e.source_name, m.total_kg, m.entries_without_kg AS without,
    coalesce(CAST(m.doubts ->> 'entries' AS integer), 0) AS doubtful
FROM carbon.emission_sets AS m
JOIN carbon.entry_sets AS e USING (tenant, entry_set)
WHERE m.state = 'PUBLISHED'
ORDER BY e.source_name
"""
ONE_CLAIM = "SELECT DISTINCT emission_set FROM carbon.emission_sets WHERE state = 'PUBLISHED'"


def noted(harness: WorkerHarness, recalculation: types_pb2.Job) -> list[dict[str, str]]:
    """The rows in its blob."""
    blob = values_of(recalculation.stats)["warned_blob"].rpartition(":")[2]
    [path] = harness.folder.glob(f"blobs/local/*/{blob}")
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


async def test_a_distance_that_the_places_contradict_is_a_warning_with_its_row(
    harness: WorkerHarness,
) -> None:
    view = await harness.load_flights(
        HEADER + GOOD + MILES + GOOD.replace(",1,", ",2,") + MORE_MILES
    )
    ingest, recalculation, _ = view.in_order()
    [upload] = await harness.rows(
        "SELECT entry_set FROM carbon.entry_sets WHERE state = 'PUBLISHED'"
    )
    assert ingest.result == types_pb2.JOB_RESULT_SUCCESS
    assert recalculation.result == types_pb2.JOB_RESULT_WARNING
    reason = (
        f"in upload {upload['entry_set']}, is less than the great circle from GVA to JFK,"
        " 6,201 km: are these miles? Write kilometres"
    )
    assert recalculation.message == (
        f"4 entries have emissions. 2 rows with a warning; the first: row 2, distance_km: {reason}."
    )
    stats = values_of(recalculation.stats)
    assert stats["rows_warned"] == 2
    listed = noted(harness, recalculation)
    assert [(one["row"], one["value"]) for one in listed] == [("2", "3853"), ("4", "3853")]
    assert {one["reason"] for one in listed} == {reason}


async def test_the_warning_stays_as_long_as_the_upload_counts(harness: WorkerHarness) -> None:
    doubtful = HEADER + GOOD + MILES
    first = (await harness.load_flights(doubtful)).in_order()[1]
    rows, of_row = values_of(first.stats)["warned_rows"], first.message.partition(". ")[2]

    again = (await harness.recalculate()).in_order()[0]
    assert again.result == types_pb2.JOB_RESULT_WARNING
    assert again.message == f"2 entries have emissions; nothing has changed. {of_row}"
    assert values_of(again.stats)["warned_rows"] == rows
    beside = (await harness.submit_and_end(HEADER + GOOD, source="agency")).in_order()[1]
    assert values_of(beside.stats)["warned_rows"] == rows
    repeated = (await harness.load_flights(doubtful)).in_order()[1]
    assert values_of(repeated.stats)["warned_rows"] == rows

    corrected = (await harness.load_flights(doubtful.replace("3853", "6201"))).in_order()[1]
    assert corrected.result == types_pb2.JOB_RESULT_SUCCESS
    assert (await harness.recalculate()).in_order()[0].result == types_pb2.JOB_RESULT_SUCCESS
    kept = "SELECT entry_set FROM carbon.emission_sets WHERE doubts IS NOT NULL"
    assert len(await harness.rows(kept)) == 1
    await collect_all(harness.stores, unseen_seconds=0)
    assert await harness.rows(kept) == []


async def test_of_many_doubted_distances_the_first_are_listed_again_and_it_is_said(
    harness: WorkerHarness,
) -> None:
    many = [MILES.replace(",3,", f",{number},") for number in range(3, 3 + ENTRIES_KEPT_MAX + 5)]
    first = (await harness.load_flights(HEADER + "".join(many))).in_order()[1]
    assert "are listed" not in first.message
    again = (await harness.recalculate()).in_order()[0]
    assert f" {len(many)} rows with a warning; the first: row 1, distance_km: " in again.message
    assert again.message.endswith(
        f" Of uploads that were computed before, {ENTRIES_KEPT_MAX} rows each are listed."
    )
    assert len(noted(harness, again)) == ENTRIES_KEPT_MAX
    assert noted(harness, again) == noted(harness, first)[:ENTRIES_KEPT_MAX]


async def test_good_distances_are_a_success(harness: WorkerHarness) -> None:
    recalculation = (await harness.load_flights(HEADER + GOOD)).in_order()[1]
    assert recalculation.result == types_pb2.JOB_RESULT_SUCCESS
    assert "rows_warned" not in values_of(recalculation.stats)


async def test_a_place_that_comes_later_shows_what_was_doubtful_before(
    harness: WorkerHarness,
) -> None:
    row = "0828,GVA,NRT,1,economy,957\n"
    recalculation = (await harness.load_flights(HEADER + row)).in_order()[1]
    assert recalculation.result == types_pb2.JOB_RESULT_SUCCESS
    view = await harness.load_places(PLACES + "NRT,35.7647,140.3864\n")
    recalculation = view.in_order()[1]
    assert recalculation.result == types_pb2.JOB_RESULT_WARNING
    assert "is less than half of the great circle from GVA to NRT, 9,8" in recalculation.message


async def test_uploads_that_are_computed_together_are_noted_each_for_itself(
    harness: WorkerHarness,
) -> None:
    """More than a publication loads: their sums are stored together."""
    unknown = GOOD.replace("CDG", "XXX").replace(",408", ",")
    for number in range(SMALL_SETS + 1):
        rows = GOOD * (number + 1) + MILES * (number == 1) + unknown * (number == 3)
        await harness.load_flights(HEADER + rows, source=f"s{number}")
    before = await harness.rows(NOTED)
    # The first half of the kilometres has a factor of its own, so all uploads are computed whole.
    await harness.load_factors(
        FACTORS.replace("0,800", "0,400") + "middle,economy,0.2906,1.35,400,800\n"
    )
    after = await harness.rows(NOTED)
    assert len(await harness.rows(ONE_CLAIM)) == 1
    assert after == before
    per_trip = after[0]["total_kg"]
    assert [(one["without"], one["doubtful"]) for one in after] == [
        (0, 0),
        (0, 1),
        (0, 0),
        (1, 0),
        (0, 0),
    ]
    assert [one["total_kg"] for one in after[2::2]] == pytest.approx([3 * per_trip, 5 * per_trip])
