"""Heartbeats of many workers in one statement, and each worker hears of its own claims only."""

import itertools
from uuid import UUID, uuid4

import pytest

from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.requests import (
    Beat,
    BeatAnswer,
    ClaimDirective,
    ProgressReport,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.claim import seen_workers
from scheduler_service.store.claim.heartbeat import heartbeats
from scheduler_service.store.claim.seen_workers import SeenWorkers
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import TENANT, TENANTS, StoreDriver


def beat(claim: Claimed, done: int | None = None) -> Beat:
    progress = None if done is None else ProgressReport(done, 10, "reading", "")
    return Beat(claim.row.job_id, claim.claim_token, progress)


async def together(driver: StoreDriver, *beats: Heartbeat) -> list[list[BeatAnswer]]:
    async with driver.store.pool.acquire() as conn:
        answers, _ = await heartbeats(conn, beats, driver.store.lease_seconds, SeenWorkers())
    return answers


async def progress_of(driver: StoreDriver, claim: Claimed) -> int | None:
    done: int | None = await driver.store.pool.fetchval(
        "SELECT progress_done FROM scheduler.claims WHERE claim_token = $1", claim.claim_token
    )
    return done


async def known(driver: StoreDriver) -> set[UUID]:
    rows = await driver.store.pool.fetch("SELECT worker_id FROM scheduler.workers")
    return {row["worker_id"] for row in rows}


async def last_beat(driver: StoreDriver, principal: str = "local") -> None:
    last = Heartbeat(driver.worker_id, principal, TENANTS, [], draining=True)
    assert await driver.store.heartbeat(last) == []


async def claimed(driver: StoreDriver) -> Claimed:
    await driver.submit("noop", Scope(TENANT))
    return await driver.claim("noop")


async def test_a_stranger_in_the_same_statement_neither_renews_nor_reports(
    driver: StoreDriver,
) -> None:
    other = driver.another()
    mine, theirs = await claimed(driver), await claimed(other)
    answers = await together(
        driver,
        Heartbeat(other.worker_id, "local", TENANTS, [beat(mine, 9), beat(theirs, 2)], False),
        Heartbeat(driver.worker_id, "local", TENANTS, [beat(mine, 1)], False),
        Heartbeat(driver.worker_id, "somebody else", TENANTS, [beat(mine, 8)], False),
    )
    assert [[a.directive for a in one] for one in answers] == [
        [ClaimDirective.LOST, ClaimDirective.CONTINUE],
        [ClaimDirective.CONTINUE],
        [ClaimDirective.LOST],
    ]
    assert (await progress_of(driver, mine), await progress_of(driver, theirs)) == (1, 2)
    for claim in (mine, theirs):
        assert (await (driver if claim is mine else other).finish(claim)).finished


async def test_each_worker_says_for_itself_whether_it_drains(driver: StoreDriver) -> None:
    other = driver.another()
    mine, theirs = await claimed(driver), await claimed(other)
    await together(
        driver,
        Heartbeat(driver.worker_id, "local", TENANTS, [beat(mine)], True),
        Heartbeat(other.worker_id, "local", TENANTS, [], False),
    )
    rows = await driver.store.pool.fetch("SELECT worker_id, draining FROM scheduler.workers")
    draining = {row["worker_id"]: row["draining"] for row in rows}
    assert (draining[driver.worker_id], draining[other.worker_id]) == (True, False)
    assert (await driver.finish(mine)).finished
    assert (await other.finish(theirs)).finished


async def test_a_worker_that_has_ended_is_forgotten_and_no_other(driver: StoreDriver) -> None:
    drains, lives, ended = driver.another(), driver.another(), driver.another()
    await claimed(driver)
    held = await claimed(drains)
    for worker in (lives, ended):
        assert await worker.claim_all("noop") == []
    await together(
        driver,
        Heartbeat(lives.worker_id, "local", TENANTS, [], False),
        Heartbeat(ended.worker_id, "local", TENANTS, [], True),
        Heartbeat(drains.worker_id, "local", TENANTS, [beat(held)], True),
    )
    assert await known(driver) == {driver.worker_id, drains.worker_id, lives.worker_id}


async def test_a_worker_that_ends_is_kept_while_it_holds_a_claim(driver: StoreDriver) -> None:
    other = driver.another()
    held = await claimed(driver)
    assert await other.claim_all("noop") == []
    await together(
        driver,
        Heartbeat(driver.worker_id, "local", TENANTS, [], True),
        Heartbeat(other.worker_id, "local", TENANTS, [], True),
    )
    rows = await driver.store.pool.fetch("SELECT worker_id, draining FROM scheduler.workers")
    assert [tuple(row) for row in rows] == [(driver.worker_id, True)]
    assert await driver.release(held)
    await last_beat(driver)
    assert await known(driver) == set()


async def test_nobody_ends_in_the_name_of_another_principal(driver: StoreDriver) -> None:
    assert await driver.claim_all("noop") == []
    await last_beat(driver, principal="somebody else")
    assert await known(driver) == {driver.worker_id}


async def test_beats_and_polls_on_their_way_bring_back_no_worker_that_has_ended(
    driver: StoreDriver,
) -> None:
    held = await claimed(driver)
    assert (await driver.finish(held)).finished
    # A scheduler that has not heard of it lately: to the one before, a poll would be no news.
    store = Store(driver.store.pools, lease_seconds=driver.store.lease_seconds, sweep_seconds=0.5)
    asked = StoreDriver(store, driver.worker_id)
    await last_beat(asked)
    assert await asked.claim_all("noop") == []
    assert (await asked.beat(held)).directive is ClaimDirective.LOST
    await store.heartbeat(Heartbeat(driver.worker_id, "local", TENANTS, [], False))
    assert await known(driver) == set()


async def test_a_worker_that_comes_back_is_seen_with_its_first_job(driver: StoreDriver) -> None:
    assert await driver.claim_all("noop") == []
    await last_beat(driver)
    held = await claimed(driver)
    assert await known(driver) == {driver.worker_id}
    assert (await driver.finish(held)).finished


async def test_a_worker_that_comes_back_is_seen_after_a_moment_without_a_job(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await driver.claim_all("noop") == []
    await last_beat(driver)
    monkeypatch.setattr(seen_workers, "SEE_WORKER_EVERY_SECONDS", 0.0)
    assert await driver.claim_all("noop") == []
    assert await known(driver) == {driver.worker_id}


async def test_only_a_last_beat_costs_a_statement_more(driver: StoreDriver) -> None:
    other = driver.another()
    held = await claimed(driver)
    asked: list[str] = []

    async def statements(*beats: Heartbeat) -> int:
        asked.clear()
        async with driver.store.pool.acquire() as conn:
            with conn.query_logger(lambda query: asked.append(query.query)):
                await heartbeats(conn, beats, driver.store.lease_seconds, SeenWorkers())
        # The driver asks for the types of parameters, too, at their first use.
        return len([query for query in asked if "scheduler." in query])

    working = Heartbeat(driver.worker_id, "local", TENANTS, [beat(held)], False)
    draining = Heartbeat(driver.worker_id, "local", TENANTS, [beat(held)], True)
    last = Heartbeat(other.worker_id, "local", TENANTS, [], True)
    assert [await statements(one) for one in (working, draining)] == [2, 2]
    assert await statements(working, last) == 3


def test_a_short_lease_makes_no_idle_worker_look_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    worker_id, lease_seconds = uuid4(), 2.0
    seen = SeenWorkers(lease_seconds)
    written_at = []
    for _ in range(40):
        if seen.is_news(worker_id):
            written_at.append(now[0])
        now[0] += 0.1
    pauses = [later - before for before, later in itertools.pairwise(written_at)]
    assert pauses
    assert max(pauses) <= lease_seconds / 2
