"""New factors or places that would halve or double the kilograms need consent."""

import pytest

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
        f" {kg / 1000:,.3f} kg instead of {kg:,.3f} kg. If that is meant, load the file again with"
        ' --take-away (in the payload "take_away": "yes").'
    )
    assert await published(harness) == before
    await harness.load_factors(A_THOUSANDTH, take_away="yes")
    assert sum((await harness.kg()).values()) == pytest.approx(kg / 1000)


async def test_entries_that_would_lose_their_factor_are_counted(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, CDG.replace("1,economy", "2,economy")))
    message = refusal_of(await harness.load_factors(A_SECOND_THAT_FITS))
    assert f": 0.000 kg instead of {2 * GVA_CDG_KG:,.3f} kg." in message
    assert " 2 entries would have no kilograms. If that is meant, " in message
    assert await harness.kg() == pytest.approx({"0828": 2 * GVA_CDG_KG})


@pytest.mark.parametrize("mode", ["add", "replace"])
async def test_places_nearby_are_asked_about(harness: WorkerHarness, mode: str) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await published(harness)
    message = refusal_of(await harness.load_places(NEARBY, mode=mode))
    assert f" kg instead of {GVA_CDG_KG + GVA_JFK_KG:,.3f} kg. If that is meant, " in message
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
        f" {1000 * kg:,.3f} kg instead of {kg:,.3f} kg. If that is meant, load the file again with"
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
