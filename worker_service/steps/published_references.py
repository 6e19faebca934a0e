"""Publishes reference data, and finds whether anything must follow."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.locations import PlaceChanges
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.reference_rows import RowChanges
from worker_service.mechanics.outcome import Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.follow_ups_done import totals_are_done
from worker_service.steps.publishing import keeping_changes, publish

Changes = TypeVar("Changes", PlaceChanges, RowChanges)


async def publish_references(
    run: Run,
    ledger: Ledger,
    kind: str,
    slices: Sequence[FactorSlice],
    save: Callable[[Connection], Awaitable[Changes]],
) -> tuple[Changes, bool]:
    """What the job changed in all its attempts, and whether nothing has to follow.

    `slices` are the types and years with entries that read this kind. Nothing has to follow if this
    attempt has changed nothing, and the totals of all of them contain everything. What others
    change after that look has its own follow-ups.
    """
    done = await totals_are_done(ledger, slices)
    job = run.job
    is_changed: list[bool] = []
    saved = keeping_changes(run, save)

    async def save_and_look(conn: Connection) -> Changes:
        changes = await saved(conn)
        newest = await newest_change(conn, job.tenant, [reference_input(kind)])
        is_changed.append(newest == job.claim_token)
        return changes

    changes = await publish(run, ledger, [f"reference/{kind}"], save_and_look)
    return changes, done and not is_changed[-1]


def followed_by_nothing(outcome: Succeeded) -> Succeeded:
    """The outcome of a run that has changed nothing, whose follow-ups are done."""
    message = f"{outcome.message} Nothing has to be computed again."
    return dataclasses.replace(outcome, message=message, written=Written.NOTHING)
