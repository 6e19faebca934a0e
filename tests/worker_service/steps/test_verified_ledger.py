"""Verifying the ledger finds what breaks an invariant, names it, and finds nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from carbonline.serving.errors import RpcError
from carbonline.serving.pages import page_token
from carbonline.v1 import types_pb2, upkeep_pb2
from tests.worker_service.ledger.verified import findings, pages
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    JFK,
    TRAVEL,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.ledger.verify import verify_emissions
from worker_service.ledger_api import verification
from worker_service.ledger_api.verification import Verification

Request = upkeep_pb2.VerifyLedgerRequest
GIVEN = "0828,GVA,JFK,4,economy,1,12.5"
NO_PLACE = "0829,GVA,XXX,5,economy,1,"
TOTALS, EMISSIONS = f"totals/2/{YEAR}", f"emissions/20/{YEAR}"

# Table, statement, invariant, ledger scope, what is named.
BROKEN_TOKENS = (
    ("units", "changed_token = 9000 WHERE unit = '0829'", "units", "unit 0829"),
    (
        "locations",
        "changed_token = 9000 WHERE lower(code) = 'gva'",
        "reference/locations",
        "place ",
    ),
    ("factors", "changed_token = 9000 WHERE factor_id = 1", f"factors/{YEAR}", "factor 1"),
    ("factors", "stale_token = 9000 WHERE factor_id = 1", f"factors/{YEAR}", "factor 1"),
    (
        "factor_versions",
        "claim_token = 9000 WHERE factor_id = 2",
        f"factors/{YEAR}",
        "version 1 of factor 2",
    ),
    (
        "totals",
        "claim_token = 9000 WHERE unit = '0829'",
        TOTALS,
        "the totals of unit 0829",
    ),
    ("entry_sets", "retired_by = 9000 WHERE state = 'RETIRED'", f"entries/2/{YEAR}", "the end of"),
    ("emission_sets", "retired_by = 9000 WHERE state = 'RETIRED'", EMISSIONS, "the end of"),
)
# Of the second upload, which counts: row 1 is CDG, 2 JFK, 3 has its own kilograms, 4 no place.
BROKEN_SUMS = (
    (
        "UPDATE carbon.totals SET total_kg = total_kg + 1, scope3_kg = scope3_kg + 1",
        TOTALS,
        "unit 0829 has ... kg, and its emissions sum to ",
    ),
    (
        "UPDATE carbon.totals SET scope3_kg = 0, scope2_kg = total_kg",
        TOTALS,
        "unit 0828 has the right sum, and wrong kilograms of a GHG scope",
    ),
    (
        "UPDATE carbon.totals SET by_emission_type = '{}'",
        TOTALS,
        "unit 0828 has the right sum, and wrong kilograms of an emission type",
    ),
    (
        "UPDATE carbon.totals SET by_additional_value = '{}'",
        TOTALS,
        "unit 0828 has the right kilograms, and wrong additional values",
    ),
    (
        "UPDATE carbon.totals SET outcome_counts = '{}'",
        TOTALS,
        "unit 0828 counts {}, and has {'computed': 1, 'overridden': 1}",
    ),
    ("DELETE FROM carbon.totals WHERE unit = '0829'", TOTALS, "unit 0829 has no totals"),
    (
        "UPDATE carbon.totals SET unit = '0830' WHERE unit = '0829'",
        TOTALS,
        "unit 0830 has totals, and no emissions that count",
    ),
    (
        "UPDATE carbon.outcome_counts SET entry_count = 7 WHERE outcome = 'overridden'",
        TOTALS,
        "the outcomes of upload {upload} are not those of its entries",
    ),
    (
        "UPDATE carbon.emission_sums SET kg = kg + 1 WHERE unit = '0829'",
        TOTALS,
        "the sums of upload {upload} are not those of its emissions",
    ),
    (
        "DELETE FROM carbon.emission_sums",
        TOTALS,
        "the sums of upload {upload} are not those of its emissions",
    ),
    (
        "UPDATE carbon.emissions SET kg = 2 * kg WHERE row_number = 2",
        EMISSIONS,
        "row 2 of upload {upload} has ... kg of professional_travel.plane.eco, and a",
    ),
    (
        "UPDATE carbon.emissions SET factor_version = 3 WHERE row_number = 1",
        EMISSIONS,
        "row 1 of upload {upload} has an emission professional_travel.plane.eco of other inputs",
    ),
    (
        "DELETE FROM carbon.emissions WHERE row_number = 1",
        EMISSIONS,
        "row 1 of upload {upload} has no emission professional_travel.plane.eco, where",
    ),
    (
        "UPDATE carbon.emissions SET row_number = 70000 WHERE row_number = 3",
        EMISSIONS,
        "row 70000 of upload {upload} has emission",
    ),
    (
        "DELETE FROM carbon.uncomputed_entries",
        EMISSIONS,
        "row 4 of upload {upload} is not listed as unknown_place",
    ),
    (
        "UPDATE carbon.uncomputed_entries SET outcome = 'no_factor'",
        EMISSIONS,
        "row 4 of upload {upload} is listed as no_factor",
    ),
    (
        "UPDATE carbon.uncomputed_entries SET unit = '0828'",
        EMISSIONS,
        "row 4 of upload {upload} is listed as unknown_place",
    ),
    (
        "UPDATE carbon.entries SET number_1 = 5 WHERE row_number = 1",
        EMISSIONS,
        "row 1 of upload {upload} has ... kg of professional_travel.plane.eco, and a",
    ),
    (
        "UPDATE carbon.factors SET factor_values = factor_values || '{\"rfi_adjustment\": 9}'",
        EMISSIONS,
        "row 2 of upload {upload} has ... kg of professional_travel.plane.eco, and a",
    ),
)
TABLES = (
    *("units", "locations", "factor_versions", "factors", "totals", "entries", "entry_sets"),
    *(
        "factor_uses",
        "emissions",
        "emission_sets",
        "emission_sums",
        "outcome_counts",
        "uncomputed_entries",
    ),
    "input_versions",
)


@asynccontextmanager
async def broken(harness: WorkerHarness, statement: str) -> AsyncIterator[None]:
    """The tables as the statement leaves them, and then as they were."""
    async with harness.ledger.session() as conn:
        for table in TABLES:
            await conn.execute(f"CREATE TABLE public.kept_{table} AS TABLE carbon.{table}")
        await conn.execute(statement)
        try:
            yield
        finally:
            await conn.execute(f"TRUNCATE {', '.join(f'carbon.{table}' for table in TABLES)}")
            for table in reversed(TABLES):
                await conn.execute(
                    f"INSERT INTO carbon.{table} OVERRIDING SYSTEM VALUE"
                    f" SELECT * FROM public.kept_{table}; DROP TABLE public.kept_{table}"
                )


async def loaded(harness: WorkerHarness) -> int:
    """An upload of four rows in place of another one; its number."""
    await harness.load_flights(flights(CDG))
    await harness.load_flights(flights(CDG, JFK, GIVEN, NO_PLACE))
    await harness.load_factors(FACTORS.replace("0.2906", "0.5"))
    [row] = await harness.rows("SELECT entry_set FROM carbon.entry_sets WHERE state = 'PUBLISHED'")
    number: int = row["entry_set"]
    return number


async def test_a_claim_token_newer_than_its_fence_is_found_and_named(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SETS_PER_PAGE", 1)
    await loaded(harness)
    assert await findings(harness.ledger) == []
    for table, change, ledger_scope, named in BROKEN_TOKENS:
        async with broken(harness, f"UPDATE carbon.{table} SET {change}"):
            found = await findings(harness.ledger)
        assert found, change
        assert {(number, scope) for number, scope, _ in found} == {(12, ledger_scope)}
        details = {detail for _, _, detail in found}
        assert any(
            detail.startswith(named) and "has claim token 9000, and the fence " in detail
            for detail in details
        ), details


async def test_sums_and_emissions_that_a_recomputation_does_not_give_are_found_and_named(
    harness: WorkerHarness,
) -> None:
    upload = await loaded(harness)
    assert await findings(harness.ledger) == []
    for statement, ledger_scope, named in BROKEN_SUMS:
        async with broken(harness, statement):
            found = await findings(harness.ledger)
        assert {number for number, _, _ in found} == {13}, statement
        wanted = named.replace("{upload}", str(upload)).split("...")
        assert any(
            scope == ledger_scope and all(part in detail for part in wanted)
            for _, scope, detail in found
        ), (statement, found)


async def test_pages_go_through_every_entry_that_is_not_stale(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await loaded(harness)
    await harness.load_flights(flights(CDG, CDG), unit="0828", source="agency")
    monkeypatch.setattr(verify_emissions, "BATCH_ROWS", 1)
    whole = await pages(harness.ledger, Request(page_size=1))
    assert [page.entries for page in whole if page.entries] == [1] * 6
    assert sum(page.totals for page in whole) == 1
    assert not any(page.findings or page.stale for page in whole)
    tomorrow = Request()
    tomorrow.changed_since.FromDatetime(datetime.now(UTC) + timedelta(days=1))
    later = await pages(harness.ledger, tomorrow)
    assert sum(page.entries + page.totals for page in later) == 0
    for other in (Request(year=YEAR + 1), Request(year=YEAR, module=types_pb2.MODULE_HEADCOUNT)):
        assert sum(page.entries + page.totals for page in await pages(harness.ledger, other)) == 0
    of_module = await pages(harness.ledger, Request(year=YEAR, module=TRAVEL))
    assert sum(page.entries for page in of_module) == 6
    assert of_module[0].totals == 1


async def test_a_reason_in_the_words_of_another_release_is_not_a_finding(
    harness: WorkerHarness,
) -> None:
    await loaded(harness)
    async with broken(harness, "UPDATE carbon.uncomputed_entries SET detail = detail || '!'"):
        assert await findings(harness.ledger) == []


async def test_stale_totals_are_listed_and_compared_with_the_emissions_that_they_sum(
    harness: WorkerHarness,
) -> None:
    await loaded(harness)
    change = f"UPDATE carbon.input_versions SET changed_token = 0 WHERE input = 'factors/20/{YEAR}'"
    async with broken(
        harness, change + "; UPDATE carbon.emissions SET kg = 0 WHERE row_number = 1"
    ):
        first, *rest = await pages(harness.ledger, Request(year=YEAR, module=TRAVEL))
    [stale] = first.stale
    assert (stale.module, stale.year) == (TRAVEL, YEAR)
    assert stale.reason == "factors of plane changed since"
    of_sums, of_totals = first.findings
    assert (of_sums.ledger_scope, of_totals.ledger_scope) == (TOTALS, TOTALS)
    assert of_sums.detail.endswith("are not those of its emissions")
    assert not any(page.findings or page.entries for page in rest)


async def test_a_look_for_what_is_stale_alone_sums_nothing(harness: WorkerHarness) -> None:
    await loaded(harness)
    stale = "UPDATE carbon.input_versions SET changed_token = 0"
    wanted = Request(year=YEAR, module=TRAVEL)
    wanted.changed_since.FromDatetime(datetime.now(UTC) + timedelta(minutes=10))
    async with broken(harness, stale + "; UPDATE carbon.emissions SET kg = 0"):
        first, *_ = await pages(harness.ledger, wanted)
    assert (len(first.stale), first.totals, len(first.findings)) == (1, 0, 0)


@pytest.mark.parametrize(
    "wanted",
    [
        Request(module=TRAVEL),
        Request(year=1),
        Request(page_size=200_001),
        Request(page_token=page_token("pipelines", "1")),
        Request(page_token=page_token("sums", 0, 0, 0, 0)),
        Request(page_token=page_token("totals", 2**40, 0, 0, 0)),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(
    idle_harness: WorkerHarness, wanted: Request
) -> None:
    with pytest.raises(RpcError, match="FIELD_INVALID"):
        await Verification(idle_harness.ledger).answer("local", wanted)
