"""From files to totals, through every step, on a real scheduler and a real ledger."""

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    GVA_CDG_KG,
    GVA_CDG_KM,
    GVA_JFK_KG,
    HEADER,
    WorkerHarness,
    flights,
)

GOOD = "0828,GVA,CDG,1,economy,1,"


async def test_a_file_of_flights_becomes_totals_per_unit(harness: WorkerHarness) -> None:
    view = await harness.load_flights(
        flights(GOOD, "0828,gva,cdg,2,Economy,3,", "0829,GVA,JFK,3,economy,1,")
    )
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert not view.pipeline.has_warnings
    assert [job.job_type for job in view.in_order()] == [
        "csv_ingest",
        "emission_recalc",
        "aggregation",
    ]
    assert await harness.kg() == pytest.approx({"0828": 4 * GVA_CDG_KG, "0829": GVA_JFK_KG})
    totals = (await harness.totals())["0828"]
    assert totals.by_emission_type["professional_travel"] == pytest.approx(4 * GVA_CDG_KG)
    kilometres = totals.by_additional_value["professional_travel.plane.eco"]
    assert kilometres == pytest.approx(4 * GVA_CDG_KM)
    assert totals.outcome_counts == {"computed": 2}
    assert totals.unit_name == "Institute of Physics"


async def test_bad_rows_are_told_and_the_good_ones_count(harness: WorkerHarness) -> None:
    view = await harness.load_flights(
        flights(GOOD, "0828,GVA,CDG,1,economy,0,", "9999,GVA,CDG,1,premium,1,")
    )
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(ingest.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (1, 2)
    assert ingest.message == (
        "1 row accepted, 2 rejected; the first: row 2, number_of_trips: must be at least 1."
    )
    [path] = harness.folder.glob("blobs/local/*/" + stats["rejected_blob"].rpartition(":")[2])
    header, zero, stranger = path.read_text().splitlines()
    assert header == HEADER.strip() + ",rejected_row,rejected_reason"
    assert zero == "0828,GVA,CDG,1,economy,0,,2,number_of_trips: must be at least 1"
    assert stranger.startswith(
        "9999,GVA,CDG,1,premium,1,,3,unit_institutional_id: is not a unit of the institution;"
        " cabin_class: "
    )
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_doubtful_rows_are_told_and_count(harness: WorkerHarness) -> None:
    dated = "0829,GVA,CDG,1,economy,1,2024-03-25,"
    view = await harness.load_flights(
        flights("0828,GVA,CDG,1,economy,2000,,", dated, dated).replace(
            "number_of_trips,", "number_of_trips,departure_date,"
        )
    )
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(ingest.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"], stats["rows_warned"]) == (3, 0, 2)
    assert [row["row"] for row in stats["warned_rows"]] == [1, 3]
    assert ingest.message == (
        "3 rows accepted. 2 rows with a warning; the first: row 1, number_of_trips:"
        " 2,000 trips in one row is more than 1,000: is that correct?"
    )
    [path] = harness.folder.glob("blobs/local/*/" + stats["warned_blob"].rpartition(":")[2])
    assert [line.split(",")[0] for line in path.read_text().splitlines()[1:]] == ["1", "3"]
    assert await harness.kg() == pytest.approx({"0828": 2000 * GVA_CDG_KG, "0829": 2 * GVA_CDG_KG})


async def test_rejected_rows_are_mended_and_sent_again_as_they_come(harness: WorkerHarness) -> None:
    bad = flights(GOOD, "0828,GVA,CDG,=2+3,economy,0,", "0829,GVA,JFK,4,economy,0,", "0,a,b,c")
    ingest = (await harness.load_flights(bad)).in_order()[0]
    [path] = harness.folder.glob(
        "blobs/local/*/" + values_of(ingest.stats)["rejected_blob"].rpartition(":")[2]
    )
    assert "0828,GVA,CDG,'=2+3,economy,0,,2," in path.read_text()
    again = (await harness.load_flights(path.read_bytes())).in_order()[0]
    [of_again] = harness.folder.glob(
        "blobs/local/*/" + values_of(again.stats)["rejected_blob"].rpartition(":")[2]
    )
    fields = [line.split(",")[:7] for line in path.read_text().splitlines()]
    assert [line.split(",")[:7] for line in of_again.read_text().splitlines()] == fields
    mended = path.read_text().replace(",economy,0,", ",economy,2,")
    ingest = (await harness.submit_and_end(mended, take_away="yes")).in_order()[0]
    stats = values_of(ingest.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (2, 1)
    assert stats["unknown_columns"] == []
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": 2 * GVA_JFK_KG})
    entries = await harness.rows("SELECT text_3 AS person FROM carbon.entries")
    assert {"1", "=2+3", "4"} == {entry["person"] for entry in entries}


async def test_sets_that_another_release_has_published_are_summed_by_the_next_aggregation(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(GOOD))
    await harness.load_flights(flights("0829,GVA,JFK,3,economy,1,"), unit="0829")
    kg = await harness.kg()
    async with harness.ledger.session() as conn:
        await conn.execute("DELETE FROM carbon.emission_sums")
        await conn.execute("UPDATE carbon.emission_sets SET is_summed = false")
    await harness.load_flights(flights(GOOD, GOOD), unit="0828")
    assert await harness.kg() == pytest.approx({**kg, "0828": 3 * GVA_CDG_KG})
    unsummed = "SELECT FROM carbon.emission_sets WHERE state = 'PUBLISHED' AND NOT is_summed"
    assert await harness.rows(unsummed) == []
