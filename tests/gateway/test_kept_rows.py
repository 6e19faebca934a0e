"""What a hub keeps, and what it tells to whom."""

from typing import Any

import pytest

from gateway_service.streams import kept_rows
from gateway_service.streams.kept_rows import KeptRows
from gateway_service.streams.rows import Key, Row

LIVE, DONE = "PIPELINE_STATUS_RUNNING", "PIPELINE_STATUS_SUCCESS"


def pipeline(number: int, status: str) -> dict[Key, Row]:
    return {("pipelines", str(number)): {"pipeline_id": str(number), "status": status}}


def job(number: int, of: int, state: str = "JOB_STATE_FINISHED") -> dict[Key, Row]:
    row: dict[str, Any] = {"job_id": str(number), "pipeline_id": str(of), "state": state}
    return {("jobs", str(number)): row}


def kept(rows: KeptRows) -> set[Key]:
    return {key for key, _ in rows.newer(0)}


def test_of_too_many_rows_what_has_ended_goes_first_and_nothing_that_is_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_rows, "ROWS_MAX", 6)
    rows = KeptRows()
    year: dict[Key, Row] = {("years", "2024"): {"year": 2024}}
    live = pipeline(1, LIVE) | pipeline(2, LIVE)
    # The oldest changes of all.
    rows.take(year | live, whole=True)
    rows.take(pipeline(3, DONE) | job(30, 3) | job(31, 3), whole=False)
    assert kept(rows) == {*year, *live, *pipeline(3, DONE), *job(30, 3), *job(31, 3)}
    rows.take(job(10, 1), whole=False)
    assert kept(rows) == {*year, *live, *job(30, 3), *job(31, 3), *job(10, 1)}
    rows.take(job(11, 1) | job(12, 1) | job(20, 2), whole=False)
    assert kept(rows) == {*year, *live, *job(11, 1), *job(12, 1), *job(20, 2)}
    rows.take(pipeline(4, LIVE) | pipeline(5, LIVE) | pipeline(6, LIVE), whole=False)
    assert kept(rows) == {*year, *(("pipelines", str(number)) for number in (1, 2, 4, 5, 6))}


def test_what_is_live_and_a_whole_round_does_not_name_goes() -> None:
    rows = KeptRows()
    rows.take(pipeline(1, LIVE) | pipeline(2, DONE) | pipeline(3, LIVE), whole=True)
    before = rows.number
    rows.take(pipeline(3, LIVE), whole=False)
    assert rows.begin(before) == before
    assert rows.take(pipeline(3, LIVE), whole=True)
    assert kept(rows) == {*pipeline(2, DONE), *pipeline(3, LIVE)}
    # Whoever has seen it is told all rows anew, and who comes later what is newer.
    assert rows.begin(before) == 0
    assert rows.begin(rows.number) == rows.number
    assert rows.newest == 3


def test_a_late_word_of_what_runs_takes_no_end_back() -> None:
    rows = KeptRows()
    for state in ("RUNNING", "FINISHED", "RUNNING"):
        rows.take(job(1, 1, f"JOB_STATE_{state}"), whole=False)
    assert [row["state"] for _, row in rows.newer(0)] == ["JOB_STATE_FINISHED"]
