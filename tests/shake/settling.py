"""Waits until nothing is live, and explains what is left."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import asyncpg

# A job that has to wait for its turn, its pause and its lease still moves within this.
STANDS_STILL_SECONDS_MAX, SETTLES_SECONDS_MAX = 60, 900
TOLD_SECONDS = 20
EXPLAINED_MAX = 20
LIVE = "SELECT count(*) FROM scheduler.pipelines WHERE status = 'LIVE'"
# Ends, claims and progress.
MOVES = """
    SELECT count(*) FILTER (WHERE state = 'FINISHED') AS finished, max(last_token) AS claimed,
        (SELECT sum(progress_done) FROM scheduler.claims) AS done
    FROM scheduler.jobs"""
LEFT = """
    SELECT j.job_id, j.tenant, j.pipeline_id, j.job_type, j.state, j.attempts, j.expiries,
        j.runs_alone, j.run_after - scheduler.clock() AS due,
        c.lease_until - scheduler.clock() AS lease, c.draining, c.progress_phase
    FROM scheduler.jobs AS j LEFT JOIN scheduler.claims AS c USING (job_id)
    WHERE j.state <> 'FINISHED'
    ORDER BY j.job_id"""


class Explained(Protocol):
    """What is asked of a run."""

    async def rows(self, query: str) -> Sequence[asyncpg.Record | Mapping[str, Any]]:
        """Rows of the scheduler's tables."""

    async def command(self, *words: str) -> tuple[int | None, str]:
        """Runs `carbonline` on the stack. Returns its exit code, and all that it said."""


async def settled(
    run: Explained,
    *,
    stands_still_seconds_max: float = STANDS_STILL_SECONDS_MAX,
    settles_seconds_max: float = SETTLES_SECONDS_MAX,
) -> None:
    """Waits until no pipeline is live, repairs included. A busy machine may take its time, as long
    as something goes on: what is live is told now and then. What stands still is explained.
    """
    loop = asyncio.get_running_loop()
    began_at = moved_at = told_at = loop.time()
    seen = await run.rows(MOVES)
    # Nobody is told when the last of all pipelines ends.
    while live := (await run.rows(LIVE))[0]["count"]:
        await asyncio.sleep(0.5)
        now, moves = loop.time(), await run.rows(MOVES)
        if moves != seen:
            seen, moved_at = moves, now
        if now > told_at + TOLD_SECONDS:
            told_at = now
            print(f"{now - began_at:5.1f} s later: {live} live, {dict(moves[0])}")
        if now > moved_at + stands_still_seconds_max or now > began_at + settles_seconds_max:
            print(await what_is_left(run))
            raise AssertionError(f"{live} live after {now - began_at:.0f} s; see above for why")


async def what_is_left(run: Explained) -> str:
    """Why each job that has not ended does not run, and what happened to it so far; the workers;
    and whether the history is sound.
    """
    left = await run.rows(LEFT)
    asked: list[tuple[str, ...]] = [("workers",)]
    for job in left[:EXPLAINED_MAX]:
        asked += [("explain", str(job["job_id"])), ("job", str(job["job_id"]))]
    asked += [("verify", "--tenant", tenant) for tenant in sorted({job["tenant"] for job in left})]
    told = [str(dict(job)) for job in left[:EXPLAINED_MAX]]
    for words in asked:
        code, said = await run.command(*words)
        told.append(f"$ carbonline {' '.join(words)}  ({code})\n{said}")
    return "\n".join([f"{len(left)} jobs are left:", *told])
