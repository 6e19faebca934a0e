"""Files of the year and of units: what replaces what, and in which order."""

import asyncio
import gzip
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.ledger.ledger_driver import LedgerDriver
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    UNITS,
    WorkerHarness,
    flights,
)
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.factor_ingest import run_factor_ingest
from worker_service.steps.stores import Stores

Step: TypeAlias = Callable[[Stores, Run], Awaitable[Outcome]]

ENTRY_SETS = "SELECT entry_set, state FROM carbon.entry_sets ORDER BY entry_set"
UNIT_FILE = (
    "origin_iata,destination_iata,user_institutional_id,cabin_class\n"
    "GVA,CDG,a1,economy\n"
    "CDG,GVA,a1,hammock\n"
)
UNIT_FILE_CORRECTED = UNIT_FILE.replace("hammock", "economy")


async def counting_sets(harness: WorkerHarness) -> list[int]:
    return [
        row["entry_set"] for row in await harness.rows(ENTRY_SETS) if row["state"] == "PUBLISHED"
    ]


async def test_an_upload_replaces_the_one_before_with_all_its_units(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_flights(flights("0828,GVA,JFK,1,economy,1,"))
    assert await harness.kg() == pytest.approx({"0828": GVA_JFK_KG})
    assert len(await counting_sets(harness)) == 1


async def test_the_same_upload_twice_gives_the_same_totals(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await harness.totals()
    view = await harness.load_flights(flights(CDG, JFK))
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    after = await harness.totals()
    assert {unit: one.total for unit, one in after.items()} == {
        unit: one.total for unit, one in before.items()
    }
    assert {unit: one.entry_count for unit, one in after.items()} == {"0828": 1, "0829": 1}


async def test_of_uploads_that_wait_together_the_one_submitted_last_stands(
    idle_harness: WorkerHarness,
) -> None:
    harness = idle_harness
    async with harness.working():
        await harness.load_units()
        await harness.load_places()
        await harness.load_factors()
    numbers = [
        await harness.submit_flights(flights(f"0828,GVA,CDG,1,economy,{trips},"))
        for trips in (1, 2, 3, 4)
    ]
    async with harness.working(number=1), harness.working(number=2):
        views = await asyncio.gather(*[harness.ended(number) for number in numbers])
    assert await harness.kg() == pytest.approx({"0828": 4 * GVA_CDG_KG})
    ingests = [view.in_order()[0] for view in views]
    for earlier, later in itertools.pairwise(ingests):
        assert earlier.finished_at.ToDatetime() <= later.started_at.ToDatetime()
    assert len(await counting_sets(harness)) == 1


async def test_of_uploads_during_the_run_of_another_the_one_submitted_last_stands(
    harness: WorkerHarness,
) -> None:
    async with harness.working(number=1):
        numbers = [
            await harness.submit_flights(flights(f"0828,GVA,CDG,1,economy,{trips},"))
            for trips in (3, 1, 2)
        ]
        await asyncio.gather(*[harness.ended(number) for number in numbers])
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})


async def test_an_upload_without_a_good_row_changes_nothing(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    sets, totals = await counting_sets(harness), await harness.totals()
    view = await harness.load_flights(flights("9999,GVA,CDG,1,economy,1,", "0828,,CDG,1,first,-1,"))
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_FAILED
    [job] = view.in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "no_valid_rows")
    assert job.message.startswith(
        "None of 2 rows can be used, so nothing was changed; the first: row 1, "
    )
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (0, 2)
    assert stats["rejected_rows"][0]["column"] == "unit_institutional_id"
    assert await counting_sets(harness) == sets
    assert await harness.totals() == totals


async def test_a_corrected_unit_file_replaces_the_first(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_flights(UNIT_FILE, unit="0828")
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": GVA_JFK_KG})
    view = await harness.load_flights(UNIT_FILE_CORRECTED, unit="0828")
    assert await harness.kg() == pytest.approx({"0828": 3 * GVA_CDG_KG, "0829": GVA_JFK_KG})
    ingest = view.in_order()[0]
    assert ingest.message.startswith("2 rows accepted, in place of 1 row (pipeline ")
    assert values_of(ingest.stats)["replaced"]["rows"] == 1
    assert len(await counting_sets(harness)) == 2


@pytest.mark.parametrize(
    "saved_again",
    [
        UNIT_FILE.replace("\n", "\r\n"),
        gzip.compress(UNIT_FILE.encode()),
        UNIT_FILE.replace("GVA", '"GVA"').replace(",CDG", ", cdg ", 1),
        "\ufeff" + UNIT_FILE.replace(",", ";"),
    ],
    ids=["CRLF", "gzip", "quotes and spaces", "mark and semicolons"],
)
async def test_the_same_rows_saved_again_change_nothing(
    harness: WorkerHarness, saved_again: str | bytes
) -> None:
    first = await harness.load_flights(UNIT_FILE, unit="0828")
    assert first.pipeline is not None
    view = await harness.load_flights(saved_again, unit="0828")
    ingest = view.in_order()[0]
    assert ingest.message.startswith(
        f"The same row was already loaded by pipeline {first.pipeline.pipeline_id};"
        " nothing was changed."
        " 1 row rejected; the first: row 2, cabin_class: "
    )
    assert values_of(ingest.stats)["unchanged"] is True
    # The totals contain them, so nothing follows.
    assert len(view.in_order()) == 1
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_repeated_upload_has_follow_ups_where_the_totals_miss_something(
    harness: WorkerHarness,
) -> None:
    async def repeated() -> list[str]:
        return [job.job_type for job in (await harness.load_flights(flights(CDG))).in_order()[1:]]

    async def in_hand(step: Step, job_type: str, token: int, **payload: str) -> None:
        of = claim(job_type, token, payload=payload)
        assert isinstance(await step(harness.stores, of.run), Succeeded)

    await harness.load_flights(flights(CDG))
    assert await repeated() == []
    # As if what followed these had failed.
    dearer = harness.blob(FACTORS.replace("0.2906", "0.3"))
    await in_hand(run_factor_ingest, "factor_ingest", 1_000_001, blob=dearer, take_away="yes")
    assert await repeated() == ["emission_recalc", "aggregation"]
    kg = GVA_CDG_KG / 0.2906 * 0.3
    assert await harness.kg() == pytest.approx({"0828": kg})
    assert await repeated() == []
    again = harness.blob(FACTORS)
    await in_hand(run_factor_ingest, "factor_ingest", 1_000_002, blob=again, take_away="yes")
    await in_hand(run_emission_recalc, "emission_recalc", 1_000_003)
    assert await harness.kg() == pytest.approx({"0828": kg})
    assert await repeated() == ["emission_recalc", "aggregation"]
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_repeated_upload_warns_again_of_rows_without_kilograms(
    harness: WorkerHarness,
) -> None:
    for _ in range(2):
        view = await harness.load_flights(flights(CDG, "0828,GVA,XXX,1,economy,1,"))
        recalculation = view.in_order()[1]
        assert recalculation.result == types_pb2.JOB_RESULT_WARNING
        assert "1 has none (1 unknown_place" in recalculation.message


async def test_two_sources_of_one_year_stand_side_by_side(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    await harness.submit_and_end(flights(JFK), source="Agency B")
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})
    view = await harness.submit_and_end(flights(CDG, JFK), source=" agency b")
    assert "in place of 1 row" in view.in_order()[0].message
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG, "0829": GVA_JFK_KG})


async def test_the_same_rows_from_another_source_are_a_warning(harness: WorkerHarness) -> None:
    first = await harness.load_flights(flights(CDG))
    assert first.pipeline is not None
    [upload] = await counting_sets(harness)
    view = await harness.submit_and_end(flights(CDG), source="Agency B")
    ingest = view.in_order()[0]
    assert ingest.result == types_pb2.JOB_RESULT_WARNING
    assert ingest.message == (
        "1 row accepted. The same rows count a second time: upload"
        f" {upload}, 1 row (pipeline {first.pipeline.pipeline_id}) for all units from source"
        f" default. If this is a mistake, withdraw one: carbonline withdraw {upload}."
    )
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})


async def test_a_second_file_says_what_it_replaced(harness: WorkerHarness) -> None:
    first = await harness.submit_and_end(flights(*[CDG] * 3), file_name="trips_a.csv")
    assert first.pipeline is not None
    view = await harness.submit_and_end(flights(JFK), take_away="yes")
    assert view.in_order()[0].message == (
        "1 row accepted, in place of 3 rows of trips_a.csv"
        f" (pipeline {first.pipeline.pipeline_id})."
    )


async def test_what_would_leave_less_than_half_of_the_rows_needs_consent(
    harness: WorkerHarness,
) -> None:
    first = await harness.submit_and_end(flights(*[CDG] * 3), file_name="trips_a.csv")
    assert first.pipeline is not None
    sets, kg = await counting_sets(harness), await harness.kg()
    # Three lines are enough of them; what counts are those that can be used.
    fewer = flights(CDG, "0828,GVA,CDG,1,hammock,1,", "0828,GVA,CDG,1,economy,0,")
    view = await harness.submit_and_end(fewer)
    [job] = view.in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "most_would_go")
    assert job.message == (
        f"Nothing was changed, since less than half would be left: 1 row ({GVA_CDG_KG:,.3f} kg) in"
        f" place of 3 rows of trips_a.csv (pipeline {first.pipeline.pipeline_id}),"
        f" {3 * GVA_CDG_KG:,.3f} kg. 2 rows are rejected; the first: row 2, cabin_class: must be"
        " one of economy, premium_economy, business, first, average. If that is meant, submit the"
        ' file again with --yes (in the payload "take_away": "yes").'
    )
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (0, 2)
    assert (stats["would_count"]["rows"], stats["would_replace"]["rows"]) == (1, 3)
    assert (await counting_sets(harness), await harness.kg()) == (sets, kg)
    view = await harness.submit_and_end(fewer, take_away="yes")
    assert "1 row accepted, in place of 3 rows of trips_a.csv" in view.in_order()[0].message
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("0829,GVA,CDG,3,economy,1,", f": 1 row ({GVA_CDG_KG:,.3f} kg) in"),
        ("0829,GVA,JFK,3,economy,1,12.5", ": 1 row (12.500 kg) in"),
        (
            "0829,GVA,XXX,3,economy,1,",
            " kg. 1 row has no kilograms; the first: unknown airport XXX. If",
        ),
    ],
    ids=["another place", "kilograms of its own", "an unknown place"],
)
async def test_what_would_leave_less_than_half_of_the_kilograms_needs_consent(
    harness: WorkerHarness, row: str, said: str
) -> None:
    await harness.load_flights(flights(JFK))
    [job] = (await harness.load_flights(flights(row))).in_order()
    assert job.error_cause == "most_would_go"
    assert said in job.message
    assert f" 1 row (pipeline {job.pipeline_id - 1}), {GVA_JFK_KG:,.3f} kg." in job.message
    assert await harness.kg() == pytest.approx({"0829": GVA_JFK_KG})


async def test_mended_rows_replace_accepted_ones_with_consent_only(harness: WorkerHarness) -> None:
    first = await harness.submit_and_end(flights(CDG), file_name="a.csv", source="Agency B")
    assert first.pipeline is not None
    header, rows = flights().rstrip("\n"), (f"{JFK},2,why\n", f"{JFK},3,why\n")
    mended = "".join([f"{header},rejected_row,rejected_reason\n", *rows])
    [job] = (await harness.submit_and_end(mended, source="agency b")).in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "mended_rows_replace")
    assert job.message == (
        "Nothing was changed: the file has only rows that were rejected (it has the column"
        " rejected_row or rejected_reason), and 1 row of a.csv (pipeline"
        f" {first.pipeline.pipeline_id}) would be removed. 1 row with a warning; the first: row 2:"
        " is identical to row 1: a duplicate? To add the rows, give them a source of their own:"
        ' --source "agency b_mended". If that is meant, submit the file again with --yes (in the'
        ' payload "take_away": "yes").'
    )
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})
    await harness.submit_and_end(mended, source="agency b_mended")
    both = {"0828": GVA_CDG_KG, "0829": 2 * GVA_JFK_KG}
    assert await harness.kg() == pytest.approx(both)
    again = await harness.submit_and_end(mended, source="agency b_mended")
    assert "nothing was changed" in again.in_order()[0].message
    await harness.submit_and_end(mended, source="agency b", take_away="yes")
    assert await harness.kg() == pytest.approx({"0829": 4 * GVA_JFK_KG})


async def test_kilograms_are_not_compared_with_none(harness: WorkerHarness) -> None:
    await harness.load_flights(flights("0829,GVA,XXX,3,economy,1,"))
    await harness.load_flights(flights("0829,GVA,YYY,3,economy,1,"))
    await harness.load_flights(flights(CDG))
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_refused_file_can_be_sent_again_and_says_nothing_written(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(*[CDG] * 3))
    newest, _ = await LedgerDriver(harness.ledger).fence()
    blob = harness.blob(flights(CDG))
    attempt = claim("csv_ingest", 1_000_000, payload={"blob": blob})
    outcome = await run_csv_ingest(harness.stores, attempt.run)
    assert isinstance(outcome, Failed)
    assert attempt.held.written is Written.NOTHING
    # Closed to itself, so that what it has loaded can be deleted.
    assert await LedgerDriver(harness.ledger).fence() == (newest, 1_000_000)
    again = claim("csv_ingest", 1_000_001, payload={"blob": blob, "take_away": "yes"})
    assert isinstance(await run_csv_ingest(harness.stores, again.run), Succeeded)


async def test_an_upload_says_from_where_it_came(harness: WorkerHarness) -> None:
    view = await harness.submit_and_end(
        flights(CDG, "0828,,CDG,1,first,-1,"), file_name="a.csv", source="Agency B"
    )
    assert view.pipeline is not None
    [upload] = await harness.rows(
        "SELECT file_name, source_name, pipeline_id, submitted_by, row_count, rows_rejected"
        " FROM carbon.entry_sets"
    )
    number = view.pipeline.pipeline_id
    assert tuple(upload) == ("a.csv", "agency b", number, view.pipeline.submitted_by, 1, 1)
    assert view.pipeline.submitted_by != ""


async def test_an_upload_says_what_its_entries_came_to(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, CDG, "0828,GVA,XXX,1,economy,1,"))
    [sums] = await harness.rows("SELECT total_kg, entries_without_kg FROM carbon.emission_sets")
    assert tuple(sums) == (pytest.approx(2 * GVA_CDG_KG), 1)


async def test_an_attempt_that_finds_its_own_rows_says_that_they_are_accepted(
    harness: WorkerHarness,
) -> None:
    payload = {"blob": harness.blob(flights(CDG))}
    for token in (1_000_000, 1_000_001):
        attempt = claim("csv_ingest", token, payload=payload)
        outcome = await run_csv_ingest(harness.stores, attempt.run)
        assert isinstance(outcome, Succeeded)
        assert outcome.message == "1 row accepted."
        assert outcome.written is Written.UNKNOWN
    assert await counting_sets(harness) == [1_000_000]


async def test_the_same_file_of_another_unit_is_another_upload(harness: WorkerHarness) -> None:
    # Without the units' column every row is the unit's.
    text = "origin_iata,destination_iata,user_institutional_id,cabin_class\nGVA,CDG,1,economy\n"
    await harness.load_flights(text, unit="0828")
    await harness.load_flights(text, unit="0829")
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_CDG_KG})


async def test_a_years_file_keeps_what_units_uploaded(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG), unit="0828")
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_flights(flights(JFK))
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})


async def test_a_unit_is_found_whatever_its_case_and_spelt_as_at_first(
    harness: WorkerHarness,
) -> None:
    await harness.load_units(UNITS + "Phys,Physics\n")
    await harness.load_units(
        "unit_institutional_id,name\nPHYS,Institute\nphys,Institute of Physics\n"
    )
    await harness.load_flights(flights("phys,GVA,CDG,1,economy,1,"))
    await harness.load_flights(flights("pHYS,GVA,CDG,1,economy,1,"), unit="PHYS")
    totals = await harness.totals()
    assert list(totals) == ["Phys"]
    assert totals["Phys"].unit_name == "Institute of Physics"
    assert float(totals["Phys"].total) == pytest.approx(2 * GVA_CDG_KG)


async def test_a_unit_is_found_however_its_accents_are_encoded(harness: WorkerHarness) -> None:
    await harness.load_units(UNITS + "U\u03081,Physics\n")
    await harness.load_units("unit_institutional_id,name\nü1,Institute of Physics\n")
    await harness.load_flights(flights("Ü1,GVA,CDG,1,economy,1,"))
    await harness.load_flights(flights("u\u03081,GVA,CDG,1,economy,1,"), unit="Ü1")
    totals = await harness.totals()
    assert list(totals) == ["U\u03081"]
    assert totals["U\u03081"].unit_name == "Institute of Physics"
    assert float(totals["U\u03081"].total) == pytest.approx(2 * GVA_CDG_KG)
