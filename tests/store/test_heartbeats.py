"""Heartbeats of many workers in one statement, and each worker hears of its own claims only."""

from uuid import UUID

import pytest

from scheduler_service.jobs.requests import (
    Beat,
    BeatAnswer,
    ClaimDirective,
    Claimed,
    ProgressReport,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.store import seen_workers
from scheduler_service.store.heartbeat import Pulse, heartbeats
from scheduler_service.store.seen_workers import SeenWorkers
from scheduler_service.store.store import Store
from tests.store.desk import TENANT, Desk


def beat(claim: Claimed, done: int | None = None) -> Beat:
    progress = None if done is None else ProgressReport(done, 10, "reading", "")
    return Beat(claim.row["job_id"], claim.claim_token, progress)


async def together(desk: Desk, *pulses: Pulse) -> list[list[BeatAnswer]]:
    async with desk.store.pool.acquire() as conn:
        answers, _ = await heartbeats(conn, pulses, desk.store.lease_seconds, SeenWorkers())
    return answers


async def progress_of(desk: Desk, claim: Claimed) -> int | None:
    done: int | None = await desk.store.pool.fetchval(
        "SELECT progress_done FROM scheduler.claims WHERE claim_token = $1", claim.claim_token
    )
    return done


async def known(desk: Desk) -> set[UUID]:
    rows = await desk.store.pool.fetch("SELECT worker_id FROM scheduler.workers")
    return {row["worker_id"] for row in rows}


async def last_beat(desk: Desk, principal: str = "local") -> None:
    assert await desk.store.heartbeat(desk.worker_id, principal, [], draining=True) == []


async def claimed(desk: Desk) -> Claimed:
    await desk.submit("noop", Scope(TENANT))
    return await desk.claim("noop")


async def test_a_stranger_in_the_same_statement_neither_renews_nor_reports(desk: Desk) -> None:
    other = desk.another()
    mine, theirs = await claimed(desk), await claimed(other)
    answers = await together(
        desk,
        Pulse(other.worker_id, "local", [beat(mine, 9), beat(theirs, 2)], False),
        Pulse(desk.worker_id, "local", [beat(mine, 1)], False),
        Pulse(desk.worker_id, "somebody else", [beat(mine, 8)], False),
    )
    assert [[a.directive for a in one] for one in answers] == [
        [ClaimDirective.LOST, ClaimDirective.CONTINUE],
        [ClaimDirective.CONTINUE],
        [ClaimDirective.LOST],
    ]
    assert (await progress_of(desk, mine), await progress_of(desk, theirs)) == (1, 2)
    for claim in (mine, theirs):
        assert (await (desk if claim is mine else other).finish(claim)).finished


async def test_each_worker_says_for_itself_whether_it_drains(desk: Desk) -> None:
    other = desk.another()
    mine, theirs = await claimed(desk), await claimed(other)
    await together(
        desk,
        Pulse(desk.worker_id, "local", [beat(mine)], True),
        Pulse(other.worker_id, "local", [], False),
    )
    rows = await desk.store.pool.fetch("SELECT worker_id, draining FROM scheduler.workers")
    draining = {row["worker_id"]: row["draining"] for row in rows}
    assert (draining[desk.worker_id], draining[other.worker_id]) == (True, False)
    assert (await desk.finish(mine)).finished
    assert (await other.finish(theirs)).finished


async def test_a_worker_that_has_ended_is_forgotten_and_no_other(desk: Desk) -> None:
    drains, lives, ended = desk.another(), desk.another(), desk.another()
    await claimed(desk)
    held = await claimed(drains)
    for worker in (lives, ended):
        assert await worker.claim_all("noop") == []
    await together(
        desk,
        Pulse(lives.worker_id, "local", [], False),
        Pulse(ended.worker_id, "local", [], True),
        Pulse(drains.worker_id, "local", [beat(held)], True),
    )
    assert await known(desk) == {desk.worker_id, drains.worker_id, lives.worker_id}


async def test_a_worker_that_ends_is_kept_while_it_holds_a_claim(desk: Desk) -> None:
    other = desk.another()
    held = await claimed(desk)
    assert await other.claim_all("noop") == []
    await together(
        desk,
        Pulse(desk.worker_id, "local", [], True),
        Pulse(other.worker_id, "local", [], True),
    )
    rows = await desk.store.pool.fetch("SELECT worker_id, draining FROM scheduler.workers")
    assert [tuple(row) for row in rows] == [(desk.worker_id, True)]
    assert await desk.release(held)
    await last_beat(desk)
    assert await known(desk) == set()


async def test_nobody_ends_in_the_name_of_another_principal(desk: Desk) -> None:
    assert await desk.claim_all("noop") == []
    await last_beat(desk, principal="somebody else")
    assert await known(desk) == {desk.worker_id}


async def test_beats_and_polls_on_their_way_bring_back_no_worker_that_has_ended(
    desk: Desk,
) -> None:
    held = await claimed(desk)
    assert (await desk.finish(held)).finished
    # A scheduler that has not heard of it lately: to the one before, a poll would be no news.
    store = Store(desk.store.pool, lease_seconds=desk.store.lease_seconds, sweep_seconds=0.5)
    asked = Desk(store, desk.worker_id)
    await last_beat(asked)
    assert await asked.claim_all("noop") == []
    assert (await asked.beat(held)).directive is ClaimDirective.LOST
    await store.heartbeat(desk.worker_id, "local", [], draining=False)
    assert await known(desk) == set()


async def test_a_worker_that_comes_back_is_seen_with_its_first_job(desk: Desk) -> None:
    assert await desk.claim_all("noop") == []
    await last_beat(desk)
    held = await claimed(desk)
    assert await known(desk) == {desk.worker_id}
    assert (await desk.finish(held)).finished


async def test_a_worker_that_comes_back_is_seen_after_a_moment_without_a_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await desk.claim_all("noop") == []
    await last_beat(desk)
    monkeypatch.setattr(seen_workers, "SEE_WORKER_EVERY_SECONDS", 0.0)
    assert await desk.claim_all("noop") == []
    assert await known(desk) == {desk.worker_id}


async def test_only_a_last_beat_costs_a_statement_more(desk: Desk) -> None:
    other = desk.another()
    held = await claimed(desk)
    asked: list[str] = []

    async def statements(*pulses: Pulse) -> int:
        asked.clear()
        async with desk.store.pool.acquire() as conn:
            with conn.query_logger(lambda query: asked.append(query.query)):
                await heartbeats(conn, pulses, desk.store.lease_seconds, SeenWorkers())
        # The driver asks for the types of parameters, too, at their first use.
        return len([query for query in asked if "scheduler." in query])

    working = Pulse(desk.worker_id, "local", [beat(held)], False)
    draining = Pulse(desk.worker_id, "local", [beat(held)], True)
    last = Pulse(other.worker_id, "local", [], True)
    assert [await statements(one) for one in (working, draining)] == [2, 2]
    assert await statements(working, last) == 3
