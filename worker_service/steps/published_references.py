"""Publishes reference data, and finds whether anything must follow."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.locations import PlaceChanges
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.reference_rows import RowChanges
from worker_service.mechanics.outcome import Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.follow_ups_done import totals_are_done
from worker_service.steps.input_file import Refusal
from worker_service.steps.load_check import Load, checked_load, is_check
from worker_service.steps.publishing import keeping_changes, publish
from worker_service.steps.table_report import TableReport

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


async def load_references(
    run: Run,
    ledger: Ledger,
    kind: str,
    report: TableReport,
    load: Load[Changes],
    sentences: Sequence[str] = (),
) -> Outcome:
    """Publish a load of reference data, refuse it, or only say what would come of it.

    `sentences` are said with a refusal.
    """
    if is_check(run.job):
        return await checked_load(ledger, run, report, load)
    try:
        await load.refuse()
    except Refusal as refusal:
        return report.refused(refusal, sentences)
    accepted = report.parsed.accepted.height
    run.progress(accepted, accepted, "publish")
    changes, is_done = await publish_references(run, ledger, kind, load.slices, load.save)
    said, stats = load.sentence(changes), load.stats(changes)
    outcome = report.succeeded(said, stats, warnings=changes.gone > 0)
    return followed_by_nothing(outcome) if is_done else outcome


def followed_by_nothing(outcome: Succeeded) -> Succeeded:
    """The outcome of a run that has changed nothing, whose follow-ups are done."""
    message = f"{outcome.message} Nothing has to be computed again."
    return dataclasses.replace(outcome, message=message, written=Written.NOTHING)
