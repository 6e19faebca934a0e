"""Batches of a computation: what is added up while the next one is computed is added up once.

After each test `VerifyLedger` adds up all emissions anew, and its sums must be those that are kept.
"""

import pytest

from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    GVA_JFK_KM,
    JFK,
    WorkerHarness,
    flights,
)
from worker_service.ledger.entry_sets import BATCH_ROWS
from worker_service.steps import sums_beside

# Other flights may fit, so all sets are computed anew.
OTHER_BOUNDS = FACTORS.replace(",800", ",790").replace(",0.1902,1.35", ",1,1")


@pytest.mark.parametrize("rows_ahead", [1, BATCH_ROWS + 1, 10 * BATCH_ROWS])
async def test_sums_made_meanwhile_are_those_of_all_rows(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch, rows_ahead: int
) -> None:
    """After each batch, after two of three, and at the end alone."""
    monkeypatch.setattr(sums_beside, "ROWS_AT_ONCE", rows_ahead)
    pairs = BATCH_ROWS + 100
    await harness.load_flights(flights(*[CDG, JFK] * pairs))
    assert await harness.kg() == pytest.approx(
        {"0828": pairs * GVA_CDG_KG, "0829": pairs * GVA_JFK_KG}
    )


@pytest.mark.parametrize("rows_ahead", [1, 10 * BATCH_ROWS])
async def test_sets_that_share_a_batch_have_their_own_sums(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch, rows_ahead: int
) -> None:
    monkeypatch.setattr(sums_beside, "ROWS_AT_ONCE", rows_ahead)
    for source, rows in (("a", 3), ("b", 700), ("c", BATCH_ROWS), ("d", 1)):
        await harness.load_flights(flights(*[CDG] * rows), source=source)
    await harness.load_flights(flights(JFK), source="e")
    await harness.load_factors(OTHER_BOUNDS)
    assert await harness.kg() == pytest.approx(
        {"0828": (BATCH_ROWS + 704) * GVA_CDG_KG, "0829": GVA_JFK_KM}
    )
