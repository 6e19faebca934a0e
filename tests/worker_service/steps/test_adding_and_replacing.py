"""Places and factors are added; what entries use is taken away with consent only."""

import pytest

from carbonline.client.errors import ServerError
from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    PLACES,
    YEAR,
    WorkerHarness,
    flights,
)

LINES = FACTORS.splitlines(keepends=True)
SHORT_ONLY, LONG_ONLY = LINES[0] + LINES[1], LINES[0] + LINES[2]
MENDED_HEADER = LINES[0].replace("\n", ",rejected_row,rejected_reason\n")
ORLY = "iata,latitude,longitude\nORY,48.7233,2.3794\n"
KG = {"0828": pytest.approx(GVA_CDG_KG), "0829": pytest.approx(GVA_JFK_KG)}


def ingest(view: PipelineView) -> types_pb2.Job:
    return view.in_order()[0]


def mended_row(line: str, row: int) -> str:
    return line.replace("\n", f",{row},ef_kg_co2eq_per_km: is not a number\n")


async def test_added_places_leave_the_others(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    view = await harness.load_places(ORLY)
    assert ingest(view).result == types_pb2.JOB_RESULT_SUCCESS
    assert ingest(view).message == "1 place accepted. 1 new, 0 changed, 0 unchanged."
    assert await harness.kg() == KG
    counts = await harness.rows("SELECT count(*) FROM carbon.locations")
    assert counts[0][0] == 4


async def test_places_that_entries_use_are_not_taken_away_without_consent(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, CDG, JFK))
    view = await harness.load_places(ORLY, mode="replace")
    assert [job.job_type for job in view.in_order()] == ["reference_ingest"]
    assert (ingest(view).result, ingest(view).error_cause) == (
        types_pb2.JOB_RESULT_ERROR,
        "places_in_use",
    )
    assert ingest(view).message == (
        "Nothing was changed: 3 places would be removed, and 3 entries use GVA, CDG,"
        " JFK. Leave out --replace to add to them, or allow the removal with --yes."
    )
    assert (await harness.rows("SELECT count(*) FROM carbon.locations"))[0][0] == 3
    assert (await harness.kg())["0828"] == pytest.approx(2 * GVA_CDG_KG)
    taken = await harness.load_places(ORLY, mode="replace", take_away="yes")
    assert ingest(taken).result == types_pb2.JOB_RESULT_WARNING
    assert ingest(taken).message == (
        "1 place accepted. 1 new, 0 changed, 0 unchanged. 3 other places are gone."
    )
    assert await harness.kg() == {"0828": 0.0, "0829": 0.0}
    assert (await harness.totals())["0828"].outcome_counts == {"unknown_place": 2}


async def test_places_that_no_entry_uses_are_replaced_freely(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, "0829,GVA,JFK,3,economy,1,7.5"))
    view = await harness.load_places(PLACES.replace("JFK", "XLN"), mode="replace")
    assert ingest(view).message == (
        "3 places accepted. 1 new, 0 changed, 2 unchanged. 1 other place is gone."
    )
    assert await harness.kg() == {"0828": pytest.approx(GVA_CDG_KG), "0829": 7.5}


async def test_an_entry_that_says_its_kilometres_needs_no_place(harness: WorkerHarness) -> None:
    header = flights().replace("number_of_trips", "distance_km")
    await harness.load_flights(header + "0828,GVA,CDG,1,economy,500,\n")
    before = await harness.kg()
    view = await harness.load_places(ORLY, mode="replace")
    assert ingest(view).message.endswith("3 other places are gone.")
    assert await harness.kg() == before


async def test_entries_of_every_year_are_looked_at(harness: WorkerHarness) -> None:
    await harness.load_units(year=YEAR - 1)
    await harness.load_flights(flights(CDG), year=YEAR - 1)
    view = await harness.load_places(PLACES.replace("CDG", "ORY"), mode="replace")
    assert "1 entry uses CDG." in ingest(view).message


async def test_factors_that_emissions_use_are_not_taken_away_without_consent(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    refused = await harness.load_factors(LONG_ONLY, mode="replace")
    assert (ingest(refused).result, ingest(refused).error_cause) == (
        types_pb2.JOB_RESULT_ERROR,
        "factors_in_use",
    )
    assert ingest(refused).message == (
        "Nothing was changed: 1 factor would no longer be in force, and 1 entry uses short economy."
        " 1 row with a warning; the first: row 1, min_distance: no factor of economy for 0 to 800"
        " km. Leave out --replace to add to them, or allow the removal with --yes."
    )
    assert await harness.kg() == KG
    taken = await harness.load_factors(LONG_ONLY, mode="replace", take_away="yes")
    assert ingest(taken).message == (
        "1 factor accepted. 1 row with a warning; the first: row 1, min_distance: no factor of"
        " economy for 0 to 800 km. 0 are new or changed. 1 older one is no longer in force."
    )
    assert await harness.kg() == {"0828": 0.0, "0829": pytest.approx(GVA_JFK_KG)}
    assert (await harness.totals())["0828"].outcome_counts == {"no_factor": 1}
    await harness.load_factors()
    assert await harness.kg() == KG


async def test_stale_factors_are_removed_when_nothing_uses_them(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.load_factors(SHORT_ONLY)
    refused = await harness.load_factors(None, mode="remove_stale")
    assert "Load a file that has them, or allow the removal with --yes." in ingest(refused).message
    assert "--replace" not in ingest(refused).message
    assert ingest(refused).error_cause == "factors_in_use"
    assert "1 entry uses long economy" in ingest(refused).message
    await harness.submit_and_end(flights(CDG), take_away="yes")
    removed = await harness.load_factors(None, mode="remove_stale")
    assert ingest(removed).message == "1 stale factor is no longer in force."
    assert [job.job_type for job in removed.in_order()] == [
        "factor_ingest",
        "emission_recalc",
        "aggregation",
    ]
    await harness.load_flights(flights(CDG, JFK))
    assert (await harness.totals())["0829"].outcome_counts == {"no_factor": 1}
    kept = await harness.rows("SELECT kind, removes FROM carbon.factor_versions ORDER BY made_at")
    assert [tuple(row) for row in kept][-1] == ("long", True)
    none = await harness.load_factors(None, mode="remove_stale")
    assert ingest(none).message == "0 stale factors are no longer in force."


async def test_a_file_of_mended_factors_makes_no_other_stale(harness: WorkerHarness) -> None:
    short, long = LINES[1], LINES[2]
    first = await harness.load_factors(LINES[0] + long + short.replace("0.2906", "?"))
    assert "1 factor accepted, 1 rejected" in ingest(first).message
    mended = await harness.load_factors(MENDED_HEADER + mended_row(short, 2))
    assert (ingest(mended).result, ingest(mended).message) == (
        types_pb2.JOB_RESULT_SUCCESS,
        "1 factor accepted. 0 are new or changed.",
    )
    assert values_of(ingest(mended).stats)["factors_stale"] == 0
    whole = await harness.load_factors(LONG_ONLY)
    assert values_of(ingest(whole).stats)["factors_stale"] == 1
    again = await harness.load_factors(MENDED_HEADER + mended_row(short, 2))
    assert values_of(ingest(again).stats)["factors_stale"] == 0


async def test_gaps_beside_mended_factors_are_those_of_all_in_force(harness: WorkerHarness) -> None:
    reached = mended_row(LINES[1].replace(",800", ",700"), 1)
    view = await harness.load_factors(MENDED_HEADER + reached)
    assert ingest(view).result == types_pb2.JOB_RESULT_WARNING
    assert ingest(view).message == (
        "1 factor accepted. 1 row with a warning; the first: row 1, min_distance: no factor of"
        " economy for 700 to 800 km. 1 is new or changed."
    )


@pytest.mark.parametrize("load", ["load_factors", "load_places"])
async def test_mended_rows_replace_all_others_with_consent_only(
    harness: WorkerHarness, load: str
) -> None:
    rows = {
        "load_factors": MENDED_HEADER + mended_row(LINES[1], 2),
        "load_places": "iata,latitude,longitude,rejected_row\nORY,48.7233,2.3794,1\n",
    }
    loaded = getattr(harness, load)
    refused = ingest(await loaded(rows[load], mode="replace"))
    assert (refused.result, refused.error_cause) == (
        types_pb2.JOB_RESULT_ERROR,
        "mended_rows_replace",
    )
    noun = load.removeprefix("load_")
    assert refused.message == (
        f"Nothing was changed: the file has only {noun} that were rejected (it has the column"
        f" rejected_row or rejected_reason), and all other {noun} would be removed. Leave out"
        " --replace to add to them, or allow the removal with --yes."
    )
    taken = ingest(await loaded(rows[load], mode="replace", take_away="yes"))
    assert taken.result in {types_pb2.JOB_RESULT_SUCCESS, types_pb2.JOB_RESULT_WARNING}


async def test_a_place_is_stale_once_a_file_of_the_name_lacks_it_and_can_be_removed(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG))
    head, *rows = PLACES.splitlines(keepends=True)
    await harness.load_places(head + "".join(rows) + "XXA,1,2\n", file_name="own.csv")
    fewer = head + "".join(row for row in rows if "CDG" not in row and "GVA" not in row)
    changed = ingest(await harness.load_places(fewer, file_name="own.csv"))
    assert "1 older place is not in the newest file of the name and stays in use" in changed.message
    other = ingest(await harness.load_places(head + "XXB,1,2\n", file_name="four.csv"))
    assert values_of(changed.stats)["places_stale"] == 1
    assert values_of(other.stats)["places_stale"] == 0

    removed = ingest(await harness.load_places(None, mode="remove_stale"))
    assert removed.message == "1 stale place was removed."
    refused = ingest(await harness.load_places(None, mode="remove", codes=["cdg", "XXB"]))
    assert refused.error_cause == "places_in_use"
    assert "1 entry uses CDG. Correct the entries first, or allow the removal with" in (
        refused.message
    )
    unknown = ingest(await harness.load_places(None, mode="remove", codes=["XXB", "X\u200bXX"]))
    assert unknown.error_cause == "unknown_place"
    assert await codes_of(harness) == {"cdg", "gva", "jfk", "xxb"}
    await harness.load_places(None, mode="remove", codes=["cdg", "XXB"], take_away="yes")
    assert await codes_of(harness) == {"gva", "jfk"}
    assert sum((await harness.kg()).values()) == 0
    await harness.load_places(PLACES)
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def codes_of(harness: WorkerHarness) -> set[str]:
    return {row["code"] for row in await harness.rows("SELECT code FROM carbon.locations")}


@pytest.mark.parametrize(
    ("job_type", "payload", "field"),
    [
        ("factor_ingest", {"mode": "all"}, "payload.mode"),
        ("reference_ingest", {"mode": "all", "transport_mode": "plane"}, "payload.mode"),
        ("reference_ingest", {"mode": "remove", "transport_mode": "plane"}, "payload.codes"),
        ("reference_ingest", {"mode": "remove", "codes": ["GVA", ""]}, "payload.codes[1]"),
        ("reference_ingest", {"mode": "remove", "codes": ["GVA"], "blob": "x"}, "payload.blob"),
        ("reference_ingest", {"mode": "remove_stale", "codes": ["GVA"]}, "payload.codes"),
        ("factor_ingest", {"mode": "remove"}, "payload.mode"),
        ("factor_ingest", {"mode": "replace", "take_away": "perhaps"}, "payload.take_away"),
        ("factor_ingest", {"mode": "replace"}, "payload.blob"),
        ("csv_ingest", {"mode": "replace"}, "payload.mode"),
    ],
)
async def test_an_unknown_mode_is_refused_at_submission(
    idle_harness: WorkerHarness, job_type: str, payload: dict[str, object], field: str
) -> None:
    scope = {"module": 2, "data_entry_type": 20, "year": YEAR}
    of_places = {"reference_kind": "locations"}
    with pytest.raises(ServerError) as raised:
        await idle_harness.submit(
            job_type,
            None,
            payload=payload,
            **(of_places if job_type == "reference_ingest" else scope),
        )
    assert field in raised.value.fields


async def test_removing_what_is_stale_reads_no_file(idle_harness: WorkerHarness) -> None:
    with pytest.raises(ServerError) as raised:
        await idle_harness.load_factors(FACTORS, mode="remove_stale")
    assert "remove_stale does not take it" in raised.value.fields["payload.blob"]
