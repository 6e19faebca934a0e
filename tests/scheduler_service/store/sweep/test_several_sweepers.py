"""Several schedulers sweep one database: an outage of all gives one lease more, once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from scheduler_service.jobs.requests import ClaimDirective
from scheduler_service.store.core.rows import ClaimTokenRow
from scheduler_service.store.core.statements import statement
from scheduler_service.store.store import Store
from scheduler_service.store.sweep.set_asides import SetAsides
from scheduler_service.store.sweep.sweep import ExpireClaims
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.schedule.schedule_driver import wanted
from tests.scheduler_service.store.store_driver import INGEST, StoreDriver, a_statement_waits

LEASE = timedelta(seconds=LEASE_SECONDS)
# Half a lease without a sweep is an outage.
OUTAGE = timedelta(seconds=LEASE_SECONDS / 2 + 1)
SHORT = timedelta(seconds=5)


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Store]:
    """The store of a second scheduler."""
    opened = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        yield opened
    finally:
        await opened.close()


async def lease_until(driver: StoreDriver) -> datetime:
    """When the only lease ends."""
    found = await driver.store.pool.fetchval("SELECT lease_until FROM scheduler.claims")
    assert isinstance(found, datetime)
    return found


async def test_a_rolling_restart_extends_no_lease(driver: StoreDriver, other: Store) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    await driver.claim("csv_ingest")
    until = await lease_until(driver)
    # First the one does not run, then the other: longer than half a lease in all.
    for sweeper in [other] * 4 + [driver.store] * 4:
        await driver.pass_time(SHORT)
        assert await sweeper.expire_claims() == 0
        assert await lease_until(driver) == until
    await driver.pass_time(SHORT + SHORT)
    assert await other.expire_claims() == 1


async def test_an_outage_of_all_extends_each_lease_once(driver: StoreDriver, other: Store) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    claim = await driver.claim("csv_ingest")
    await driver.pass_time(timedelta(minutes=10))
    expired = await asyncio.gather(driver.store.expire_claims(), other.expire_claims())
    assert list(expired) == [0, 0]
    assert (await driver.beat(claim)).directive is ClaimDirective.CONTINUE
    until = await lease_until(driver)
    # Whoever comes back later, too, finds that somebody has swept since.
    for sweeper in [driver.store] * 4 + [other] * 4:
        await driver.pass_time(SHORT)
        assert await sweeper.expire_claims() == 0
        assert await lease_until(driver) == until
    await driver.pass_time(SHORT + SHORT)
    expired = await asyncio.gather(driver.store.expire_claims(), other.expire_claims())
    assert sorted(expired) == [0, 1]


async def test_who_waits_for_the_one_that_extends_leases_extends_none(
    driver: StoreDriver, other: Store
) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    await driver.claim("csv_ingest")
    await driver.pass_time(OUTAGE)
    async with driver.store.pool.acquire() as first, other.pool.acquire() as second:
        async with first.transaction():
            assert len(await extended_by(first)) == 1
            waiting = asyncio.create_task(extended_by(second))
            await a_statement_waits(driver)
            await statement("record_sweep").run(first)
        assert await waiting == []


async def extended_by(conn: Any) -> Sequence[ClaimTokenRow]:
    """The claims whose leases this connection extends now."""
    return await statement("grant_after_outage").rows(
        conn,
        ClaimTokenRow,
        outage_seconds=LEASE_SECONDS / 2,
        own_sweep_at=None,
        lease_seconds=LEASE_SECONDS,
    )


# The file system has room for the records of sweeps, now and then, and for no beat. Or for those
# always, and for nothing else.
IS_FULL = """
CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER is_full BEFORE INSERT OR UPDATE ON scheduler.{table}
FOR EACH ROW EXECUTE FUNCTION is_full();
"""


@pytest.mark.parametrize("table", ["sweep_runs", "job_events"])
async def test_who_could_not_beat_on_a_full_disk_has_one_lease_more(
    driver: StoreDriver, table: str
) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    claim = await driver.claim("csv_ingest")
    for _ in range(8):
        await driver.pass_time(SHORT)
        await driver.store.expire_claims()
    # The last sweep was a moment ago.
    await driver.store.pool.execute(IS_FULL.format(table=table))
    await driver.pass_time(SHORT)
    with pytest.raises(asyncpg.DiskFullError):
        await driver.store.expire_claims()
    await driver.store.pool.execute("DROP FUNCTION is_full CASCADE")
    await driver.pass_time(SHORT)
    assert await driver.store.expire_claims() == 0
    assert (await driver.beat(claim)).directive is ClaimDirective.CONTINUE
    # Once, and not again.
    until = await lease_until(driver)
    await driver.pass_time(SHORT)
    assert await driver.store.expire_claims() == 0
    assert await lease_until(driver) == until


async def test_who_found_the_disk_full_extends_leases_though_another_has_swept(
    driver: StoreDriver, other: Store
) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    await driver.claim("csv_ingest")
    until = await lease_until(driver)
    await driver.pass_time(SHORT)
    await driver.store.pool.execute(IS_FULL.format(table="sweep_runs"))
    with pytest.raises(asyncpg.DiskFullError):
        await driver.store.expire_claims()
    await driver.store.pool.execute("DROP FUNCTION is_full CASCADE")
    # The room for its record may have been the only one that there was.
    await other.expire_claims()
    await driver.store.expire_claims()
    assert await lease_until(driver) > until


@pytest.mark.parametrize("other_sweeps", [True, False])
async def test_who_lost_the_database_extends_no_lease_if_another_has_swept(
    driver: StoreDriver, other: Store, monkeypatch: pytest.MonkeyPatch, other_sweeps: bool
) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.store.expire_claims()
    await driver.claim("csv_ingest")
    until = await lease_until(driver)
    # From one sweep to the next the way to the database is cut and whole again.
    for _ in range(3):
        with monkeypatch.context() as cut:
            cut.setattr(ExpireClaims, "_grant_after_outage", no_way)
            with pytest.raises(ConnectionRefusedError):
                await driver.store.expire_claims()
        await driver.pass_time(SHORT)
        if other_sweeps:
            assert await other.expire_claims() == 0
        assert await driver.store.expire_claims() == 0
        assert (await lease_until(driver) == until) is other_sweeps


def no_way(_: ExpireClaims) -> None:
    """As if nobody listened at the database's address."""
    raise ConnectionRefusedError("cut")


async def test_a_sweep_that_is_long_at_work_extends_no_lease(
    driver: StoreDriver, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await driver.submit("noop", INGEST)
    await driver.store.expire_claims()
    (lost,) = await driver.claim_all("noop", max_jobs=1)
    for _ in range(2):
        await driver.pass_time((LEASE - SHORT) / 2)
        await driver.store.expire_claims()
    await driver.claim_all("noop", max_jobs=1)
    await driver.pass_time(SHORT)
    takes_long(monkeypatch, driver, OUTAGE - SHORT)
    assert await driver.store.expire_claims() == 1
    until = await lease_until(driver)
    await driver.pass_time(SHORT)
    assert await other.expire_claims() == 0
    assert await lease_until(driver) == until
    assert (await driver.beat(lost)).directive is ClaimDirective.LOST


@pytest.mark.parametrize("fails", [False, True])
async def test_ticks_that_take_long_to_submit_extend_no_lease(
    driver: StoreDriver, other: Store, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    await driver.store.create_schedule(wanted(cron="* * * * *", runs_late=True))
    await driver.pass_time(timedelta(minutes=2))
    await driver.submit("noop", INGEST)
    await driver.store.expire_claims()
    await driver.claim("noop")
    until = await lease_until(driver)
    takes_long(monkeypatch, driver, OUTAGE, fails=fails)
    ticked = await driver.store.submit_due_ticks()
    assert len(ticked) == (0 if fails else 1)
    assert await other.expire_claims() == 0
    assert await lease_until(driver) == until


def takes_long(
    monkeypatch: pytest.MonkeyPatch,
    driver: StoreDriver,
    duration: timedelta,
    *,
    fails: bool = False,
) -> None:
    """From now on each transaction of a sweep does."""
    together = SetAsides._together

    async def slowly(*args: Any) -> Any:
        await driver.pass_time(duration)
        if fails:
            raise ValueError("a row that cannot be done")
        return await together(*args)

    monkeypatch.setattr(SetAsides, "_together", slowly)
