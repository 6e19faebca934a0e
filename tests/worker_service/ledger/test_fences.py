"""Who may still write a scope: decided by its fence, in the transaction that writes."""

import asyncio

import pytest

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.ledger.ledger_driver import ENTRIES, SLICE, TENANT, LedgerDriver
from worker_service.ledger.errors import FenceRefused, InputMoved
from worker_service.ledger.fences import close_ledger_scopes, read_tokens
from worker_service.ledger.pool import Connection, open_ledger


async def test_an_older_claim_is_refused_after_a_newer_one(driver: LedgerDriver) -> None:
    async with driver.publication(20):
        pass
    with pytest.raises(FenceRefused, match="a newer claim has written entries/2/2024"):
        async with driver.publication(10):
            pytest.fail("its body never runs")
    assert await driver.fence() == (20, 0)


async def test_an_older_claim_is_refused_if_any_of_its_scopes_is_newer(
    driver: LedgerDriver,
) -> None:
    async with driver.publication(20, "b"):
        pass
    with pytest.raises(FenceRefused, match="written b"):
        async with driver.publication(10, "a", "b"):
            pytest.fail("its body never runs")
    assert await driver.rows("SELECT scope FROM carbon.write_fences") == [("b",)]


async def test_the_same_claim_may_write_twice(driver: LedgerDriver) -> None:
    for _ in range(2):
        async with driver.publication(20):
            pass
    assert await driver.fence() == (20, 0)


async def test_a_closed_claim_is_refused_and_the_next_one_is_not(driver: LedgerDriver) -> None:
    await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 10})
    with pytest.raises(FenceRefused, match="was closed to this claim"):
        async with driver.publication(10):
            pytest.fail("its body never runs")
    async with driver.publication(11):
        pass
    assert await driver.fence() == (11, 10)


async def test_closing_again_with_an_older_token_opens_nothing(driver: LedgerDriver) -> None:
    await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 20})
    await close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 10, "units": 10})
    with pytest.raises(FenceRefused, match="was closed"):
        async with driver.publication(15):
            pytest.fail("its body never runs")
    assert await driver.fence("units") == (0, 10)


async def test_another_tenant_has_its_own_fences(driver: LedgerDriver) -> None:
    await close_ledger_scopes(driver.ledger, "another", {ENTRIES: 20})
    async with driver.publication(10):
        pass
    assert await driver.rows("SELECT newest_token FROM carbon.write_fences ORDER BY 1") == [
        (0,),
        (10,),
    ]


async def test_a_claim_whose_time_ran_out_while_it_waited_for_the_lock_is_refused(
    driver: LedgerDriver,
) -> None:
    async def late() -> None:
        async with driver.publication(20, seconds_left=lambda: 30.0):
            pytest.fail("its body never runs")

    async with driver.publication(10):
        waiting = asyncio.create_task(late())
        await driver.somebody_waits()
        await driver.advance_clock(60)
    with pytest.raises(FenceRefused, match="the claim's lease was over"):
        await waiting
    assert await driver.fence() == (10, 0)


async def test_a_claim_without_time_is_refused_at_once(driver: LedgerDriver) -> None:
    with pytest.raises(FenceRefused, match="lease was over"):
        async with driver.publication(10, seconds_left=lambda: 0.0):
            pytest.fail("its body never runs")


async def test_who_builds_on_what_has_moved_is_told_so(driver: LedgerDriver) -> None:
    async with driver.ledger.snapshot() as snapshot:
        read = await read_tokens(snapshot, TENANT, [SLICE.ledger_scope])
    assert read == {SLICE.ledger_scope: 0}
    async with driver.publication(10, SLICE.ledger_scope):
        pass
    with pytest.raises(InputMoved, match="was written since it was read"):
        async with driver.publication(20, SLICE.ledger_scope, tokens_read=read):
            pytest.fail("its body never runs")
    async with driver.publication(20, SLICE.ledger_scope, tokens_read={SLICE.ledger_scope: 10}):
        pass
    assert await driver.fence(SLICE.ledger_scope) == (20, 0)


async def test_what_a_body_wrote_goes_when_it_fails(driver: LedgerDriver) -> None:
    async def fails(conn: Connection) -> None:
        await conn.execute("INSERT INTO carbon.units VALUES ($1, 'a', 'a', 'A', 10)", TENANT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await driver.publish(10, "units", fails)
    assert await driver.rows("SELECT FROM carbon.units") == []
    assert await driver.rows("SELECT FROM carbon.write_fences") == []


async def test_fences_are_locked_in_one_order_whatever_order_is_wanted(
    driver: LedgerDriver,
) -> None:
    # Made in the other order, so that only sorting can bring them into this one.
    for scope in ("b", "a"):
        async with driver.publication(1, scope):
            pass

    async def both() -> None:
        async with driver.publication(20, "b", "a"):
            pass

    async with driver.publication(10, "a"):
        waiting = asyncio.create_task(both())
        await driver.somebody_waits()
        # It waits for a, so it must not hold b: another one with b could be waiting for a too.
        assert await driver.rows(
            "SELECT scope FROM carbon.write_fences WHERE scope = 'b' FOR UPDATE NOWAIT"
        ) == [("b",)]
    await waiting


async def test_publications_over_each_other_wait_and_never_in_a_circle(
    driver: LedgerDriver,
) -> None:
    scopes = ("a", "b", "c", "d")

    async def publish(token: int) -> bool:
        wanted = [scopes[(token + step * (1 + token % 3)) % 4] for step in range(3)]
        try:
            async with driver.publication(token, *dict.fromkeys(wanted)):
                return True
        except FenceRefused:
            return False

    outcomes = await asyncio.gather(*[publish(token) for token in range(1, 41)])
    assert outcomes[-1], "nobody is newer than the newest"


async def test_a_closing_waits_for_an_open_publication_and_shuts_out_the_next(
    driver: LedgerDriver,
) -> None:
    async with driver.publication(10):
        closing = asyncio.create_task(close_ledger_scopes(driver.ledger, TENANT, {ENTRIES: 10}))
        await driver.somebody_waits()
        assert not closing.done()
    await closing
    # What was open has landed, where the closing reader sees it; nothing lands after.
    assert await driver.fence() == (10, 10)
    with pytest.raises(FenceRefused, match="was closed"):
        async with driver.publication(10):
            pytest.fail("its body never runs")


async def test_whoever_waits_too_long_for_a_fence_may_try_again(
    driver: LedgerDriver, database_url: str
) -> None:
    # The lock's timeout is half a lease.
    hasty = LedgerDriver(
        await open_ledger(database_url, application_name="hasty", lease_seconds=0.5)
    )
    try:
        async with driver.publication(10):
            with pytest.raises(DatabaseUnavailable, match="LockNotAvailable"):
                async with hasty.publication(20):
                    pytest.fail("its body never runs")
        async with hasty.publication(20):
            pass
    finally:
        await hasty.ledger.close()


async def test_a_publication_waits_for_the_disk_and_what_it_publishes_does_not(
    driver: LedgerDriver,
) -> None:
    # Servers of tests wait for no disk at all, so who decides it is what is looked at.
    decided = "SELECT source FROM pg_settings WHERE name = 'synchronous_commit'"
    async with driver.ledger.loading() as conn:
        assert await conn.fetchval("SHOW synchronous_commit") == "off"
        assert await conn.fetchval(decided) == "session"
    async with driver.publication(10, ENTRIES) as conn:
        assert await conn.fetchval(decided) != "session"
    async with driver.ledger.transaction() as conn:
        assert await conn.fetchval(decided) != "session"
