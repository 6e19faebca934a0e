"""A file that moves known places far is a warning that names them."""

import airportsdata

from carbonline.airport_corrections import CORRECTIONS
from carbonline.client.airports import airport_rows
from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import PLACES, WorkerHarness

SWAPPED = "iata,latitude,longitude\nGVA,6.1090,46.2381\nCDG,2.5479,49.0097\nJFK,40.6413,-73.7781\n"


async def test_swapped_columns_are_a_warning_that_names_the_places(harness: WorkerHarness) -> None:
    ingest = (await harness.load_places(SWAPPED)).in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    assert ingest.message == (
        "3 places accepted. 2 rows with a warning; the first: row 1, iata: GVA lies 5,886 km from"
        " where it is now (46.2381, 6.109): latitude and longitude look swapped."
        " 0 new, 2 changed, 1 unchanged."
        " 2 places are probably not where the file has them: GVA, CDG."
        " Latitude and longitude of 2 places look swapped: correct the file and load it again."
    )
    stats = values_of(ingest.stats)
    assert (stats["places_doubtful"], stats["rows_warned"]) == (2, 2)
    assert [row["value"] for row in stats["warned_rows"]] == ["GVA", "CDG"]


async def test_the_mended_file_is_told_to_agree_with_what_anybody_knows(
    harness: WorkerHarness,
) -> None:
    await harness.load_places(SWAPPED)
    ingest = (await harness.load_places(PLACES)).in_order()[0]
    assert "the package airportsdata has it here, too" in ingest.message
    assert ingest.message.endswith(
        " 2 places were probably wrong before, and the file corrects them: GVA, CDG."
    )
    assert "probably not where the file has" not in ingest.message
    assert (values_of(ingest.stats)["places_doubtful"], "swapped" in ingest.message) == (0, False)
    again = (await harness.load_places(PLACES)).in_order()[0]
    assert again.result == types_pb2.JOB_RESULT_SUCCESS
    assert again.message == (
        "3 places accepted. 0 new, 0 changed, 3 unchanged. Nothing has to be computed again."
    )


async def test_a_new_place_at_nought_is_a_warning(harness: WorkerHarness) -> None:
    ingest = (await harness.load_places("iata,latitude,longitude\nXXX,0,0\n")).in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    assert "XXX lies at 0, 0, where no place is: are its degrees missing?" in ingest.message
    assert ingest.message.endswith("1 place is probably not where the file has it: XXX.")


async def test_replacing_all_places_warns_of_those_that_move_as_well(
    harness: WorkerHarness,
) -> None:
    ingest = (await harness.load_places(SWAPPED, mode="replace")).in_order()[0]
    assert values_of(ingest.stats)["places_doubtful"] == 2


async def test_places_that_put_known_errors_back_are_a_warning_that_names_them(
    harness: WorkerHarness,
) -> None:
    shipped = b"".join([chunk async for chunk in airport_rows()]).decode()
    loaded = (await harness.load_places(shipped)).in_order()[0]
    assert loaded.result == types_pb2.JOB_RESULT_SUCCESS
    rows = airportsdata.load("IATA")
    wrong = "iata,latitude,longitude\n" + "".join(
        f"{code},{rows[code]['lat']},{rows[code]['lon']}\n"
        for code in (*sorted(CORRECTIONS), "GVA")
    )
    ingest = (await harness.load_places(wrong)).in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(ingest.stats)
    assert stats["places_doubtful"] == stats["rows_warned"] == len(CORRECTIONS)
    assert "ANR is where the package airportsdata has it, 16 km from" in ingest.message
    assert "The right place is 51.1894, 4.4603 (AIP Belgium and Luxembourg" in ingest.message
    assert "30 places are probably not where the file has them: ANR, BRU, " in ingest.message
