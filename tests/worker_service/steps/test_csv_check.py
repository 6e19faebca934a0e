"""A check tells what the upload that follows comes to, and writes nothing."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from carbonline.client.check_findings import check_findings
from carbonline.client.check_report import check_report
from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.command.check_file import summary_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    CDG,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    PLANE,
    TRAVEL,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.steps import shared_ahead

BACK = "0828,CDG,GVA,1,economy,1,"
# What no check may touch: all tables of the ledger, in columns of their own.
TABLES = """
SELECT tablename FROM pg_tables WHERE schemaname = 'carbon' ORDER BY tablename
"""
UPLOADS = """
SELECT s.entry_set, s.row_count, s.rows_rejected, s.rows_warned, m.total_kg
FROM carbon.entry_sets AS s
JOIN carbon.emission_sets AS m USING (tenant, entry_set)
WHERE s.state = 'PUBLISHED' AND m.state = 'PUBLISHED'
"""
OUTCOMES = """
SELECT c.outcome, sum(c.entry_count)::bigint AS entries
FROM carbon.outcome_counts AS c
JOIN carbon.emission_sets AS m USING (tenant, emission_set, entry_set)
WHERE m.state = 'PUBLISHED' AND c.entry_set = $1
GROUP BY c.outcome
"""


async def check(harness: WorkerHarness, text: str | bytes, **payload: str) -> types_pb2.Job:
    """The job of a check, after its end."""
    unit = payload.pop("unit", "")
    scope = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR, "unit": unit}
    number = await harness.submit("csv_check", text, payload=payload, **scope)
    [job] = (await harness.ended(number)).in_order()
    return job


async def ledger(harness: WorkerHarness) -> dict[str, list[str]]:
    """Every row of the ledger, as text, but for whose the lists of checks are."""
    found = [row["tablename"] for row in await harness.rows(TABLES)]
    names = [name for name in found if name != "blob_scopes"]
    return {
        name: [
            row["line"]
            for row in await harness.rows(
                f"SELECT CAST(t AS text) AS line FROM carbon.{name} AS t ORDER BY 1"
            )
        ]
        for name in names
    }


def ingested(view: PipelineView) -> types_pb2.Job:
    return view.in_order()[0]


async def test_a_check_says_what_would_count_and_what_not_and_writes_nothing(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await ledger(harness)
    text = flights(CDG, JFK, "0828,GVA,XXX,1,economy,1,", "0828,GVA,CDG,1,hammock,1,")
    job = await check(harness, text.replace("kg_co2eq", "kg_co2eq,colour"))
    assert job.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(job.stats)
    assert (stats["rows"], stats["rows_accepted"], stats["rows_rejected"]) == (4, 3, 1)
    assert stats["outcomes"] == {"computed": 2, "unknown_place": 1}
    assert stats["rejected_rows"][0]["row"] == 4
    assert [row["row"] for row in stats["uncomputed_rows"]] == [3]
    assert stats["uncomputed_rows"][0]["value"] == "unknown_place"
    assert stats["unknown_columns"] == ["colour"]
    assert stats["would_replace"]["rows"] == 2
    both = pytest.approx(GVA_CDG_KG + GVA_JFK_KG)
    assert (stats["kg_of_file"], stats["kg_before"], stats["kg_after"]) == (both, both, both)
    assert job.message.startswith("This was a check, and nothing was written. 3 rows accepted, ")
    assert await ledger(harness) == before


async def test_a_check_holds_no_key_and_no_slot(idle_harness: WorkerHarness) -> None:
    harness = idle_harness
    async with harness.working():
        await harness.load_units()
    scope: dict[str, Any] = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
    await harness.submit("csv_check", flights(CDG), **scope)
    number = await harness.submit_flights(flights(CDG))
    keys = (
        "SELECT job_type, exclusive_key, slot_key FROM scheduler.jobs WHERE job_type = 'csv_check'"
    )
    [row] = await harness.rows(keys)
    assert (row["exclusive_key"], row["slot_key"]) == (None, None)
    async with harness.working():
        await harness.ended(number)


async def test_a_file_without_a_good_row_fails_as_its_upload_would(harness: WorkerHarness) -> None:
    text = flights("9999,GVA,CDG,1,economy,1,")
    checked, loaded = await check(harness, text), ingested(await harness.load_flights(text))
    assert (checked.error_cause, checked.message) == (loaded.error_cause, loaded.message)
    assert checked.error_cause == "no_valid_rows"


async def test_a_check_says_that_the_upload_would_need_consent(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK, JFK))
    job = await check(harness, flights(CDG))
    assert values_of(job.stats)["needs_consent"] == "most_would_go"
    assert "less than half of what it replaces would be left" in job.message
    loaded = ingested(await harness.load_flights(flights(CDG)))
    assert loaded.error_cause == "most_would_go"


async def test_the_same_rows_would_change_nothing(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    job = await check(harness, flights(CDG, JFK))
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    stats = values_of(job.stats)
    assert stats["unchanged"]
    assert stats["kg_after"] == stats["kg_before"]
    other = values_of((await check(harness, flights(CDG, JFK), source="agency_b")).stats)
    assert len(other["same_rows_in_uploads"]) == 1
    assert other["kg_after"] == pytest.approx(2 * stats["kg_before"])


async def test_rows_that_another_upload_has_are_told_as_by_the_upload(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.submit_and_end(flights(JFK, "0828,,", CDG), file_name="all.csv")
    await harness.load_flights(flights(BACK), source="other")
    text = flights("0829,GVA,CDG,1,economy,1,", CDG, CDG, JFK, BACK)
    job = await check(harness, text, source="b")
    assert job.result == types_pb2.JOB_RESULT_WARNING
    said = values_of(job.stats)
    monkeypatch.setattr(shared_ahead, "ROWS_MAX", 4)
    too_many = await check(harness, text, source="b")
    assert "Rows that other uploads have, too, were not looked for" in too_many.message
    did = values_of(ingested(await harness.load_flights(text, source="b")).stats)
    assert said["shared_rows"] == did["shared_rows"]
    assert [one["rows"] for one in said["shared_rows"]] == [3, 1]
    assert said["rows_counted_twice"] == did["rows_counted_twice"] == 4
    assert [row["row"] for row in said["counted_twice_rows"]] == [2, 3, 4, 5]
    assert "all.csv) has the same row" in said["counted_twice_rows"][0]["reason"]
    assert " count twice: 3 rows of upload " in job.message
    report = check_report(job, await check_findings(harness.client, job))
    listed = [one["row"] for one in report.findings if one["finding"] == "counted_twice"]
    assert listed == [2, 3, 4, 5]
    assert ("twice", "4 rows of other uploads, too") in summary_of(report, "b.csv", "plane 2024")


async def test_an_unknown_unit_is_refused_as_by_an_upload(harness: WorkerHarness) -> None:
    job = await check(harness, flights(CDG), unit="0999")
    assert job.error_cause == "unknown_unit"


def random_file(chance: random.Random) -> str:
    """Rows that are good, bad, without a factor or place, doubtful, repeated, or overridden."""
    rows = []
    for _ in range(chance.randint(1, 60)):
        unit = chance.choice(["0828", "0829", " 0828", "0999"])
        places = chance.choice(["GVA,CDG", "CDG,JFK", "gva,jfk", "GVA,XXX", "GVA,", "GVA,GVA"])
        cabin = chance.choice(["economy", "economy", "ECONOMY ", "first", "hammock"])
        trips = chance.choice(["1", "2", "1.5", "-1", "", "1'000", "3"])
        kg = chance.choice(["", "", "", "0", "12.5", "1e3", "x"])
        rows.append(f"{unit},{places},{chance.randint(1, 9)},{cabin},{trips},{kg}")
    return flights(*rows)


async def random_checks(harness: WorkerHarness, seed: int) -> AsyncIterator[tuple[Any, Any, str]]:
    """A check and the upload that follows it, again and again in place of the last one."""
    chance = random.Random(seed)
    for number in range(6):
        text = random_file(chance)
        if number % 3 == 2:
            text = text.replace(",", ";")
        checked = await check(harness, text)
        view = await harness.load_flights(text, take_away="yes")
        yield checked, ingested(view), text


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_numbers_of_a_check_are_those_of_the_upload_that_follows(
    harness: WorkerHarness, seed: int
) -> None:
    shared = ("rows", "rows_accepted", "rows_rejected", "rows_warned", "encoding")
    async for checked, loaded, text in random_checks(harness, seed):
        said, did = values_of(checked.stats), values_of(loaded.stats)
        assert [said[name] for name in shared] == [did[name] for name in shared], text
        assert said.get("rejected_rows") == did.get("rejected_rows")
        assert said.get("warned_rows") == did.get("warned_rows")
        assert checked.error_cause == loaded.error_cause
        if loaded.error_cause:
            continue
        replaced = {k: v for k, v in said.get("would_replace", {}).items() if k != "total_kg"}
        assert replaced == did.get("replaced", {})
        [upload] = await harness.rows(UPLOADS)
        assert upload["row_count"] == said["rows_accepted"]
        assert upload["total_kg"] == pytest.approx(said["kg_of_file"], rel=1e-12)
        assert upload["total_kg"] == pytest.approx(said["kg_after"], rel=1e-12)
        found = await harness.rows(OUTCOMES, upload["entry_set"])
        assert {row["outcome"]: row["entries"] for row in found} == said["outcomes"]
