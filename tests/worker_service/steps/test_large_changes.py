"""New factors or places that would halve or double the kilograms need consent."""

import pytest

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
    WorkerHarness,
    flights,
)

PUBLISHED = (
    "SELECT * FROM carbon.factors ORDER BY factor_id",
    "SELECT * FROM carbon.factor_versions ORDER BY factor_id, version",
    "SELECT * FROM carbon.locations ORDER BY code",
    "SELECT * FROM carbon.input_versions ORDER BY input",
)
A_THOUSANDTH = FACTORS.replace("0.2906", "0.0002906").replace("0.1902", "0.0001902")
# Stands beside the other one, and both fit a short flight: so none is used.
A_SECOND_THAT_FITS = f"{FACTORS.splitlines()[0]},rejected_row\nagain,economy,0.3,1.35,0,800,1\n"
NEARBY = PLACES.replace("49.0097,2.5479", "46.3,6.2").replace("40.6413,-73.7781", "46.1,6.2")


async def published(harness: WorkerHarness) -> list[list[object]]:
    return [[tuple(row) for row in await harness.rows(query)] for query in PUBLISHED]


def refusal_of(view: PipelineView, cause: str = "most_would_go") -> str:
    [job] = view.in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, cause)
    return job.message


async def test_factors_a_thousand_times_too_small_are_asked_about(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before, kg = await published(harness), GVA_CDG_KG + GVA_JFK_KG
    assert refusal_of(await harness.load_factors(A_THOUSANDTH)) == (
        "Nothing was changed, since less than half of the kilograms of 2024 would be left:"
        f" {kg / 1000:,.3f} kg instead of {kg:,.3f} kg. If that is meant, give the command again"
        ' with --yes (in the payload "take_away": "yes").'
    )
    assert await published(harness) == before
    await harness.load_factors(A_THOUSANDTH, take_away="yes")
    assert sum((await harness.kg()).values()) == pytest.approx(kg / 1000)


async def test_entries_that_would_lose_their_factor_are_counted(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, CDG.replace("1,economy", "2,economy")))
    message = refusal_of(await harness.load_factors(A_SECOND_THAT_FITS))
    assert f": 0.000 kg instead of {2 * GVA_CDG_KG:,.3f} kg." in message
    assert (
        " 2 entries would have no kilograms; the first: 2 factors for economy at 407.6 km: "
    ) in message
    assert message.partition("(again economy). ")[2] == (
        "1 row with a warning; the first: row 1, min_distance: 2 factors of economy for 0 to 800"
        " km: short is in force, too. If that is meant, give the command again with --yes (in"
        ' the payload "take_away": "yes").'
    )
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})


@pytest.mark.parametrize("mode", ["add", "replace"])
async def test_places_nearby_are_asked_about(harness: WorkerHarness, mode: str) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await published(harness)
    message = refusal_of(await harness.load_places(NEARBY, mode=mode))
    said = f" kg instead of {GVA_CDG_KG + GVA_JFK_KG:,.3f} kg. 2 rows with a warning; the first: "
    assert f"{said}row 2, iata: CDG lies " in message
    assert "file has them: CDG, JFK. If that is meant, " in message
    assert await published(harness) == before
    await harness.load_places(NEARBY, mode=mode, take_away="yes")
    assert sum((await harness.kg()).values()) < 20


async def test_each_year_is_looked_at_by_itself(harness: WorkerHarness) -> None:
    await harness.load_units(year=2023)
    await harness.load_factors(year=2023)
    await harness.load_flights(flights(CDG), year=2023)
    await harness.load_flights(flights(JFK, JFK, JFK))
    near = PLACES.replace("49.0097,2.5479", "46.3,6.2")
    assert "kilograms of 2023 would be left" in refusal_of(await harness.load_places(near))


async def test_factors_in_grams_are_asked_about(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before, kg = await published(harness), GVA_CDG_KG + GVA_JFK_KG
    grams = FACTORS.replace("0.2906", "290.6").replace("0.1902", "190.2")
    said = refusal_of(await harness.load_factors(grams), "kilograms_would_double")
    assert said.startswith(
        "Nothing was changed, since the kilograms of 2024 would more than double:"
        f" {1000 * kg:,.3f} kg instead of {kg:,.3f} kg. 2 rows with a warning; the first: row 1,"
        " ef_kg_co2eq_per_km: 290.6 kg per km in one row is more than 10: is that correct? If that"
        " is meant, give the command again with"
    )
    assert await published(harness) == before
    await harness.load_factors(grams, take_away="yes")
    assert sum((await harness.kg()).values()) == pytest.approx(1000 * kg)


async def test_a_place_that_moves_far_is_asked_about_and_so_is_its_mending(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    far = PLACES.replace("49.0097,2.5479", "-49.0097,2.5479")
    refusal_of(await harness.load_places(far), "kilograms_would_double")
    await harness.load_places(far, take_away="yes")
    refusal_of(await harness.load_places(PLACES), "most_would_go")


async def test_a_refused_file_has_the_warnings_that_it_would_have_had(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    swapped = "iata,latitude,longitude\nGVA,6.1090,46.2381\nQQ,1,1\nXXA,91,0\n"
    view = await harness.load_places(swapped)
    message = refusal_of(view, "kilograms_would_double")
    assert "1 row is rejected; the first: row 3, latitude: must be from -90 to 90; " in message
    assert (
        " 2 rows with a warning; the first: row 1, iata: GVA lies 5,886 km from where it is now"
        " (46.2381, 6.109): latitude and longitude look swapped. 1 place is probably not where the"
        " file has it: GVA. Latitude and longitude of 1 place looks swapped: correct the file and"
        " load it again. If that is meant, give the command again with --yes (in the payload"
        ' "take_away": "yes").'
    ) in message
    stats = values_of(view.in_order()[0].stats)
    assert (stats["rows_accepted"], stats["rows_rejected"], stats["rows_warned"]) == (0, 1, 2)
    assert stats["warned_blob"]
    assert stats["rejected_blob"]


async def test_refused_flights_have_their_warnings_too(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(*[JFK] * 3))
    view = await harness.load_flights(flights("0828,GVA,GVA,1,economy,1,"))
    assert (
        " 1 row with a warning; the first: row 1, destination_iata: is the same place as"
        " origin_iata: is that correct? If that is meant, submit the file again with --yes"
    ) in refusal_of(view)
    assert values_of(view.in_order()[0].stats)["warned_blob"]


async def test_entries_that_get_their_first_kilograms_double_nothing(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, *[CDG.replace("CDG", "XXA")] * 3))
    kg = sum((await harness.kg()).values())
    await harness.load_places("iata,latitude,longitude\nXXA,-46,-174\n")
    assert sum((await harness.kg()).values()) > 2 * kg


@pytest.mark.parametrize(
    ("row", "factors"),
    [
        (CDG, FACTORS.replace("0.2906", "0.1453")),
        (CDG, FACTORS.replace("0.2906", "0.5812")),
        ("0828,GVA,CDG,1,economy,1,1000", A_THOUSANDTH),
        ("0828,GVA,XXX,1,economy,1,", A_THOUSANDTH),
        (CDG, FACTORS.replace("0.1902", "0.0001902")),
    ],
    ids=[
        "half of it",
        "twice as much",
        "kilograms of its own",
        "without kilograms",
        "a factor not used",
    ],
)
async def test_what_leaves_half_or_doubles_is_not_asked_about(
    harness: WorkerHarness, row: str, factors: str
) -> None:
    await harness.load_flights(flights(row))
    view = await harness.load_factors(factors)
    assert view.in_order()[0].result != types_pb2.JOB_RESULT_ERROR
