"""Heartbeats of many workers in one statement, and each worker hears of its own claims only."""

from scheduler_service.jobs.requests import (
    Beat,
    BeatAnswer,
    ClaimDirective,
    Claimed,
    ProgressReport,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.heartbeat import Pulse, heartbeats
from tests.store.desk import TENANT, Desk


def beat(claim: Claimed, done: int | None = None) -> Beat:
    progress = None if done is None else ProgressReport(done, 10, "reading", "")
    return Beat(claim.row["job_id"], claim.claim_token, progress)


async def together(desk: Desk, *pulses: Pulse) -> list[list[BeatAnswer]]:
    async with desk.store.pool.acquire() as conn:
        answers, _ = await heartbeats(conn, pulses, desk.store.lease_seconds)
    return answers


async def progress_of(desk: Desk, claim: Claimed) -> int | None:
    done: int | None = await desk.store.pool.fetchval(
        "SELECT progress_done FROM scheduler.claims WHERE claim_token = $1", claim.claim_token
    )
    return done


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
