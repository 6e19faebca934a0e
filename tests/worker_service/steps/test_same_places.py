"""Places that are loaded again: nothing follows if they change nothing, and all is computed."""

import pytest

from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import (
    CDG,
    GVA_CDG_KG,
    JFK,
    PLACES,
    WorkerHarness,
    flights,
)
from worker_service.mechanics.outcome import Succeeded
from worker_service.steps.csv_ingest import run_csv_ingest

FOLLOW = ["emission_recalc", "aggregation"]
ELSEWHERE = PLACES.replace("49.0097", "48.5")


async def loaded(harness: WorkerHarness, text: str = PLACES) -> list[str]:
    """The jobs that followed."""
    return [job.job_type for job in (await harness.load_places(text)).in_order()[1:]]


async def test_nothing_follows_the_same_places(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    [ingest] = (await harness.load_places()).in_order()
    assert ingest.message.endswith("Nothing has to be computed again.")
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_place_that_moves_is_followed(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    assert await loaded(harness, ELSEWHERE) == FOLLOW
    assert (await harness.kg())["0828"] != pytest.approx(GVA_CDG_KG)
    assert await loaded(harness, ELSEWHERE) == []


async def test_whatever_the_totals_miss_follows_the_same_places(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    # As if what followed these rows had failed.
    of = claim("csv_ingest", 1_000_001, payload={"blob": harness.blob(flights(JFK)), "source": "a"})
    assert isinstance(await run_csv_ingest(harness.stores, of.run), Succeeded)
    assert await loaded(harness) == FOLLOW
    assert await loaded(harness) == []
