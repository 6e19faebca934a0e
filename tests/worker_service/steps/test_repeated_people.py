"""A person counts in a unit once: whoever is in two uploads of it is told, with both rows."""

import random

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from worker_service.steps import repeated_people

HEADER = "unit_institutional_id,name,sius_code,user_institutional_id,fte\n"
UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\n"


async def check(harness: WorkerHarness, rows: str, source: str) -> types_pb2.Job:
    return await load(harness, rows, source, "csv_check")


async def load(
    harness: WorkerHarness, rows: str, source: str, job_type: str = "csv_ingest"
) -> types_pb2.Job:
    pipeline = await harness.submit(
        job_type,
        HEADER + rows,
        payload={"source": source, "file_name": f"{source}.csv"},
        module=types_pb2.MODULE_HEADCOUNT,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_MEMBER,
        year=YEAR,
    )
    return (await harness.ended(pipeline)).in_order()[0]


async def test_who_is_in_two_uploads_of_a_unit_is_told_with_both_rows(
    harness: WorkerHarness,
) -> None:
    await harness.load_units(UNITS)
    first = await load(harness, "0828,Ann,51,A1,0.5\n0828,Bob,51,B2,1\n", "one")
    assert first.result == types_pb2.JOB_RESULT_SUCCESS
    upload = values_of(first.stats)["upload_id"]
    job = await load(harness, "0829,Bob,51,B2,1\n0828,Bob B.,52,b2,0.5\n", "two")
    assert job.result == types_pb2.JOB_RESULT_WARNING
    assert job.message.endswith(
        " 1 row names a person of another upload, too; the first: row 2, user_institutional_id: is"
        f" in row 2 of upload {upload} (one.csv), too, and counts twice; a unit should have each"
        " person once. If that is a mistake, leave them out of one file."
    )
    stats = values_of(job.stats)
    assert stats["people_in_other_uploads"] == 1
    assert [(row["row"], row["value"]) for row in stats["counted_twice_rows"]] == [(2, "b2")]


async def test_rows_that_are_equal_are_told_once_and_other_units_not_at_all(
    harness: WorkerHarness,
) -> None:
    await harness.load_units(UNITS)
    await load(harness, "0828,Ann,51,A1,0.5\n0828,Bob,51,B2,1\n0828,Cyd,51,C3,1\n", "one")
    job = await load(harness, "0828,Ann,51,A1,0.5\n", "two")
    assert "people_in_other_uploads" not in values_of(job.stats)
    assert "identical to its row 1" in job.message
    job = await load(harness, "0829,Cyd D.,51,C3,1\n", "three")
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    job = await load(harness, "0828,Bob B.,51,B2,1\n0828,Cyd C.,51,C3,1\n", "four")
    assert "2 rows name people of another upload, too; the first: row 1, " in job.message
    assert "carbonline warnings lists them." in job.message


async def test_a_row_that_is_equal_to_one_is_not_told_of_as_a_person_of_another(
    harness: WorkerHarness,
) -> None:
    await harness.load_units(UNITS)
    await load(harness, "0828,Bob,51,B2,1\n", "one")
    await load(harness, "0828,Bobby,51,B2,1\n", "two")
    job = await load(harness, "0828,Bob,51,B2,1\n0828,Ann,51,A1,1\n", "three")
    stats = values_of(job.stats)
    assert "people_in_other_uploads" not in stats
    assert stats["rows_counted_twice"] == 1


async def test_of_many_people_the_first_are_listed_and_it_is_said(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_people, "LISTED_MAX", 2)
    await harness.load_units(UNITS)
    await load(harness, "0828,Ann,51,A1,1\n0828,Bob,51,B2,1\n0828,Cyd,51,C3,1\n", "one")
    job = await load(harness, "0828,A.,51,A1,1\n0828,B.,51,B2,1\n0828,C.,51,C3,1\n", "two")
    assert " carbonline warnings lists the first 2. If" in job.message
    stats = values_of(job.stats)
    assert (stats["rows_counted_twice"], stats["rows_counted_twice_listed"]) == (3, 2)


async def test_a_person_of_two_other_uploads_is_one_row(harness: WorkerHarness) -> None:
    await harness.load_units(UNITS)
    await load(harness, "0828,Bob,51,B2,1\n", "one")
    await load(harness, "0828,Bobby,51,B2,1\n", "two")
    job = await load(harness, "0828,Bob B.,52,B2,1\n", "three")
    assert values_of(job.stats)["people_in_other_uploads"] == 1
    assert "1 row names a person of another upload, too" in job.message


async def test_a_file_that_replaces_another_one_repeats_nobody(harness: WorkerHarness) -> None:
    await harness.load_units(UNITS)
    await load(harness, "0828,Ann,51,A1,0.5\n", "one")
    job = await load(harness, "0828,Ann,51,A1,1\n", "one")
    assert job.result == types_pb2.JOB_RESULT_SUCCESS


def about_people(job: types_pb2.Job) -> tuple[int, str, list[tuple[int, str, str]]]:
    """How many people are in other uploads, the sentence of it, and what is listed."""
    sentence = job.message.replace("names a person", "name people")
    sentence = sentence.partition("name people of another upload, too; ")[2]
    stats = values_of(job.stats)
    rows = [
        (row["row"], row["value"], row["reason"].replace("would count", "counts"))
        for row in stats.get("counted_twice_rows", [])
        if row["column"]
    ]
    return stats.get("people_in_other_uploads", 0), sentence.replace("would count", "counts"), rows


async def test_a_check_tells_of_the_people_of_whom_the_upload_tells(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random files, whose people are in other units, rows and uploads, too."""
    monkeypatch.setattr(repeated_people, "KEYS_AT_ONCE", 2)
    await harness.load_units(UNITS)
    chance = random.Random(13)
    rows = [
        f"{unit},{name},51,{name}1,{share}\n"
        for unit in ("0828", "0829")
        for name in ("Ann", "Bob", "Cyd", "Dee")
        for share in (1, 0.5)
    ]
    counts, checked = set(), None
    for source in ("one", "two", "three", "four", "five"):
        # Whoever is in a file twice is rejected there.
        people = {row.split(",")[0] + row.split(",")[1]: row for row in chance.sample(rows, 8)}
        text = "".join(people.values())
        checked, loaded = await check(harness, text, source), await load(harness, text, source)
        assert about_people(checked) == about_people(loaded)
        counts.add(about_people(loaded)[0])
    assert max(counts) > 1
    assert checked is not None
    assert "would count twice" in checked.message
