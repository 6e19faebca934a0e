"""A job whose row violates a constraint when it is claimed is set aside; all others are claimed."""

from datetime import timedelta

import asyncpg
import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from scheduler_service.jobs.explain import JobReasonKind, explain
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.scope import Scope
from scheduler_service.metrics import Metrics
from scheduler_service.store.claim.claim_alone import came_twice
from scheduler_service.store.store import Store
from scheduler_service.store.sweep import broken_jobs
from scheduler_service.store_observer import StoreObserver
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

NOOP = Scope(TENANT)
# Its next attempt is one too many.
BREAK = "UPDATE scheduler.jobs SET attempts = attempts_max WHERE job_id = ANY($1)"
MEND = "UPDATE scheduler.jobs SET attempts = 0 WHERE job_id = ANY($1)"
ALONE = "UPDATE scheduler.jobs SET runs_alone = true WHERE job_id = $1"
# The row that violates it is not the job's.
FORBID = "ALTER TABLE scheduler.claims ADD CONSTRAINT forbidden CHECK (job_id <> {bad})"
NEVER = "CONSTRAINT never CHECK (false) NOT VALID"
# Longer than what failed twice is left alone.
PAUSE = timedelta(seconds=15)


async def submit(driver: StoreDriver, count: int) -> list[int]:
    return [(await driver.submit("noop", NOOP)).job_id for _ in range(count)]


async def break_jobs(driver: StoreDriver, *job_ids: int) -> None:
    await driver.store.pool.execute(BREAK, job_ids)


async def claimed(driver: StoreDriver, max_jobs: int = 10) -> list[int]:
    return [one.row.job_id for one in await driver.claim_all("noop", max_jobs=max_jobs)]


async def test_a_job_that_cannot_be_claimed_holds_up_no_other_and_is_warned_of(
    driver: StoreDriver,
) -> None:
    jobs = await submit(driver, 5)
    bad = [jobs[0], jobs[3]]
    await break_jobs(driver, *bad)
    with capture_logs() as lines:
        log = structlog.get_logger()
        observer = StoreObserver(Metrics(CollectorRegistry()), log)
        store = Store(
            driver.store.pools,
            lease_seconds=driver.store.lease_seconds,
            sweep_seconds=driver.store.sweep_seconds,
            observer=observer,
        )
        assert await claimed(StoreDriver(store)) == [jobs[1], jobs[2], jobs[4]]
    warned = [line for line in lines if line["log_level"] == "warning"]
    assert sorted((line["event"], line["step"], line["job_id"]) for line in warned) == [
        ("set_aside", "claim", job_id) for job_id in bad
    ]
    assert all("attempts_are_bounded" in line["error"] for line in warned)
    explained = await driver.store.explain_job(TENANT, bad[0])
    assert not isinstance(explained, Refused)
    reasons = explain(explained.facts, JOB_TYPES)
    # No attempt of it has failed: no Claim can take it.
    assert [one.kind for one in reasons if one.blocks] == [JobReasonKind.SET_ASIDE]


async def test_it_is_tried_again_after_a_pause_and_claimed_once_it_is_mended(
    driver: StoreDriver,
) -> None:
    (bad,) = await submit(driver, 1)
    await break_jobs(driver, bad)
    for _ in range(2):
        assert await claimed(driver) == []
        assert await driver.state(bad) == "NOT_STARTED"
        await driver.pass_time(PAUSE)
        await driver.store.promote_due_jobs()
        assert await driver.state(bad) == "QUEUED"
    await driver.store.pool.execute(MEND, [bad])
    assert await claimed(driver) == [bad]


async def test_the_next_job_of_its_key_waits_and_runs_after_it(driver: StoreDriver) -> None:
    first = await driver.submit("csv_ingest", INGEST)
    second = await driver.submit("csv_ingest", INGEST)
    await break_jobs(driver, first.job_id)
    assert await driver.claim_all("csv_ingest") == []
    assert await driver.state(second.job_id) == "NOT_STARTED"
    await driver.store.pool.execute(MEND, [first.job_id])
    await driver.pass_time(PAUSE)
    await driver.store.promote_due_jobs()
    claim = await driver.claim("csv_ingest")
    assert claim.row.job_id == first.job_id
    await driver.finish(claim)
    assert (await driver.claim("csv_ingest")).row.job_id == second.job_id


async def test_a_broken_job_that_runs_alone_is_set_aside_too(driver: StoreDriver) -> None:
    bad, good = await submit(driver, 2)
    await driver.store.pool.execute(ALONE, bad)
    await break_jobs(driver, bad)
    assert await claimed(driver) == [good]
    assert await driver.state(bad) == "NOT_STARTED"


async def test_many_broken_jobs_hold_up_no_other(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken_jobs, "NAMED_JOBS_MAX", 2)
    *bad, good = await submit(driver, 8)
    await driver.store.pool.execute(ALONE, bad[3])
    await break_jobs(driver, *bad)
    assert await claimed(driver) == [good]
    for job_id in bad:
        assert await driver.state(job_id) == "NOT_STARTED"
    assert await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.set_asides") == len(bad)


async def test_a_violation_that_names_no_job_holds_up_no_other(driver: StoreDriver) -> None:
    before, bad, after = await submit(driver, 3)
    await driver.store.pool.execute(FORBID.format(bad=bad))
    assert await claimed(driver) == [before, after]
    assert await driver.state(bad) == "NOT_STARTED"
    await driver.store.pool.execute("ALTER TABLE scheduler.claims DROP CONSTRAINT forbidden")
    await driver.pass_time(PAUSE)
    await driver.store.promote_due_jobs()
    assert await claimed(driver) == [bad]


async def test_a_violation_of_no_single_job_is_an_error_and_changes_nothing(
    driver: StoreDriver,
) -> None:
    jobs = await submit(driver, 2)
    await driver.store.pool.execute("ALTER TABLE scheduler.claim_requests ADD " + NEVER)
    with pytest.raises(asyncpg.CheckViolationError):
        await claimed(driver)
    await driver.store.pool.execute("ALTER TABLE scheduler.claim_requests DROP CONSTRAINT never")
    assert await claimed(driver) == jobs


def test_only_a_row_of_a_job_names_a_job() -> None:
    error = asyncpg.CheckViolationError("said")
    error.table_name, error.detail = "jobs", "Fehlgeschlagene Zeile enthält (7, 3, uni)."
    assert broken_jobs.job_of(error) == 7
    error.table_name = "claims"
    assert broken_jobs.job_of(error) is None
    error.table_name, error.detail = "jobs", None
    assert broken_jobs.job_of(error) is None


@pytest.mark.parametrize(
    ("constraint", "twice"),
    [("claim_requests_pkey", True), ("one_claimable_or_running_job_per_exclusive_key", False)],
)
def test_only_the_record_of_a_request_says_that_it_came_twice(constraint: str, twice: bool) -> None:
    error = asyncpg.UniqueViolationError("said")
    error.constraint_name = constraint
    assert came_twice(error) is twice
