"""A reported distance that the two places contradict is a warning, with its row and its upload."""

import csv
import io

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import PLACES, WorkerHarness

HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
    "cabin_class,distance_km\n"
)
MILES = "0829,GVA,JFK,3,economy,3853\n"
MORE_MILES = MILES.replace(",3,", ",4,")
GOOD = "0828,GVA,CDG,1,economy,408\n"


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
    [path] = harness.folder.glob("blobs/local/*/" + stats["warned_blob"].rpartition(":")[2])
    listed = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [(one["row"], one["value"]) for one in listed] == [("2", "3853"), ("4", "3853")]
    assert {one["reason"] for one in listed} == {reason}


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
