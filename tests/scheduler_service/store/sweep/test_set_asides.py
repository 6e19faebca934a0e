"""What a sweep fails at delays only itself; all else is taken back, promoted and settled."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from scheduler_service.jobs.requests import ReleaseReason
from scheduler_service.jobs.scope import Scope
from scheduler_service.metrics import Metrics
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.store import Store
from scheduler_service.store.sweep import set_asides, sweep
from scheduler_service.store_observer import StoreObserver
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

NOOP = Scope(TENANT)
# Longer than what failed in two sweeps is left alone, and no outage yet.
PAUSE = timedelta(seconds=15)
# Refuses to let go of a job, or to end its drain, or takes for ever.
TRAP = """
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.job_id = ANY({job_ids}) THEN {what} END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER traps BEFORE UPDATE ON scheduler.jobs FOR EACH ROW
    WHEN (NEW.state = 'NOT_STARTED' OR OLD.state IN ('NOT_STARTED', 'FINISHED'))
    EXECUTE FUNCTION trap();
"""
VIOLATED = "RAISE EXCEPTION 'attempts_are_bounded' USING ERRCODE = 'check_violation';"
ENDLESS = "PERFORM pg_sleep(60);"
CRASHED = "PERFORM pg_terminate_backend(pg_backend_pid());"


async def claimed(driver: StoreDriver, jobs: int) -> list[Claimed]:
    for _ in range(jobs):
        await driver.submit("noop", NOOP)
    return await driver.claim_all("noop", max_jobs=jobs)


async def leases_run_out(driver: StoreDriver) -> None:
    """And no sweep takes anything back yet."""
    for _ in range(3):
        assert await driver.store.expire_claims() == 0
        await driver.pass_time(timedelta(seconds=driver.store.lease_seconds / 3))


def numbers(claims: Sequence[Claimed]) -> list[int]:
    return [claim.row.job_id for claim in claims]


async def trap(driver: StoreDriver, claims: Sequence[Claimed], what: str) -> None:
    job_ids = f"CAST('{{{','.join(map(str, numbers(claims)))}}}' AS bigint[])"
    await driver.store.pool.execute(TRAP.format(job_ids=job_ids, what=what))


async def release_trap(driver: StoreDriver) -> None:
    await driver.store.pool.execute("DROP FUNCTION trap CASCADE")


async def still_running(driver: StoreDriver) -> list[int]:
    rows = await driver.store.pool.fetch(
        "SELECT job_id FROM scheduler.jobs WHERE state = 'RUNNING' ORDER BY job_id"
    )
    return [row["job_id"] for row in rows]


async def set_aside(driver: StoreDriver) -> list[tuple[Any, ...]]:
    """Step and job of whatever is set aside."""
    rows = await driver.store.pool.fetch(
        "SELECT step, job_id FROM scheduler.set_asides ORDER BY job_id"
    )
    return [tuple(row) for row in rows]


async def test_a_job_of_an_unknown_type_holds_up_no_other(driver: StoreDriver) -> None:
    first, *others = await claimed(driver, 5)
    rename = "UPDATE scheduler.jobs SET job_type = $2 WHERE job_id = $1"
    await driver.store.pool.execute(rename, first.row.job_id, "of_a_newer_release")
    assert await driver.let_leases_expire() == len(others)
    assert await still_running(driver) == numbers([first])
    assert await set_aside(driver) == [("expire", first.row.job_id)]
    # The release that knows it takes it back, once the pause is over.
    await driver.store.pool.execute(rename, first.row.job_id, "noop")
    await driver.pass_time(PAUSE)
    assert await driver.store.expire_claims() == 1


@pytest.mark.parametrize(
    "what", [VIOLATED, ENDLESS, CRASHED], ids=["violated check", "timeout", "session lost"]
)
async def test_a_claim_that_cannot_be_taken_back_holds_up_no_other(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(set_asides, "SHARED_STATEMENT_SECONDS", 0.3)
    monkeypatch.setattr(set_asides, "STATEMENT_TIMEOUT_SECONDS", 0.3)
    claims = await claimed(driver, 9)
    bad = [claims[0], claims[4]]
    await trap(driver, bad, what)
    assert await driver.let_leases_expire() == len(claims) - len(bad)
    assert await still_running(driver) == numbers(bad)
    assert await set_aside(driver) == [("expire", job_id) for job_id in numbers(bad)]
    await release_trap(driver)
    await driver.pass_time(PAUSE)
    assert await driver.store.expire_claims() == len(bad)


async def test_what_is_set_aside_does_not_come_first_in_the_next_sweep(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_MAX", 2)
    claims = await claimed(driver, 4)
    await trap(driver, claims, VIOLATED)
    assert await driver.let_leases_expire() == 0
    assert len(await set_aside(driver)) == len(claims)
    await claimed(driver, 2)
    assert await driver.let_leases_expire() == 2
    assert await still_running(driver) == numbers(claims)
    await release_trap(driver)


async def test_each_failure_doubles_the_pause(driver: StoreDriver) -> None:
    claims = await claimed(driver, 1)
    await trap(driver, claims, VIOLATED)
    await driver.let_leases_run_out()
    await driver.store.pool.execute("DELETE FROM scheduler.set_asides")
    paused = "SELECT until - scheduler.clock() FROM scheduler.set_asides"
    for pause in (5, 10, 20, 40, 80, 160, 300, 300):
        for _ in range(2):
            # The second time it is left alone.
            await driver.store.expire_claims()
        seconds = (await driver.store.pool.fetchval(paused)).total_seconds()
        assert seconds == pytest.approx(pause, abs=1)
        await driver.pass_time(timedelta(seconds=pause + 1))
        # The sweep runs all the while: no outage.
        await driver.store.pool.execute(
            "UPDATE scheduler.sweep_runs SET last_run_at = scheduler.clock()"
        )
    await release_trap(driver)
    await driver.pass_time(timedelta(hours=2))
    await driver.store.forget_old()
    assert await set_aside(driver) == []


async def test_a_locked_pipeline_is_left_to_the_next_sweep(
    driver: StoreDriver, database_url: str
) -> None:
    claims = await claimed(driver, 12)
    locked = [claims[3], claims[7]]
    await leases_run_out(driver)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(
            "SELECT FROM scheduler.pipelines WHERE pipeline_id = ANY($1) FOR UPDATE",
            [claim.row.pipeline_id for claim in locked],
        )
        assert await driver.store.expire_claims() == len(claims) - len(locked)
    await other.close()
    assert await still_running(driver) == numbers(locked)
    assert await set_aside(driver) == []
    assert await driver.store.expire_claims() == len(locked)


@pytest.mark.parametrize("drains", [False, True], ids=["held", "draining"])
async def test_a_locked_claim_leaves_its_neighbours_to_the_next_sweep(
    driver: StoreDriver, database_url: str, drains: bool
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    await driver.claim("csv_ingest")
    if drains:
        await driver.cancel(submitted.pipeline_id)
    *_, locked = await claimed(driver, 2)
    strangers = await claimed(driver.another(), 2)
    await leases_run_out(driver)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute(
            "SELECT FROM scheduler.claims WHERE claim_token = $1 FOR UPDATE", locked.claim_token
        )
        assert await driver.store.expire_claims() == len(strangers)
        # Nothing has expired beside them yet.
        marks = "SELECT bool_or(had_company) FROM scheduler.claims"
        assert not await driver.store.pool.fetchval(marks)
    await other.close()
    assert await set_aside(driver) == []
    assert await driver.store.expire_claims() == 3


async def test_a_sweep_goes_on_until_nothing_is_due(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH_MAX", 3)
    claims = await claimed(driver, 20)
    expired = await driver.let_leases_run_out() + await driver.store.expire_claims()
    assert expired == len(claims)
    await driver.pass_time(timedelta(seconds=2))
    assert await driver.store.promote_due_jobs() == len(claims)
    assert {row["state"] for row in await driver.jobs_of("noop")} == {"QUEUED"}


async def test_a_job_that_cannot_be_promoted_holds_up_no_other(driver: StoreDriver) -> None:
    claims = await claimed(driver, 6)
    for claim in claims:
        await driver.release(claim, ReleaseReason.RETRY_LATER, delay_seconds=1)
    await trap(driver, claims[:1], VIOLATED)
    await driver.pass_time(timedelta(seconds=2))
    assert await driver.store.promote_due_jobs() == len(claims) - 1
    assert await set_aside(driver) == [("promote", claims[0].row.job_id)]
    assert len(await driver.claim_all("noop")) == len(claims) - 1
    await release_trap(driver)


async def test_a_drain_that_cannot_be_ended_holds_up_no_other(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    others = await claimed(driver, 3)
    await driver.cancel(submitted.pipeline_id)
    await trap(driver, [ingest], VIOLATED)
    assert await driver.let_leases_expire() == len(others)
    assert await set_aside(driver) == [("expire", ingest.row.job_id)]
    await release_trap(driver)
    await driver.pass_time(PAUSE)
    assert await driver.store.expire_claims() == 1


async def test_what_is_set_aside_is_logged_and_counted(store: Store) -> None:
    metrics = Metrics(CollectorRegistry())
    seen = Store(
        store.pools,
        lease_seconds=store.lease_seconds,
        sweep_seconds=store.sweep_seconds,
        observer=StoreObserver(metrics, structlog.get_logger()),
    )
    driver = StoreDriver(seen)
    (claim,) = await claimed(driver, 1)
    await trap(driver, [claim], VIOLATED)
    with capture_logs() as lines:
        await driver.let_leases_expire()
    line, *more = [line for line in lines if line["event"] == "set_aside"]
    assert line["step"] == "expire"
    assert line["job_id"] == claim.row.job_id
    assert "attempts_are_bounded" in line["error"]
    count_of = metrics.registry.get_sample_value
    assert count_of("carbonline_scheduler_set_asides_total", {"step": "expire"}) == 1 + len(more)
    await release_trap(driver)
    await seen.notifier.close()
