"""What a service brings: read as a file is, in place of what it brought before."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.providers.fake_travel_api import (
    SECRET,
    FakeTravelApi,
    error,
    served,
    trip,
)
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    PLANE,
    TRAVEL,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.mechanics.outcome import RetryLater
from worker_service.providers.travel_api import TravelApi
from worker_service.steps.api_ingest import run_api_ingest
from worker_service.steps.fetched_rows import REPLACED
from worker_service.worker import steps_of

ENTRIES = """
SELECT carbon.entry_values(e, s.text_keys, s.number_keys) AS data
FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
ORDER BY e.row_number
"""


class Synced:
    """A harness whose worker asks a fake of the travel API."""

    def __init__(self, harness: WorkerHarness, fake: FakeTravelApi) -> None:
        self.harness = harness
        self.fake = fake
        provider = TravelApi(fake.access())
        harness.steps["api_ingest"] = dict(steps_of(harness.stores, [provider]))["api_ingest"]

    async def submit(self, provider: str = "travel-api", **payload: str) -> int:
        """An ingest on its way; the pipeline."""
        scope = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
        said = {"provider": provider, **payload}
        return await self.harness.submit("api_ingest", None, payload=said, **scope)

    async def sync(self, provider: str = "travel-api", **payload: str) -> PipelineView:
        """An ingest, to its end."""
        return await self.harness.ended(await self.submit(provider, **payload))


@asynccontextmanager
async def ready(harness: WorkerHarness) -> AsyncIterator[None]:
    async with harness.working():
        await harness.load_units()
        await harness.load_places()
        await harness.load_factors()
        yield


@pytest.fixture
async def synced(idle_harness: WorkerHarness) -> AsyncIterator[Synced]:
    async with served(FakeTravelApi([trip()])) as fake:
        synced = Synced(idle_harness, fake)
        async with ready(idle_harness):
            yield synced


def first_job(view: PipelineView) -> types_pb2.Job:
    return view.in_order()[0]


async def test_the_corrected_value_counts_once_and_survives_every_recalculation(
    synced: Synced,
) -> None:
    synced.fake.records = [trip(kg=150.5), trip(kg=0, ticket="2", centre="F0829")]
    view = await synced.sync()
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert [job.job_type for job in view.in_order()] == [
        "api_ingest",
        "emission_recalc",
        "aggregation",
    ]
    assert await synced.harness.kg() == {"0828": 150.5, "0829": 0.0}
    await synced.harness.load_factors(FACTORS.replace("0.2906", "9.9"))
    await synced.harness.recalculate()
    assert await synced.harness.kg() == {"0828": 150.5, "0829": 0.0}
    outcomes = {unit: one.outcome_counts for unit, one in (await synced.harness.totals()).items()}
    assert outcomes == {"0828": {"overridden": 1}, "0829": {"overridden": 1}}


async def test_the_corrected_value_stands_under_the_reserved_key(synced: Synced) -> None:
    synced.fake.records = [trip(kg=0)]
    await synced.sync()
    [row] = await synced.harness.rows(ENTRIES)
    assert row["data"]["__kg_co2eq_override__"] == 0


async def test_a_trip_without_a_corrected_value_is_computed(synced: Synced) -> None:
    synced.fake.records = [trip(kg=None)]
    await synced.sync()
    assert await synced.harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_it_replaces_what_it_brought_before_and_nothing_else(synced: Synced) -> None:
    await synced.harness.load_flights(flights(CDG))
    synced.fake.records = [trip(ticket=str(number)) for number in range(3)]
    await synced.sync()
    assert await synced.harness.kg() == pytest.approx({"0828": 3 * 150.5 + GVA_CDG_KG})
    synced.fake.records = [trip(ticket=str(number), centre="F0829") for number in range(2)]
    view = await synced.sync()
    assert "in place of 3 rows of travel-api_2024.csv" in first_job(view).message
    assert await synced.harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": 301.0})


async def test_a_second_time_changes_nothing_in_whatever_order_the_records_come(
    synced: Synced,
) -> None:
    synced.fake.records = [trip(ticket=str(number)) for number in range(5)]
    await synced.sync()
    before = await synced.harness.totals()
    view = await synced.sync()
    assert [job.job_type for job in view.in_order()] == ["api_ingest"]
    assert values_of(first_job(view).stats)["unchanged"] is True
    assert await synced.harness.totals() == before


async def test_what_is_dropped_is_counted_by_reason_and_a_missing_cost_centre_is_a_row_error(
    synced: Synced,
) -> None:
    synced.fake.records = [
        trip(),
        trip(transport="Train"),
        trip(transport="Train", ticket="2"),
        trip(traveller=None),
        trip(date=None),
        trip(centre=None, ticket="3"),
        trip(trips="many", ticket="4"),
        trip(kg="much", ticket="5"),
        trip(kg=-1, ticket="6"),
        trip(cabin="HAMMOCK", ticket="7"),
    ]
    job = first_job(await synced.sync())
    assert job.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"], stats["rows_dropped"]) == (2, 4, 4)
    assert stats["dropped"] == {
        "no flight": 2,
        "no readable departure date": 1,
        "no traveller": 1,
    }
    assert stats["assumed"] == {"an unknown class, taken as economy": 1}
    assert {one["column"] for one in stats["rejected_rows"]} == {
        "unit_institutional_id",
        "number_of_trips",
        "kg_co2eq",
    }
    assert "4 records of the service were left out: 2 with no flight, 1 with" in job.message
    assert job.message.endswith("1 row with an unknown class, taken as economy.")


async def test_a_record_with_what_no_text_has_does_not_cost_the_others(synced: Synced) -> None:
    synced.fake.records = [trip(ticket="1"), trip(ticket="a\0b"), trip(ticket="a\ud800b")]
    [job, *_] = (await synced.sync()).in_order()
    assert values_of(job.stats)["rows_accepted"] == 3, job
    # It is said, and a warning.
    said = f"2 rows with {REPLACED}."
    assert said in job.message
    assert job.result == types_pb2.JOB_RESULT_WARNING


async def test_a_record_with_an_endless_text_is_one_bad_row(synced: Synced) -> None:
    long = "x" * ((1 << 20) + 1)
    odd: list[dict[str, Any]] = [
        {"ticket": long},
        {"origin": long},
        {"trips": long},
        {"centre": long},
        {"kg": math.nan},
    ]
    synced.fake.records = [trip(), *(trip(**change) for change in odd)]
    [job, *_] = (await synced.sync()).in_order()
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (1, len(odd)), job.message
    reasons = {row["column"]: row["reason"] for row in stats["rejected_rows"]}
    assert reasons["note"] == "is longer than 1,000 characters"
    assert set(reasons) == {
        "note",
        "origin_iata",
        "number_of_trips",
        "unit_institutional_id",
        "kg_co2eq",
    }


async def test_a_service_with_nothing_of_the_year_changes_nothing(synced: Synced) -> None:
    await synced.sync()
    before = await synced.harness.totals()
    for records, dropped in (([], 0), ([trip(transport="Train")], 1)):
        synced.fake.records = records
        job = first_job(await synced.sync())
        assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "no_rows")
        assert "travel-api has no rows of 2024, so nothing was changed." in job.message
        assert values_of(job.stats)["rows_dropped"] == dropped
    assert await synced.harness.totals() == before


async def test_fewer_than_half_of_the_rows_need_consent(synced: Synced) -> None:
    synced.fake.records = [trip(ticket=str(number)) for number in range(5)]
    await synced.sync()
    synced.fake.records = synced.fake.records[:1]
    assert first_job(await synced.sync()).error_cause == "most_would_go"
    assert await synced.harness.kg() == {"0828": 5 * 150.5}
    await synced.sync(take_away="yes")
    assert await synced.harness.kg() == {"0828": 150.5}


@pytest.mark.parametrize(
    ("status", "cause"), [(400, "service_refused"), (401, "credential_refused")]
)
async def test_a_refusal_ends_the_job_at_once_with_a_sentence_and_without_the_secret(
    synced: Synced, status: int, cause: str
) -> None:
    await synced.sync()
    before = await synced.harness.totals()

    async def refuse(request: web.Request) -> web.Response | None:
        return error(status, "1", f"no: {SECRET}")

    synced.fake.instead = refuse
    view = await synced.sync()
    job = first_job(view)
    assert (job.result, job.error_cause, job.attempts) == (types_pb2.JOB_RESULT_ERROR, cause, 1)
    assert job.message.startswith("The travel API ")
    assert job.message.endswith("Nothing was changed.")
    assert SECRET not in str(view.in_order())
    assert await synced.harness.totals() == before


async def test_an_unknown_provider_and_one_of_another_type_are_refused(synced: Synced) -> None:
    job = first_job(await synced.sync("travel-agency"))
    assert job.error_cause == "provider_not_configured"
    assert "no settings for a provider travel-agency. It has travel-api." in job.message
    scope = {"module": TRAVEL, "data_entry_type": types_pb2.DATA_ENTRY_TYPE_TRAIN, "year": YEAR}
    pipeline = await synced.harness.submit(
        "api_ingest", None, payload={"provider": "travel-api"}, **scope
    )
    job = first_job(await synced.harness.ended(pipeline))
    assert job.error_cause == "provider_of_another_type"
    assert job.message.startswith("travel-api brings plane, not train.")


async def test_a_service_that_cannot_answer_now_makes_the_job_wait(synced: Synced) -> None:
    async def busy(request: web.Request) -> web.Response | None:
        return error(503, "1", "maintenance")

    synced.fake.instead = busy
    taken = claim("api_ingest", 1, payload={"provider": "travel-api"})
    providers = [TravelApi(synced.fake.access())]
    outcome = await run_api_ingest(synced.harness.stores, providers, taken.run)
    assert isinstance(outcome, RetryLater)
    assert outcome.reason == (
        "The travel API answered 503 (1: maintenance) when asked to sign in. 5 tries were made."
        " Nothing was changed."
    )


async def test_a_stop_in_the_middle_leaves_what_was_there(idle_harness: WorkerHarness) -> None:
    harness = idle_harness
    async with served(FakeTravelApi([trip()])) as fake:
        synced = Synced(harness, fake)
        asked, released = asyncio.Event(), asyncio.Event()

        async def hang(request: web.Request) -> web.Response | None:
            if fake.queries >= 4:
                asked.set()
                await released.wait()
            return None

        async with ready(harness):
            await synced.sync()
            before = await harness.totals()
            fake.records = [trip(kg=1000, ticket="9")]
            fake.instead = hang
            pipeline = await synced.submit()
            async with asyncio.timeout(20):
                await asked.wait()
            await harness.client.cancel_pipeline(pipeline, "")
            view = await harness.ended(pipeline)
            assert view.pipeline is not None
            assert view.pipeline.status == types_pb2.PIPELINE_STATUS_CANCELLED
        released.set()
        assert await harness.totals() == before
    # The worker has drained, so the run has let go of everything.
    assert list((harness.folder / "blobs").glob("*/.incoming/*")) == []
