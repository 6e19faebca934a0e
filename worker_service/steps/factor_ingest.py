"""factor_ingest: loads the factors of one type and year from a file, or removes stale ones."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.factors import (
    ParsedFactors,
    factor_columns,
    gaps_in_force,
    read_factors,
)
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.stored import factors_from_stored
from worker_service.ledger.factors import (
    FACTOR_SCHEMA,
    FactorChanges,
    FactorSlice,
    NamedFactor,
    Origin,
    factors_not_in,
    remove_factors,
    save_factors,
    stale_factors,
)
from worker_service.ledger.factors import read_factors as read_stored_factors
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import factors_input
from worker_service.ledger.job_answers import first_answer, has_answered
from worker_service.ledger.load_mappings import keep_load_mapping
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.usage import usage_of_factors
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.follow_ups_done import factors_are_done, has_changed_factors
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.large_changes import refuse_large_changes
from worker_service.steps.load_check import Load, checked_load, is_check, proposed_by_check
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.proposals import foreign_file, read_table_file
from worker_service.steps.published_references import followed_by_nothing
from worker_service.steps.publishing import keeping_changes, publish
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport
from worker_service.steps.taking_away import (
    ADD,
    ADD_OR_ALLOW,
    ALLOW_REMOVAL,
    REMOVE_STALE,
    REPLACE,
    has_consent,
    mode_of,
    refuse_to_replace_by_mended,
    refuse_what_is_used,
)


async def run_factor_ingest(stores: Stores, run: Run) -> Outcome:
    """Adds and changes the factors of a file. Factors that it lacks become stale and stay in force.

    With mode "replace" they are removed instead. Mode "remove_stale" takes no file, and removes
    stale factors. If emissions use factors to be removed, or less than half of the kilograms would
    be left, that needs consent. A file of mended rows, as `carbonline rejected` writes them, adds
    to the others: none becomes stale. A factor_check only says what would come of it.
    """
    job = run.job
    assert job.data_entry_type is not None, "the scheduler checks the scope"
    assert job.year is not None
    of = FactorSlice(job.tenant, job.data_entry_type, job.year)
    try:
        with refusals():
            declared = declaration(job.data_entry_type)
        mode = mode_of(job, (ADD, REPLACE, REMOVE_STALE))
        if mode == REMOVE_STALE:
            return await _remove_stale(stores, run, of)
        return await _ingest(stores, run, of, declared, replace=mode == REPLACE)
    except Refusal as refusal:
        return refusal.outcome()


async def _ingest(
    stores: Stores, run: Run, of: FactorSlice, declared: DataEntryType, *, replace: bool
) -> Outcome:
    job = run.job
    with refusals():
        file = input_file(stores.blobs, job)
        await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
        run.progress(0, 0, "read")
        foreign = foreign_file(job, file, factor_columns(declared))
        parsed = await read_table_file(stores, foreign, partial(read_factors, declared))
    is_mended = parsed.originals.is_mended
    if is_mended:
        if replace:
            refuse_to_replace_by_mended(job, "factors")
        parsed = await _beside_those_in_force(stores.ledger, of, declared, parsed)
    with RowNotes(stores.blobs, job, parsed.originals.first_line()) as notes:
        proposed = await proposed_by_check(stores, job, foreign, parsed)
        report = TableReport(parsed, notes, "factor", proposed)
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        name = str(job.payload.get("file_name", ""))
        origin = Origin(str(file.reference), name, job.claim_token)

        gone = await _lacking(stores.ledger, of, parsed) if replace else []
        remove = [factor.factor_id for factor in gone]

        async def save(conn: Connection) -> FactorChanges:
            await keep_load_mapping(conn, job.tenant, job.claim_token, job.payload.get("mapping"))
            return await save_factors(
                conn, of, parsed.accepted, origin, remove=remove, is_whole=not is_mended
            )

        versioned = factors_input(of.data_entry_type, of.year)

        async def refuse() -> None:
            async with stores.ledger.snapshot() as conn:
                await _refuse_used(conn, run, of, gone)
            await refuse_large_changes(stores.ledger, run, [of], versioned, save)

        load = Load(save, _sentence, _stats, refuse, [of], versioned)
        if is_check(job):
            return await checked_load(stores.ledger, run, report, load)
        try:
            await refuse()
        except Refusal as refusal:
            return report.refused(refusal)
        done = await factors_are_done(stores.ledger, of, job.claim_token, save)
        run.progress(parsed.accepted.height, parsed.accepted.height, "publish")
        changes, is_changed = await _published(stores.ledger, run, of, save)
        outcome = report.succeeded(_sentence(changes), _stats(changes))
        return outcome if not done or is_changed else followed_by_nothing(outcome)


async def _published(
    ledger: Ledger,
    run: Run,
    of: FactorSlice,
    save: Callable[[Connection], Awaitable[FactorChanges]],
) -> tuple[FactorChanges, bool]:
    """What the job changed in all its attempts, and whether this one has changed a factor."""
    found: list[bool] = []
    saved = keeping_changes(run, save)

    async def save_and_look(conn: Connection) -> FactorChanges:
        changes = await saved(conn)
        found.append(await has_changed_factors(conn, of, run.job.claim_token))
        return changes

    changes = await publish(run, ledger, [f"factors/{of.year}"], save_and_look)
    return changes, found[-1]


async def _lacking(ledger: Ledger, of: FactorSlice, parsed: ParsedFactors) -> Sequence[NamedFactor]:
    """The factors that the file lacks."""
    async with ledger.snapshot() as conn:
        return await factors_not_in(conn, of, parsed.accepted)


async def _beside_those_in_force(
    ledger: Ledger, of: FactorSlice, declared: DataEntryType, parsed: ParsedFactors
) -> ParsedFactors:
    """With the gaps that are left when the mended factors stand beside those in force."""
    async with ledger.snapshot() as conn:
        stored = await read_stored_factors(conn, of)

    def looked_for() -> ParsedFactors:
        in_force = factors_from_stored(declared, frame_of(stored, FACTOR_SCHEMA))
        left = gaps_in_force(declared, parsed.accepted, in_force)
        return dataclasses.replace(parsed, warnings=merged_rejections([parsed.warnings, left]))

    return await asyncio.to_thread(looked_for)


async def _remove_stale(stores: Stores, run: Run, of: FactorSlice) -> Outcome:
    job = run.job
    await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
    async with stores.ledger.snapshot() as conn:
        done = await has_answered(conn, job.tenant, job.job_id)
        stale = [] if done else await stale_factors(conn, of)
        await _refuse_used(conn, run, of, stale, instead=ALLOW_REMOVAL)
    origin = Origin("", "", job.claim_token)

    async def remove(conn: Connection) -> int:
        removed = await remove_factors(conn, of, origin, [one.factor_id for one in stale])
        answer = {"removed": removed}
        kept = await first_answer(conn, job.tenant, job.job_id, job.claim_token, answer)
        return int(kept["removed"])

    removed = await publish(
        run,
        stores.ledger,
        [f"factors/{of.year}"],
        remove,
    )
    are = "is" if removed == 1 else "are"
    sentence = f"{pluralize(removed, 'stale factor')} {are} no longer in force."
    return Succeeded({"factors_removed": removed}, sentence)


async def _refuse_used(
    conn: Connection,
    run: Run,
    of: FactorSlice,
    gone: Sequence[NamedFactor],
    instead: str = ADD_OR_ALLOW,
) -> None:
    """Raises Refusal if published emissions use one of them and nobody has consented.

    `instead` says what to do about it.
    """
    if not gone or has_consent(run.job):
        return
    run.progress(0, 0, "look for entries that use what goes")
    ids = [factor.factor_id for factor in gone]
    usage = await usage_of_factors(conn, of.tenant, of.data_entry_type, of.year, ids)
    names = {factor.factor_id: factor.words for factor in gone}
    refuse_what_is_used("factors_in_use", "factor", len(gone), usage, names.__getitem__, instead)


def _stats(changes: FactorChanges) -> dict[str, int]:
    return {
        "factors_new": changes.new,
        "factors_changed": changes.changed,
        "factors_stale": changes.stale,
        "factors_removed": changes.removed,
    }


def _sentence(changes: FactorChanges) -> str:
    sentence = f"{changes.changed:,} {'is' if changes.changed == 1 else 'are'} new or changed."
    if changes.removed:
        are = "is" if changes.removed == 1 else "are"
        sentence += f" {pluralize(changes.removed, 'older one')} {are} no longer in force."
    if changes.stale:
        older = pluralize(changes.stale, "older one")
        sentence += f" {older} not in this file: used where no factor of it fits."
    return sentence
