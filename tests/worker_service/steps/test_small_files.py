"""Units, places and factors that a file names twice: the last row stands, and it is told."""

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights


async def test_a_unit_named_twice_is_told_and_the_last_row_stands(harness: WorkerHarness) -> None:
    view = await harness.load_units(
        "unit_institutional_id,name\n0830,Institute of Art\n0830,Institute of Arts\n"
    )
    [sync] = view.in_order()
    assert sync.result == types_pb2.JOB_RESULT_WARNING
    assert sync.message == (
        "1 unit accepted. 1 row with a warning; the first: row 1, unit_institutional_id:"
        " row 2 repeats it and is the one that counts. 1 new, 0 renamed, 0 unchanged."
        " The year 2024 is provisioned."
    )
    stats = values_of(sync.stats)
    assert (stats["rows_warned"], stats["warned_rows"][0]["row"]) == (1, 1)
    [unit] = await harness.rows("SELECT name FROM carbon.units WHERE unit = '0830'")
    assert unit["name"] == "Institute of Arts"


async def test_a_unit_that_is_renamed_is_told_with_both_names(harness: WorkerHarness) -> None:
    header = "unit_institutional_id,name\n"
    [before] = await harness.rows("SELECT count(*) FROM carbon.units")
    await harness.load_units(f"{header}0840,Arts\n0841,Law school\n")
    long = 70 * "x"
    view = await harness.load_units(f"{header}0840,Art\n0841,Law school\n0842,{long}\n")
    [sync] = view.in_order()
    assert sync.message == (
        '3 units accepted. 1 new, 1 renamed, 1 unchanged. Renamed: 0840 from "Arts" to "Art".'
        " The year 2024 is provisioned."
    )
    stats = values_of(sync.stats)
    assert [stats[f"units_{word}"] for word in ("new", "renamed", "same")] == [1, 1, 1]
    again = f"{header}0842,{long}y\n" + "".join(f"085{n},N\n" for n in range(6))
    await harness.load_units(again)
    [sync] = (await harness.load_units(again.replace(",N", ",M"))).in_order()
    assert "0 new, 6 renamed, 1 unchanged. Renamed: 0850 from" in sync.message
    assert "; and 1 more. The year" in sync.message
    [now] = await harness.rows("SELECT count(*) FROM carbon.units")
    assert now["count"] - before["count"] == 9


async def test_a_new_unit_that_looks_like_one_with_a_lost_zero_is_told(
    harness: WorkerHarness,
) -> None:
    view = await harness.load_units("unit_institutional_id,name\n828,Physics\n0829,Law\n0831,Art\n")
    [sync] = view.in_order()
    assert sync.result == types_pb2.JOB_RESULT_WARNING
    assert "row 1, unit_institutional_id: is a new unit; 0828 is one: a spreadsheet" in sync.message
    assert values_of(sync.stats)["rows_warned"] == 1
    text = "unit_institutional_id,name\n0555,A\n0555.0,B\n05\u200b56,C\n"
    [sync] = (await harness.load_units(text)).in_order()
    assert sync.result == types_pb2.JOB_RESULT_WARNING
    assert (
        "2 rows with a warning; the first: row 2, unit_institutional_id: is a new unit; 0555 is"
        in (sync.message)
    )
    stored = await harness.rows("SELECT unit FROM carbon.units WHERE unit LIKE '055%'")
    assert sorted(row["unit"] for row in stored) == ["0555", "0555.0", "0556"]


@pytest.mark.parametrize("written", ["'0828", "#0828"])
async def test_a_new_unit_that_has_a_mark_beside_its_digits_is_told(
    harness: WorkerHarness, written: str
) -> None:
    [sync] = (await harness.load_units(f"unit_institutional_id,name\n{written},A\n")).in_order()
    assert sync.result == types_pb2.JOB_RESULT_WARNING
    assert "row 1, unit_institutional_id: is a new unit; did you mean 0828?" in sync.message


async def test_a_place_named_twice_is_told_and_the_last_row_stands(harness: WorkerHarness) -> None:
    view = await harness.load_places("iata,latitude,longitude\nGVA,1,2\nGVA,46.2381,6.1090\n")
    places = view.in_order()[0]
    assert places.result == types_pb2.JOB_RESULT_WARNING
    assert places.message == (
        "1 place accepted. 1 row with a warning; the first: row 1, iata:"
        " row 2 repeats it and is the one that counts."
        " 0 new, 0 changed, 1 unchanged. Nothing has to be computed again."
    )
    rows = await harness.rows("SELECT latitude FROM carbon.locations WHERE code = 'gva'")
    assert [row["latitude"] for row in rows] == [46.2381]


async def test_a_file_that_is_not_utf_8_is_told(harness: WorkerHarness) -> None:
    text = "unit_institutional_id,name\n0830,École\n"
    [sync] = (await harness.load_units(text.encode("cp1252"))).in_order()
    assert sync.result == types_pb2.JOB_RESULT_SUCCESS
    assert sync.message == (
        "1 unit accepted. It is not UTF-8 and was read as Windows-1252, see line 2 (row 1), byte 6:"
        " save it as CSV UTF-8."
        " 1 new, 0 renamed, 0 unchanged. The year 2024 is provisioned."
    )
    assert values_of(sync.stats)["encoding"] == "windows-1252"
    [ingest, *_] = (await harness.load_flights((flights(CDG) + "É").encode("cp1252"))).in_order()
    assert ingest.message.endswith(
        " It is not UTF-8 and was read as Windows-1252, see the end of the file:"
        " save it as CSV UTF-8."
    )
    [ingest, *_] = (await harness.load_flights(flights(CDG))).in_order()
    assert ingest.message.endswith("; nothing was changed.")
    assert values_of(ingest.stats)["encoding"] == "utf-8"
