"""What a message says of a file as a whole: columns nobody read, letters that were guessed."""

from collections.abc import Awaitable, Callable

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    FACTORS,
    HEADER,
    PLACES,
    UNITS,
    WorkerHarness,
    flights,
)
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.steps.file_sentences import unread_sentences

ENCODING = (
    "It is not UTF-8 and was read as Windows-1252, see line 2 (row 1), byte {}:"
    " save it as CSV UTF-8."
)
MISSPELT = "1 column was not read: number_of_trip (did you mean number_of_trips?)."


def test_columns_that_were_nearly_read_are_named_first_and_many_are_counted() -> None:
    many = [UnreadColumn(f"x{number}") for number in range(12)]
    [said] = unread_sentences([*many, UnreadColumn("rfi", "rfi_adjustment")])
    assert said == (
        "13 columns were not read: rfi (did you mean rfi_adjustment?), x0, x1, x2, x3, x4, x5,"
        " x6, x7, x8 and 3 more."
    )
    assert unread_sentences([]) == []


async def test_a_misspelt_column_of_trips_is_a_warning_that_names_it(
    harness: WorkerHarness,
) -> None:
    view = await harness.load_flights(
        flights("0828,GVA,CDG,1,economy,10,").replace("number_of_trips", "number_of_trip")
    )
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    one_each = "The file has no column number_of_trips, so it is 1 in each row."
    assert ingest.message == f"1 row accepted. {MISSPELT} {one_each}"
    assert values_of(ingest.stats)["defaults_used"] == {"number_of_trips": "1"}
    assert values_of(ingest.stats)["unknown_columns"] == ["number_of_trip"]


async def test_a_misspelt_column_without_a_default_gives_rows_no_value(
    harness: WorkerHarness,
) -> None:
    view = await harness.load_flights(
        flights("0828,GVA,CDG,1,economy,10,").replace("kg_co2eq", "kg_co2e")
    )
    ingest = view.in_order()[0]
    assert (
        ingest.message == "1 row accepted. 1 column was not read: kg_co2e (did you mean kg_co2eq?)."
    )
    assert "defaults_used" not in values_of(ingest.stats)


async def test_a_column_that_was_not_read_is_told_before_doubtful_rows(
    harness: WorkerHarness,
) -> None:
    text = flights("0828,GVA,GVA,1,economy,10,", "0828,GVA,CDG,1,hammock,1,")
    view = await harness.load_flights(text.replace("number_of_trips", "number_of_trip"))
    accepted, said, *others = view.in_order()[0].message.partition(MISSPELT)
    assert accepted.startswith("1 row accepted, 1 rejected; the first: ")
    assert said == MISSPELT
    assert "1 row with a warning; the first: row 1, destination_iata: " in "".join(others)


@pytest.mark.parametrize("kind", ["units", "places", "factors"])
async def test_a_column_that_is_not_read_is_a_warning_in_every_kind_of_file(
    harness: WorkerHarness, kind: str
) -> None:
    loads: dict[str, tuple[Callable[[str], Awaitable[PipelineView]], str]] = {
        "units": (harness.load_units, UNITS),
        "places": (harness.load_places, PLACES),
        "factors": (harness.load_factors, FACTORS),
    }
    load, text = loads[kind]
    header, _, rows = text.partition("\n")
    wider = "".join(f"{row},x\n" for row in rows.splitlines())
    job = (await load(f"{header},source\n{wider}")).in_order()[0]
    assert job.result == types_pb2.JOB_RESULT_WARNING
    assert "1 column was not read: source." in job.message
    assert values_of(job.stats)["unknown_columns"] == ["source"]


async def test_the_encoding_and_unread_columns_are_told_where_no_row_can_be_used(
    harness: WorkerHarness,
) -> None:
    header = HEADER.replace("number_of_trips", "number_of_trip")
    view = await harness.load_flights((header + "ÉCOLE,GVA,CDG,1,economy,1,\n").encode("mac-roman"))
    [ingest] = view.in_order()
    assert ingest.result == types_pb2.JOB_RESULT_ERROR
    assert ingest.message.endswith(f" {MISSPELT} {ENCODING.format(1)}")
    units = await harness.load_units("unit_institutional_id,name\n,É\n".encode("cp1252"))
    assert units.in_order()[0].message.endswith(ENCODING.format(2))


async def test_refused_mended_rows_are_told_with_all_that_is_to_be_known_of_the_file(
    harness: WorkerHarness,
) -> None:
    many = "0829,GVA,JFK,3,economy,2000,"
    await harness.load_flights(flights("0828,GVA,CDG,1,economy,1,"))
    await harness.load_flights(flights(many), source="b")
    header, *rows = flights(many, "0828,GVA,CDG,1,hammock,1,").splitlines()
    mended = "\n".join([f"{header},rejected_row", *(f"{row},7" for row in rows), ""])
    refused = (await harness.load_flights(mended)).in_order()[0]
    assert refused.error_cause == "mended_rows_replace"
    *told, how, consent = refused.message.replace("? ", "?. ").split(". ")
    assert told[0].startswith("Nothing was changed: the file has only rows that were rejected")
    assert told[1].startswith("1 row is rejected; the first: row 2, cabin_class: must be one of")
    assert told[2].startswith("1 row with a warning; the first: row 1, number_of_trips: 2,000")
    assert (how[:26], consent[:19]) == ("To add the rows, give them", "If that is meant, s")
    stats = values_of(refused.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"], stats["rows_warned"]) == (0, 1, 1)
    assert [row["row"] for row in stats["counted_twice_rows"]] == [1]
