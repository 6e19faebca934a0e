"""What counted long ago is forgotten once the pipeline that brought it is; what counts never is."""

from collections.abc import Sequence

import structlog
from structlog.testing import capture_logs

from carbonline.client.channel import Credentials, open_channel
from tests.worker_service.ledger.ledger_driver import LedgerDriver
from tests.worker_service.steps.conftest import CDG, WORKER_ID, WorkerHarness, flights
from worker_service.ledger.row_results import ResultFilter, list_results
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity
from worker_service.steps import housekeeping
from worker_service.steps.deletions import Kind
from worker_service.steps.housekeeping import collect_all
from worker_service.steps.old_history import (
    Forgotten,
    HistoryRetention,
    KeptPipelines,
    forget_history,
)

LOG = structlog.get_logger()
DAY_SECONDS = 24 * 3600.0
KEPT_SECONDS = 90 * DAY_SECONDS


async def none_exists(_tenant: str, _pipelines: Sequence[int]) -> Sequence[int]:
    return ()


async def forget(
    harness: WorkerHarness, kept: KeptPipelines, told: dict[Kind, int] | None = None
) -> Forgotten:
    counts: dict[Kind, int] = {} if told is None else told
    return await forget_history(
        harness.ledger, HistoryRetention(KEPT_SECONDS, kept), LOG, counts.__setitem__
    )


async def long_after(harness: WorkerHarness) -> int:
    """What does not count any more was collected long ago; how many rows."""
    driver = LedgerDriver(harness.ledger)
    await driver.advance_clock(2 * housekeeping.UNSEEN_SECONDS)
    rows = await collect_all(harness.stores)
    await driver.advance_clock(KEPT_SECONDS + DAY_SECONDS)
    return rows


async def two_uploads_long_ago(harness: WorkerHarness) -> int:
    """The first does not count any more; its pipeline."""
    first = await harness.load_flights(flights(CDG))
    await harness.load_flights(flights(CDG, CDG))
    assert await long_after(harness) == 2
    assert first.pipeline is not None
    return first.pipeline.pipeline_id


async def lists(harness: WorkerHarness, pipeline_id: int) -> Sequence[int]:
    """Uploads of a pipeline whose rows are deleted, as its results tell."""
    wanted = ResultFilter("local", pipeline_id, None, None, None)
    return (await list_results(harness.ledger, wanted, (0, 0), 10)).deleted


async def test_what_an_existing_pipeline_lists_stays_and_goes_after_it(
    harness: WorkerHarness,
) -> None:
    pipeline_id = await two_uploads_long_ago(harness)
    [upload] = await lists(harness, pipeline_id)
    kg = await harness.kg()
    async with open_channel(f"unix:{harness.folder}/s", retries=False) as channel:
        identity = WorkerIdentity(WORKER_ID, "build", "host")
        client = SchedulerClient(channel, identity, Credentials(None))
        assert await forget(harness, client.kept_pipelines) == Forgotten()
    assert await lists(harness, pipeline_id) == [upload]
    told: dict[Kind, int] = {}
    with capture_logs() as logged:
        assert await forget(harness, none_exists, told) == Forgotten(1, 1, 0)
    assert [line["event"] for line in logged] == ["history_forgotten"]
    assert told == {"entry_sets": 1, "emission_sets": 1, "factor_versions": 0, "load_mappings": 0}
    assert await lists(harness, pipeline_id) == []
    assert await harness.kg() == kg
    assert await forget(harness, none_exists) == Forgotten()


async def test_emissions_of_another_institution_stay_where_no_upload_of_it_is_old(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG))
    await harness.rows("UPDATE carbon.emission_sets SET formula_version = 'of before'")
    await harness.recalculate()
    await long_after(harness)
    for tenant, old in (("theirs", 0), ("local", 1)):
        await harness.rows(f"UPDATE carbon.emission_sets SET tenant = '{tenant}'")
        await harness.rows(
            f"UPDATE carbon.write_fences SET tenant = '{tenant}' WHERE scope LIKE 'units%'"
        )
        async with open_channel(f"unix:{harness.folder}/s", retries=False) as channel:
            identity = WorkerIdentity(WORKER_ID, "build", "host")
            client = SchedulerClient(channel, identity, Credentials(None))
            assert await forget(harness, client.kept_pipelines) == Forgotten(0, old, 0)


async def test_what_is_another_institutions_stays(harness: WorkerHarness) -> None:
    await two_uploads_long_ago(harness)
    async with harness.ledger.session() as conn:
        for table in ("entry_sets", "emission_sets", "write_fences"):
            await conn.execute(
                f"UPDATE carbon.{table} SET tenant = 'theirs'"
                + (" WHERE scope LIKE 'units%'" if table == "write_fences" else "")
                + (" WHERE collected_at IS NOT NULL" if table != "write_fences" else "")
            )
    async with open_channel(f"unix:{harness.folder}/s", retries=False) as channel:
        identity = WorkerIdentity(WORKER_ID, "build", "host")
        client = SchedulerClient(channel, identity, Credentials(None))
        with capture_logs() as logged:
            assert await forget(harness, client.kept_pipelines) == Forgotten()
    stays = [line for line in logged if line["event"] == "history_stays"]
    assert [line["of_tenant"] for line in stays] == ["theirs"]
    async with harness.ledger.session() as conn:
        for table in ("entry_sets", "emission_sets", "write_fences"):
            await conn.execute(
                f"UPDATE carbon.{table} SET tenant = 'local' WHERE tenant = 'theirs'"
            )
