"""Rows of a new upload that count already in another one are a warning, with an example."""

import polars as pl
import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import CDG, GVA_CDG_KG, JFK, WorkerHarness, flights
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.csv_source import byte_stream, lines
from worker_service.carbon.stored import stored_again
from worker_service.steps import shared_rows

BACK = "0828,CDG,GVA,1,economy,1,"
UNIT_FILE = "origin_iata,destination_iata,user_institutional_id,cabin_class,number_of_trips\n"


async def uploads(harness: WorkerHarness) -> list[int]:
    rows = await harness.rows("SELECT entry_set FROM carbon.entry_sets ORDER BY entry_set")
    return [row["entry_set"] for row in rows]


async def test_rows_of_a_units_file_that_a_file_of_all_units_has_are_named(
    harness: WorkerHarness,
) -> None:
    first = await harness.submit_and_end(flights(JFK, "0828,,", CDG, BACK), file_name="all.csv")
    assert first.pipeline is not None
    [upload] = await uploads(harness)
    # Another order of columns, and no unit: the rows are the same.
    view = await harness.load_flights(
        f"{UNIT_FILE}GVA,CDG,9,economy,1\nCDG,GVA,1,Y,1\ngva,cdg,1,economy,1.0\n", unit="0828"
    )
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    assert ingest.message.endswith(
        " Rows that other uploads have, too, count twice: 1 row of upload"
        f" {upload}, 3 rows of all.csv (pipeline {first.pipeline.pipeline_id}) for all units from"
        " source default; the first: row 3, identical to its row 3. If that is a mistake, leave"
        " them out of one file."
    )
    assert values_of(ingest.stats)["shared_rows"] == [
        {"upload_id": upload, "rows": 1, "row": 3, "other_row": 3}
    ]
    assert (await harness.kg())["0828"] == pytest.approx(4 * GVA_CDG_KG)


async def test_a_mended_row_that_comes_again_in_the_whole_file_is_named(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, "0829,GVA,JFK,3,hammock,1,"))
    await harness.load_flights(flights(JFK), source="mended")
    view = await harness.load_flights(flights(CDG, JFK))
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    assert "the first: row 2, identical to its row 1." in ingest.message
    smaller = (await uploads(harness))[1]
    assert ingest.message.endswith(
        f", or withdraw upload {smaller}, which has no other rows: carbonline withdraw {smaller}."
    )
    # What it replaces has the first row, but counts no more.
    [one] = values_of(ingest.stats)["shared_rows"]
    assert (one["rows"], one["row"], one["other_row"]) == (1, 2, 1)


async def test_a_corrected_row_beside_the_whole_file_is_what_may_be_withdrawn(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK, BACK))
    view = await harness.load_flights(flights(JFK), source="mended")
    smaller = (await uploads(harness))[1]
    assert view.in_order()[0].message.endswith(
        f", or withdraw upload {smaller}, which has no other rows: carbonline withdraw {smaller}."
    )


async def test_no_upload_with_other_rows_is_told_to_be_withdrawn(
    harness: WorkerHarness,
) -> None:
    # As many equal rows as the other upload has rows, and yet not all of them.
    await harness.load_flights(flights(CDG, JFK))
    view = await harness.load_flights(flights(CDG, CDG, BACK), source="b")
    assert " leave them out of one file. 1 row without a date" in view.in_order()[0].message


@pytest.mark.parametrize(
    "other",
    [
        JFK,
        "0828,GVA,CDG,2,economy,1,",
        "0828,GVA,CDG,1,economy,2,",
        "0828,GVA,CDG,1,economy,1,5",
        "0829,GVA,CDG,1,economy,1,",
    ],
    ids=["place", "traveller", "trips", "override", "unit"],
)
async def test_rows_that_differ_are_not_shared(harness: WorkerHarness, other: str) -> None:
    await harness.load_flights(flights(CDG))
    view = await harness.load_flights(flights(other), source="b")
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_SUCCESS
    assert "shared_rows" not in values_of(ingest.stats)


async def test_rows_that_differ_in_the_spelling_of_a_code_are_the_same(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights("0828,Geneva,CDG,1,economy,1,"))
    view = await harness.load_flights(flights("0828,GENEVA,cdg,1,economy,1,"), source="b")
    [one] = values_of(view.in_order()[0].stats)["shared_rows"]
    assert one["rows"] == 1


async def test_each_row_is_counted_once_however_often_the_other_upload_has_it(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A piece for each chunk, and a chunk for each batch of a file.
    monkeypatch.setattr(shared_rows, "BYTES_AT_ONCE", 1)
    monkeypatch.setattr(lines, "BLOCK_ROWS", 4)
    monkeypatch.setattr(byte_stream, "READ_BYTES", 20)
    await harness.load_flights(flights(JFK, "0828,,", *[CDG] * 10))
    chunks = await harness.rows("SELECT first_row FROM carbon.row_digests ORDER BY first_row")
    assert len(chunks) > 2
    view = await harness.load_flights(flights(*[BACK] * 6, *[CDG] * 9, JFK), source="b")
    ingest = view.in_order()[0]
    [one] = values_of(ingest.stats)["shared_rows"]
    assert (one["rows"], one["row"], one["other_row"]) == (10, 7, 3)
    assert " carbonline warnings lists them. If that is a mistake" in ingest.message
    listed = values_of(ingest.stats)["counted_twice_rows"]
    other = one["upload_id"]
    assert [(row["row"], row["reason"].rpartition(" row ")[2]) for row in listed] == [
        *((row, f"3 of upload {other}") for row in range(7, 16)),
        (16, f"1 of upload {other}"),
    ]


async def test_of_many_shared_rows_the_first_are_listed_and_it_is_said(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "LISTED_MAX", 3)
    rows = [CDG, BACK, JFK, CDG.replace("1,economy", "7,economy")]
    await harness.load_flights(flights(*rows))
    view = await harness.load_flights(flights("0828,GVA,CDG,8,economy,1,", *rows), source="b")
    ingest = view.in_order()[0]
    assert " carbonline warnings lists the first 3. If" in ingest.message
    stats = values_of(ingest.stats)
    assert [row["row"] for row in stats["counted_twice_rows"]] == [2, 3, 4]
    assert (stats["rows_counted_twice"], stats["rows_counted_twice_listed"]) == (4, 3)
    assert stats["rows_warned"] == 0


async def test_a_row_that_several_uploads_have_is_one_row_of_the_file(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_rows, "BYTES_AT_ONCE", 1)
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_flights(flights(CDG, BACK), source="b")
    view = await harness.load_flights(flights(CDG, JFK, BACK, "0828,,"), source="c")
    stats = values_of(view.in_order()[0].stats)
    assert [row["row"] for row in stats["counted_twice_rows"]] == [1, 1, 2, 3]
    assert stats["rows_counted_twice"] == 3
    assert "rows_counted_twice_listed" not in stats


async def test_an_upload_of_another_build_is_compared_too(harness: WorkerHarness) -> None:
    row = '0828,GVA,CDG,"a ""b"", ü",economy,2024-03-31,3,407.25,"x, y"'
    header = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
    header += "cabin_class,departure_date,number_of_trips,distance_km,note\n"
    await harness.load_flights(f"{header}{JFK}\n{row}\n")
    await harness.rows("DELETE FROM carbon.row_digests")
    view = await harness.load_flights(f"{header}{row}\n", source="b")
    [one] = values_of(view.in_order()[0].stats)["shared_rows"]
    assert (one["rows"], one["row"], one["other_row"]) == (1, 1, 2)
    # They are made once.
    [count] = await harness.rows("SELECT count(*) FROM carbon.row_digests")
    assert count["count"] == 2


def test_rows_are_written_again_as_they_were() -> None:
    jsonb = '{"note": "x", "cabin_class": "economy", "distance_km": 407.25, "number_of_trips": 3}'
    stored = pl.DataFrame({"row_number": [1, 2], "unit": ["a", "b"], "extra": [jsonb, None]})
    names = ("cabin_class", "number_of_trips", "distance_km", "note", "extra")
    assert stored_again(declaration(20), stored).select(names).rows() == [
        ("economy", 3.0, 407.25, "x", None),
        (None, None, None, None, None),
    ]


def test_digests_of_other_columns_are_of_another_make() -> None:
    makes = {shared_rows.made_by(declaration(number)) for number in (1, 20, 21)}
    assert len(makes) == 3
