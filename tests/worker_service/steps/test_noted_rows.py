"""Rejected rows: all of them in a blob, the first ones in the stats, nothing unless it is kept."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, PLANE, TRAVEL, YEAR, WorkerHarness, flights
from tests.worker_service.steps.test_routed_ingest import CLEANING
from tests.worker_service.steps.test_routed_ingest import HEADER as PURCHASES
from worker_service.blobs.folder_lock import LOCK
from worker_service.blobs.reference import read_reference
from worker_service.blobs.store import BlobStore
from worker_service.steps.noted_rows import (
    INLINE_BYTES_MAX,
    INLINE_ROWS_MAX,
    NotedRows,
    rows_sentence,
)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path)


def bad(first: int, count: int, value: str = 'a,"b"') -> pl.DataFrame:
    rows = range(first, first + count)
    return pl.DataFrame(
        {"row": rows, "column": "fte", "value": value, "reason": "is not a number"},
        schema_overrides={"row": pl.Int32},
    )


def files(blobs: BlobStore) -> list[Path]:
    return [path for path in blobs.folder.rglob("*") if path.is_file() and path.name != LOCK]


def test_all_are_in_the_blob_and_the_first_hundred_are_told(blobs: BlobStore) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 90), 90)
        rejected.add(bad(0, 0), 0)
        rejected.add(bad(91, 1200), 1200)
        rejected.keep()
        stats = rejected.stats()
    assert stats["rows_rejected"] == 1290
    assert [row["row"] for row in stats["rejected_rows"]] == list(range(1, INLINE_ROWS_MAX + 1))
    assert rejected.first_reason == "row 1, fte: is not a number"
    reference = read_reference("local", stats["rejected_blob"])
    lines = blobs.path(reference).read_text().splitlines()
    assert lines[0] == "row,column,value,reason"
    assert len(lines) == 1291
    assert lines[-1] == '1290,fte,"a,""b""",is not a number'
    summary = blobs.summary(reference)
    assert summary.file_name == "rejected_rows_of_job_10.csv"
    assert summary.scope == {"tenant": "local", "module": 2, "data_entry_type": 20, "year": 2024}


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-5", "-5"),
        ("+.5", "+.5"),
        ("-1.5e-3", "-1.5e-3"),
        ("-5\n=1", "'-5\n=1"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_cell_of_the_file_is_a_formula(blobs: BlobStore, value: str, cell: str) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 1, value), 1)
        rejected.keep()
        stats = rejected.stats()
    text = blobs.path(read_reference("local", stats["rejected_blob"])).read_bytes().decode()
    [_, line] = csv.reader(io.StringIO(text, newline=""))
    assert line == ["1", "fte", cell, "is not a number"]
    assert stats["rejected_rows"][0]["value"] == value


def test_long_values_do_not_make_the_stats_too_large(blobs: BlobStore) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 100, "x" * 3000), 100)
        rejected.keep()
    told = rejected.stats()["rejected_rows"]
    assert 1 < len(told) < INLINE_BYTES_MAX / 3000


def test_a_list_that_would_be_too_large_has_its_beginning_and_says_so(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path, bytes_max=100)
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 2), 2)
        rejected.add(bad(3, 100), 100)
        rejected.add(bad(103, 1), 1)
        rejected.keep()
        stats = rejected.stats()
    assert (stats["rows_rejected"], stats["rows_rejected_listed"]) == (103, 2)
    assert [row["row"] for row in stats["rejected_rows"]] == list(range(1, INLINE_ROWS_MAX + 1))
    lines = blobs.path(read_reference("local", stats["rejected_blob"])).read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["row", "1", "2"]
    assert rejected.cut_sentences == [
        "The list of rejected rows has the first 2 of 103, since a file may have at most 100 bytes."
    ]


BAD = "0828,GVA,CDG,1,hammock,1,"
TOO_MANY = "since a file may have at most 120 bytes."


@pytest.mark.parametrize("job_type", ["csv_ingest", "csv_check"])
async def test_rows_that_cannot_all_be_listed_cost_no_job(
    harness: WorkerHarness, job_type: str
) -> None:
    for good, result in (([CDG], "WARNING"), ([], "ERROR")):
        blob = harness.blob(flights(*good, *[BAD] * 9))
        before, harness.stores.blobs.bytes_max = harness.stores.blobs.bytes_max, 120
        scope = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
        sent = await harness.submit(job_type, None, payload={"blob": blob}, **scope)
        job = (await harness.ended(sent)).in_order()[0]
        harness.stores.blobs.bytes_max = before
        assert types_pb2.JobResult.Name(job.result) == f"JOB_RESULT_{result}", job
        stats = values_of(job.stats)
        assert (stats["rows_rejected"], stats["rows_rejected_listed"]) == (9, 0)
        assert job.error_cause in {"no_valid_rows", ""}
        assert f"The list of rejected rows has the first 0 of 9, {TOO_MANY}" in job.message


async def test_a_part_that_would_be_too_large_is_refused_in_words(harness: WorkerHarness) -> None:
    blob = harness.blob(PURCHASES + CLEANING * 9)
    harness.stores.blobs.bytes_max = 120
    scope = {"module": types_pb2.MODULE_PURCHASE, "year": YEAR}
    sent = await harness.submit("routed_ingest", None, payload={"blob": blob}, **scope)
    [job] = (await harness.ended(sent)).in_order()
    assert (job.error_cause, job.attempts) == ("rows_too_large", 1)
    assert job.message == (
        "A file may have at most 120 bytes, and a part of this one would have more: divide it."
    )


def test_nothing_is_left_of_a_run_that_does_not_keep_them(blobs: BlobStore) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 10), 10)
        assert len(files(blobs)) == 1
    assert files(blobs) == []


def test_a_batch_that_a_thread_brings_after_the_run_has_left_is_dropped(blobs: BlobStore) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.add(bad(1, 10), 10)
    rejected.add(bad(11, 10), 10)
    with NotedRows(blobs, claim("csv_ingest", 11).run.job, "rejected") as empty:
        pass
    empty.add(bad(1, 10), 10)
    assert files(blobs) == []


def test_where_nothing_is_rejected_there_is_no_blob(blobs: BlobStore) -> None:
    with NotedRows(blobs, claim("csv_ingest", 10).run.job, "rejected") as rejected:
        rejected.keep()
    assert rejected.stats() == {"rows_rejected": 0}
    assert rejected.first_reason == ""
    assert files(blobs) == []


@pytest.mark.parametrize(
    ("accepted", "rejected", "sentence"),
    [
        (1234, 0, "1,234 rows accepted."),
        (2, 2000, "2 rows accepted, 2,000 rejected; the first: row 3."),
    ],
)
def test_the_message_is_made_of_counts_and_the_first_reason(
    accepted: int, rejected: int, sentence: str
) -> None:
    assert rows_sentence(accepted, rejected, "row 3") == sentence
