"""What belongs to no pipeline is deleted in batches until nothing old is left."""

from datetime import timedelta

import pytest

from scheduler_service.jobs.scope import Scope
from scheduler_service.store.retention import forget_old
from tests.scheduler_service.store.store_driver import TENANT, StoreDriver

NOOP = Scope(TENANT)
KEPT = "SELECT count(*) FROM scheduler.{}"


async def test_answered_claims_workers_and_pauses_go_when_they_are_old(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget_old, "BATCH_MAX", 2)
    store = driver.store
    await store.forget_old()
    for _ in range(7):
        await driver.submit("noop", NOOP)
        another = driver.another()
        await another.finish(await another.claim("noop"))
        await store.pause_job_type([TENANT], "noop", "a test asks", "tester")
        await store.resume_job_type([TENANT], "noop", "tester")
    await store.pause_job_type([TENANT], "aggregation", "it lasts", "tester")
    tables = ("claim_requests", "workers", "pauses")
    before = {t: await store.pool.fetchval(KEPT.format(t)) for t in tables}
    assert (await store.forget_old()).counts() == {}
    await driver.pass_time(timedelta(hours=2))
    assert (await store.forget_old()).counts() == {"requests": before["claim_requests"]}
    await driver.pass_time(timedelta(days=1))
    assert (await store.forget_old()).counts() == {"workers": before["workers"]}
    await driver.pass_time(timedelta(days=90))
    assert (await store.forget_old()).counts() == {"pauses": 7}
    left = {t: await store.pool.fetchval(KEPT.format(t)) for t in tables}
    assert left == {"claim_requests": 0, "workers": 0, "pauses": 1}


async def test_a_worker_that_holds_a_job_is_remembered(driver: StoreDriver) -> None:
    await driver.submit("noop", NOOP)
    await driver.claim("noop")
    await driver.pass_time(timedelta(days=2))
    assert "workers" not in (await driver.store.forget_old()).counts()
