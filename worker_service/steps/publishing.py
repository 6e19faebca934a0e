"""The fenced commit at the end of a step, and what is known when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TypeVar

from carbonline.postgres.errors import DatabaseUnavailable
from worker_service.ledger.errors import CommitUnknown, FenceRefused
from worker_service.ledger.factors import FactorChanges
from worker_service.ledger.fences import (
    Publication,
    Tokens,
    close_ledger_scopes,
    publication,
    was_committed,
)
from worker_service.ledger.job_answers import first_answer
from worker_service.ledger.locations import PlaceChanges
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.reference_rows import RowChanges
from worker_service.ledger.units import UnitChanges
from worker_service.mechanics.backoff import Backoff
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.run import ClaimLost, Run

# So much is loaded by its publication, without a commit of its own: the fence is held for some
# milliseconds more. What is larger is loaded before.
SMALL_ROWS = 1_000
SMALL_SETS = 4

T = TypeVar("T")
Changes = TypeVar("Changes", FactorChanges, PlaceChanges, RowChanges, UnitChanges)


async def publish(
    run: Run,
    ledger: Ledger,
    ledger_scopes: Sequence[str],
    write: Callable[[Connection], Awaitable[T]],
    tokens_read: Tokens | None = None,
) -> T:
    """Run `write` in one short transaction behind the fences of `ledger_scopes`, and commit it.

    Returns what `write` returned. Raises ClaimLost when this claim may no longer write,
    InputMoved when another claim has written since `tokens_read`, and DatabaseUnavailable when
    nothing was committed.
    """
    job = run.job
    wanted = Publication(
        job.tenant, ledger_scopes, job.claim_token, run.deadline_seconds, tokens_read
    )
    answers: list[T] = []
    run.data_commit_starts()
    try:
        async with publication(ledger, wanted) as conn:
            answers.append(await write(conn))
    except CommitUnknown as unknown:
        await _settle(run, ledger, wanted, unknown)
    except FenceRefused as refused:
        run.data_rolled_back()
        raise ClaimLost(str(refused)) from refused
    except BaseException:
        # A cancelled COMMIT may still have arrived.
        if not wanted.commit_sent:
            run.data_rolled_back()
        raise
    return answers[0]


def keeping_changes(
    run: Run, write: Callable[[Connection], Awaitable[Changes]]
) -> Callable[[Connection], Awaitable[Changes]]:
    """`write`, whose changes are kept with the data.

    A retry that finds the work of an earlier attempt done returns what that one changed.
    """

    async def written(conn: Connection) -> Changes:
        changes = await write(conn)
        job = run.job
        kept = await first_answer(conn, job.tenant, job.job_id, job.claim_token, asdict(changes))
        return type(changes)(**kept)

    return written


async def abandon_sets(ledger: Ledger, job: ClaimedJob, ledger_scope: str) -> None:
    """Close a ledger scope to this claim, which will not write it any more.

    Then the collector knows that what the claim has loaded can never count, and deletes it soon. A
    database that does not answer leaves that to the next claim.
    """
    with suppress(DatabaseUnavailable):
        await close_ledger_scopes(ledger, job.tenant, {ledger_scope: job.claim_token})


async def _settle(run: Run, ledger: Ledger, wanted: Publication, unknown: CommitUnknown) -> None:
    """Return once it is known that the commit succeeded; ask until the lease is over."""
    backoff = Backoff()
    while True:
        run.check()
        try:
            stands = await was_committed(ledger, wanted)
        except DatabaseUnavailable:
            await asyncio.sleep(backoff.next_seconds())
            continue
        except FenceRefused as refused:
            raise ClaimLost(str(refused)) from refused
        if stands:
            return
        run.data_rolled_back()
        raise DatabaseUnavailable(str(unknown)) from unknown
