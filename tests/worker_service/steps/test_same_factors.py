"""Factors that are loaded again: nothing follows if they change nothing, and all is computed."""

import pytest

from carbonline.v1 import types_pb2
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    JFK,
    WorkerHarness,
    flights,
)
from worker_service.mechanics.outcome import Succeeded, Written
from worker_service.steps import factor_ingest
from worker_service.steps.csv_ingest import run_csv_ingest
from worker_service.steps.emission_recalc import run_emission_recalc
from worker_service.steps.factor_ingest import run_factor_ingest

FOLLOW = ["emission_recalc", "aggregation"]
DEARER = FACTORS.replace("0.2906", "0.3")


async def loaded(harness: WorkerHarness, text: str = FACTORS) -> list[str]:
    """The jobs that followed."""
    return [job.job_type for job in (await harness.load_factors(text)).in_order()[1:]]


async def test_nothing_follows_the_same_factors(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    view = await harness.load_factors(FACTORS)
    [ingest] = view.in_order()
    assert ingest.result == types_pb2.JOB_RESULT_SUCCESS
    assert ingest.message.endswith("0 are new or changed. Nothing has to be computed again.")
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_whatever_the_totals_miss_follows_the_same_factors(harness: WorkerHarness) -> None:
    assert await loaded(harness) == FOLLOW
    await harness.load_flights(flights(CDG))
    assert await loaded(harness, DEARER) == FOLLOW
    assert await loaded(harness, DEARER) == []
    # As if what followed these had failed: first nothing is computed, then nothing is summed.
    for token, source, computes in ((1_000_001, "a", False), (1_000_003, "b", True)):
        rows = harness.blob(flights(JFK))
        of = claim("csv_ingest", token, payload={"blob": rows, "source": source})
        assert isinstance(await run_csv_ingest(harness.stores, of.run), Succeeded)
        if computes:
            of = claim("emission_recalc", token + 1, payload={})
            assert isinstance(await run_emission_recalc(harness.stores, of.run), Succeeded)
        assert await loaded(harness, DEARER) == FOLLOW
    assert await loaded(harness, DEARER) == []


async def test_the_recalculation_warns_again_of_what_has_no_factor(
    harness: WorkerHarness,
) -> None:
    first = "".join(FACTORS.splitlines(keepends=True)[:2])
    await harness.load_factors(first, mode="replace", take_away="yes")
    await harness.load_flights(flights(CDG, JFK))
    for _ in range(2):
        assert await loaded(harness, first) == FOLLOW


async def test_a_claim_whose_factors_changed_after_the_look_leaves_it_to_the_scheduler(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.load_flights(flights(CDG))

    async def are_done(*_: object) -> bool:
        """Somebody else has changed them since."""
        return True

    monkeypatch.setattr(factor_ingest, "factors_are_done", are_done)
    for text, written in ((DEARER, Written.UNKNOWN), (DEARER, Written.NOTHING)):
        token = 1_000_001 if written is Written.UNKNOWN else 1_000_002
        of = claim("factor_ingest", token, payload={"blob": harness.blob(text)})
        outcome = await run_factor_ingest(harness.stores, of.run)
        assert isinstance(outcome, Succeeded)
        assert outcome.written is written
