"""Old pipelines go whole; what is live, needed, linked or owed a repair stays."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from scheduler_service.jobs.requests import Disposition, ReleaseReason, Retried, Submitted, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.retention import remove_pipelines
from scheduler_service.store.retention.remove_pipelines import removable
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TOTALS,
    TRAVEL,
    YEAR,
    StoreDriver,
)

NOOP = Scope(TENANT)
# Its jobs have no slot.
OF_A_UNIT = Scope(TENANT, TRAVEL, PLANE, YEAR, "0828")
DAY = timedelta(days=1)
RETENTION = timedelta(days=91)


async def run(
    driver: StoreDriver, job_type: str, scope: Scope, result: JobResult = JobResult.SUCCESS
) -> Submitted:
    """A pipeline of one job that has ended."""
    submitted = await driver.submit(job_type, scope)
    await driver.finish(await driver.claim(job_type), result, Written.NOTHING)
    return submitted


async def upload(driver: StoreDriver) -> Submitted:
    """A file with its recalculation and its totals, all done."""
    submitted = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.release(ingest, ReleaseReason.DRAIN)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    await driver.finish(ingest)
    recalc = await driver.claim("emission_recalc")
    await driver.chain(recalc, ("aggregation", None))
    await driver.finish(recalc)
    await driver.finish(await driver.claim("aggregation"))
    return submitted


async def numbers(driver: StoreDriver) -> list[int]:
    rows = await driver.store.pool.fetch("SELECT pipeline_id FROM scheduler.pipelines ORDER BY 1")
    return [row["pipeline_id"] for row in rows]


async def rows_of(driver: StoreDriver, pipeline_id: int) -> dict[str, int]:
    tables = ("pipelines", "jobs", "job_links", "job_events", "submit_requests")
    count = "SELECT count(*) FROM scheduler.{} WHERE pipeline_id = $1"
    return {t: await driver.store.pool.fetchval(count.format(t), pipeline_id) for t in tables}


async def test_an_old_pipeline_goes_whole_and_the_slots_last_success_stays(
    driver: StoreDriver,
) -> None:
    first = await upload(driver)
    await driver.pass_time(DAY)
    second = await upload(driver)
    assert set((await rows_of(driver, first.pipeline_id)).values()) >= {1, 3}
    await driver.pass_time(RETENTION - DAY)
    removed = await driver.store.remove_pipelines()
    assert (removed.pipelines, removed.jobs, removed.requests) == (1, 3, 1)
    assert removed.events > 0
    assert set((await rows_of(driver, first.pipeline_id)).values()) == {0}
    await driver.pass_time(RETENTION)
    assert (await driver.store.remove_pipelines()).pipelines == 0
    assert (await rows_of(driver, second.pipeline_id))["jobs"] == 3


async def test_newer_runs_that_failed_do_not_let_the_last_success_go(driver: StoreDriver) -> None:
    await upload(driver)
    good = await run(driver, "csv_ingest", INGEST)
    failed = [await run(driver, "csv_ingest", INGEST, JobResult.ERROR) for _ in range(3)]
    before = await slots(driver), await driver.store.module_states(TENANT, YEAR)
    await driver.pass_time(RETENTION)
    # The last one is the slot's current job.
    assert (await driver.store.remove_pipelines()).pipelines == 2
    kept = await numbers(driver)
    assert kept[-2:] == [good.pipeline_id, failed[-1].pipeline_id]
    after = await slots(driver), await driver.store.module_states(TENANT, YEAR)
    assert after[0] == before[0]
    assert after[1][0] == before[1][0]


async def slots(driver: StoreDriver) -> list[tuple[str, int, int | None]]:
    found = await driver.store.slots(TENANT, YEAR, (TRAVEL,), after="", slots_max=100)
    return [
        (one.slot_key, one.current.job_id, one.last_success.job_id if one.last_success else None)
        for one in found
    ]


async def test_a_failed_sum_stays_named_among_stale_totals(driver: StoreDriver) -> None:
    await upload(driver)
    await run(driver, "aggregation", TOTALS, JobResult.ERROR)
    (before, _) = await driver.store.module_states(TENANT, YEAR)
    await driver.pass_time(RETENTION)
    await driver.store.remove_pipelines()
    (after, _) = await driver.store.module_states(TENANT, YEAR)
    assert after == before


async def test_what_a_pipeline_that_stays_joined_stays_and_goes_with_it(
    driver: StoreDriver,
) -> None:
    owner = await driver.submit("emission_recalc", RECALC)
    joiner = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, ("emission_recalc", PLANE))
    answer = await driver.finish(ingest)
    assert [child.disposition for child in answer.children] == [Disposition.JOINED]
    await driver.finish(await driver.claim("emission_recalc"))
    # The owner's job is in no slot's way any more; the joiner's upload is a last success.
    await run(driver, "emission_recalc", RECALC)
    await driver.pass_time(RETENTION)
    assert (await driver.store.remove_pipelines()).pipelines == 0
    await run(driver, "csv_ingest", INGEST)
    removed = await driver.store.remove_pipelines()
    assert (removed.pipelines, removed.links) == (2, 1)
    assert not {owner.pipeline_id, joiner.pipeline_id}.intersection(await numbers(driver))


def test_pipelines_that_joined_each_others_jobs_go_together() -> None:
    ring = {1: {2}, 2: {3}, 3: {1}}
    assert removable([1, 2, 3, 4], {4}, ring) == [1, 2, 3]
    assert removable([1, 2, 3, 4], {4}, ring | {2: {3, 4}}) == []
    # One that somebody else had locked, or that is too young, is not among them.
    assert removable([1, 2], (), ring) == []


async def test_what_is_live_and_what_is_young_stays(driver: StoreDriver) -> None:
    live = await driver.submit("noop", NOOP)
    await driver.pass_time(RETENTION)
    young = await driver.submit("noop", NOOP)
    for claim in await driver.claim_all("noop"):
        if claim.row.job_id == young.job_id:
            await driver.finish(claim)
    assert (await driver.store.remove_pipelines()).pipelines == 0
    assert {live.pipeline_id, young.pipeline_id} <= set(await numbers(driver))


async def test_what_is_owed_a_repair_stays_until_the_repair_has_ended(driver: StoreDriver) -> None:
    cause = await driver.submit("csv_ingest", OF_A_UNIT)
    claim = await driver.claim("csv_ingest")
    await driver.cancel(cause.pipeline_id)
    await driver.pass_time(RETENTION)
    assert (await driver.store.remove_pipelines()).pipelines == 0
    await driver.release(claim, written=Written.UNKNOWN)
    (repair,) = await driver.store.pool.fetch(
        "SELECT pipeline_id, status FROM scheduler.pipelines WHERE repair_of = $1",
        cause.pipeline_id,
    )
    assert repair["status"] == "LIVE"
    assert (await driver.store.remove_pipelines()).pipelines == 0
    await driver.finish(await driver.claim("emission_recalc"))
    assert (await driver.store.remove_pipelines()).pipelines == 1
    assert cause.pipeline_id not in await numbers(driver)


async def test_a_pipeline_stays_while_its_retry_is_live(driver: StoreDriver) -> None:
    failed = await run(driver, "emission_recalc", RECALC, JobResult.ERROR)
    await run(driver, "emission_recalc", RECALC)
    await driver.pass_time(RETENTION)
    again = await driver.retry(failed.pipeline_id)
    assert isinstance(again, Retried)
    assert (await driver.store.remove_pipelines()).pipelines == 0
    await driver.finish(await driver.claim("emission_recalc"))
    assert (await driver.store.remove_pipelines()).pipelines == 2
    answer = await driver.retry(failed.pipeline_id)
    assert getattr(answer, "reason", "") == "PIPELINE_NOT_FOUND"


async def test_a_request_is_answered_again_for_as_long_as_its_pipeline_is_kept(
    driver: StoreDriver,
) -> None:
    request_id = uuid4()
    first = await driver.submit("noop", NOOP, request_id=request_id)
    await driver.finish(await driver.claim("noop"))
    await driver.pass_time(RETENTION)
    again = await driver.submit("noop", NOOP, request_id=request_id)
    assert again.disposition is Disposition.REPLAYED
    await driver.store.remove_pipelines()
    new = await driver.submit("noop", NOOP, request_id=request_id)
    assert new.disposition is Disposition.CREATED
    assert new.pipeline_id > first.pipeline_id


async def many(driver: StoreDriver, pipelines: int) -> list[int]:
    """Old pipelines that nothing needs."""
    made = [await driver.submit("noop", NOOP) for _ in range(pipelines)]
    await driver.finish_jobs([driver.ending(c) for c in await driver.claim_all("noop")])
    await driver.pass_time(RETENTION)
    return [one.pipeline_id for one in made]


async def test_batches_repeat_until_all_is_gone_or_the_look_is_over(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove_pipelines, "BATCH_MAX", 3)
    await many(driver, 20)
    monkeypatch.setattr(remove_pipelines, "LOOK_SECONDS_MAX", 0.0)
    removed = await driver.store.remove_pipelines()
    assert not removed.is_all
    monkeypatch.undo()
    monkeypatch.setattr(remove_pipelines, "BATCH_MAX", 3)
    removed += await driver.store.remove_pipelines()
    assert removed.pipelines == 20


async def test_several_schedulers_share_the_work(driver: StoreDriver, database_url: str) -> None:
    await many(driver, 60)
    async with AsyncExitStack() as stack:
        stores = [driver.store]
        for _ in range(3):
            opened = await Store.open(database_url, lease_seconds=45.0, sweep_seconds=5.0)
            stack.push_async_callback(opened.close)
            stores.append(opened)
        each = await asyncio.gather(*(store.remove_pipelines() for store in stores))
    assert sum(removed.pipelines for removed in each) == 60
    assert sum(removed.jobs for removed in each) == 60


async def test_what_somebody_has_locked_is_left_to_the_next_look(
    driver: StoreDriver, database_url: str
) -> None:
    first, *others = await many(driver, 5)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(
            "SELECT FROM scheduler.pipelines WHERE pipeline_id = $1 FOR SHARE", first
        )
        assert (await driver.store.remove_pipelines()).pipelines == len(others)
    await other.close()
    assert (await driver.store.remove_pipelines()).pipelines == 1


TRAP = """
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.pipeline_id = {pipeline_id} THEN RAISE EXCEPTION 'it stays'; END IF;
    RETURN OLD;
END $$;
"""
AT_ONCE = "CREATE TRIGGER t BEFORE DELETE ON scheduler.jobs FOR EACH ROW EXECUTE FUNCTION trap()"
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER t AFTER DELETE ON scheduler.jobs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trap()
"""


@pytest.mark.parametrize("trigger", [AT_ONCE, AT_COMMIT], ids=["at once", "at its commit"])
async def test_a_pipeline_that_cannot_be_deleted_holds_up_no_other(
    driver: StoreDriver, trigger: str
) -> None:
    _, bad, *_ = ids = await many(driver, 6)
    await driver.store.pool.execute(TRAP.format(pipeline_id=bad) + trigger)
    removed = await driver.store.remove_pipelines()
    assert (removed.pipelines, removed.jobs, removed.is_all) == (len(ids) - 1, len(ids) - 1, True)
    (row,) = await driver.store.pool.fetch("SELECT step, item FROM scheduler.set_asides")
    assert tuple(row) == ("remove", str(bad))
    await driver.store.pool.execute("DROP FUNCTION trap CASCADE")
    await driver.pass_time(timedelta(minutes=1))
    assert (await driver.store.remove_pipelines()).pipelines == 1
