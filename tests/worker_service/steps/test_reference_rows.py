"""Purchases from files to totals: rates are loaded, changed, and removed only with consent."""

from typing import Any

import pytest

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from worker_service.carbon.reference_kinds import RATES as RATES_OF_YEARS
from worker_service.ledger.reference_row_list import RowFilter, list_rows
from worker_service.ledger.reference_rows import readers_of_rows

PURCHASE = types_pb2.MODULE_PURCHASE
SERVICES = types_pb2.DATA_ENTRY_TYPE_SERVICES
SCOPE: dict[str, Any] = {"module": PURCHASE, "data_entry_type": SERVICES, "year": YEAR}
HEADER = "currency,year,units_per_eur\n"
RATES = HEADER + f"CHF,{YEAR},0.95\nUSD,{YEAR},1.25\n"
FACTORS = (
    "purchase_institutional_code,purchase_additional_code,currency,ef_kg_co2eq_per_currency\n"
    "5110,,EUR,0.5\n"
)
BOUGHT = (
    "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,currency\n"
    "0828,a,190,5110,CHF\n0829,b,100,5110,USD\n0829,c,10,5110,EUR\n"
)
CHF = f"chf, {YEAR}"


async def load(harness: WorkerHarness, text: str | None, **payload: object) -> PipelineView:
    pipeline = await harness.submit(
        "reference_ingest", text, payload=payload, reference_kind="rates"
    )
    return await harness.ended(pipeline)


async def load_purchases(harness: WorkerHarness, factors: str = FACTORS) -> list[int]:
    results: list[int] = []
    for job_type, text in (("factor_ingest", factors), ("csv_ingest", BOUGHT)):
        view = await harness.ended(await harness.submit(job_type, text, **SCOPE))
        results += [job.result for job in view.in_order()]
    return results


async def test_purchases_follow_the_rates_of_their_year(harness: WorkerHarness) -> None:
    [loaded] = (await load(harness, RATES, file_name="rates.csv")).in_order()
    assert loaded.message == "2 exchange rates accepted. 2 new, 0 changed, 0 unchanged."
    assert set(await load_purchases(harness)) == {types_pb2.JOB_RESULT_SUCCESS}
    assert await harness.kg() == pytest.approx({"0828": 100, "0829": 45})

    again = await load(harness, RATES, file_name="rates.csv")
    assert "0 new, 0 changed, 2 unchanged." in again.in_order()[0].message
    await load(harness, HEADER + f"CHF,{YEAR},1\nCHF,{YEAR + 1},0.5\n")
    assert await harness.kg() == pytest.approx({"0828": 95, "0829": 45})


async def test_without_a_rate_an_entry_has_an_outcome_and_a_sentence(
    harness: WorkerHarness,
) -> None:
    await load(harness, HEADER + f"CHF,{YEAR + 1},0.95\nUSD,{YEAR},1.25\n")
    assert types_pb2.JOB_RESULT_WARNING in await load_purchases(harness)
    assert await harness.kg() == pytest.approx({"0828": 0, "0829": 45})
    rows = await harness.rows("SELECT DISTINCT outcome, detail FROM carbon.uncomputed_entries")
    assert [tuple(row) for row in rows] == [("no_rate", "no exchange rate for CHF in this year")]


async def test_rates_that_entries_use_go_with_consent_only(harness: WorkerHarness) -> None:
    await load(harness, RATES + f"GBP,{YEAR},0.85\nCHF,{YEAR - 1},0.99\n")
    await load_purchases(harness)

    replaced = await load(harness, HEADER + f"USD,{YEAR},1.25\n", mode="replace")
    [refused] = replaced.in_order()
    assert refused.error_cause == "references_in_use"
    assert refused.message == (
        "Nothing was changed: 2 exchange rates would be removed, and 1 entry uses"
        f" CHF, {YEAR}. Leave out --replace to add to them, or allow the removal with --yes."
    )
    [refused] = (await load(harness, None, mode="remove", codes=[CHF])).in_order()
    assert refused.error_cause == "references_in_use"
    [unused] = (await load(harness, None, mode="remove", codes=[f"chf, {YEAR - 1}"])).in_order()[:1]
    assert unused.message == "1 exchange rate was removed."
    [unknown] = (await load(harness, None, mode="remove", codes=["CHF"])).in_order()
    assert unknown.error_cause == "unknown_key"
    assert unknown.message == (
        "Nothing was changed: CHF is not the key of an exchange rate."
        " `carbonline references rates` lists those that are."
    )

    await load(harness, None, mode="remove", codes=[CHF], take_away="yes")
    assert await harness.kg() == pytest.approx({"0828": 0, "0829": 45})


async def test_entries_use_the_rate_of_the_currency_of_their_factor_too(
    harness: WorkerHarness,
) -> None:
    await load(harness, RATES + f"GBP,{YEAR},0.85\nUSD,{YEAR - 1},1.3\n")
    await load_purchases(harness, FACTORS.replace("EUR", "USD"))
    usd = f"usd, {YEAR}"
    [refused] = (await load(harness, None, mode="remove", codes=[usd])).in_order()
    # One of them is in dollars itself, and counts once.
    assert "3 entries use" in refused.message
    assert refused.error_cause == "references_in_use"
    readers = readers_of_rows(RATES_OF_YEARS)
    listed = await list_rows(harness.ledger, RowFilter("local", "rates", readers=readers), "", 9)
    assert listed.entries == {CHF: 1, usd: 3}
    unused = [f"usd, {YEAR - 1}", f"gbp, {YEAR}"]
    [removed] = (await load(harness, None, mode="remove", codes=unused)).in_order()[:1]
    assert removed.message == "2 exchange rates were removed."


async def test_a_rate_that_halves_the_kilograms_needs_consent(harness: WorkerHarness) -> None:
    await load(harness, RATES)
    await load_purchases(harness)
    wrong = HEADER + f"CHF,{YEAR},95\nUSD,{YEAR},125\n"
    [refused] = (await load(harness, wrong)).in_order()
    assert refused.error_cause == "most_would_go"
    assert await harness.kg() == pytest.approx({"0828": 100, "0829": 45})


async def test_stale_rates_stay_in_use_and_can_be_removed(harness: WorkerHarness) -> None:
    await load(harness, RATES + f"GBP,{YEAR},0.85\n", file_name="rates.csv")
    [loaded] = (await load(harness, RATES, file_name="rates.csv")).in_order()[:1]
    assert loaded.message.endswith(
        "1 older exchange rate is not in the newest file of the name and stays in use:"
        " carbonline references rates --stale. Nothing has to be computed again."
    )
    [removed] = (await load(harness, None, mode="remove_stale")).in_order()[:1]
    assert removed.message == "1 stale exchange rate was removed."
    left = await harness.rows("SELECT key FROM carbon.reference_rows ORDER BY key")
    assert [row["key"] for row in left] == [CHF, f"usd, {YEAR}"]
