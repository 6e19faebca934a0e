"""Loads and removes rows of one kind of reference data, such as exchange rates."""

import asyncio
from functools import partial

from carbonline.pluralize import pluralize
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.reference_kinds import ReferenceKind
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.input_versions import reference_input
from worker_service.ledger.load_mappings import keep_load_mapping
from worker_service.ledger.pool import Connection
from worker_service.ledger.reference_rows import (
    RowChanges,
    RowsFile,
    keys_not_in,
    known_keys,
    readers_of_rows,
    remove_rows,
    save_rows,
    stale_keys,
)
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.large_changes import refuse_large_changes
from worker_service.steps.load_check import Load, proposed_by_check
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.proposals import foreign_file, read_table_file
from worker_service.steps.published_references import load_references
from worker_service.steps.reference_removal import (
    Removable,
    refuse_used,
    remove_reference_data,
    slices_of_readers,
)
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport
from worker_service.steps.taking_away import (
    ADD,
    REMOVE,
    REMOVE_STALE,
    REPLACE,
    has_consent,
    mode_of,
    refuse_to_replace_by_mended,
)


async def run_rows_ingest(stores: Stores, run: Run, kind: ReferenceKind) -> Outcome:
    """Adds the rows of a file, or changes those with the same key.

    With mode "replace", other rows are removed; of a kind with years only those of the file's
    years. If entries use them, or the kilograms of a type and year would be halved or doubled, that
    needs consent. Modes "remove" and "remove_stale" take no file.
    """
    job, ledger = run.job, stores.ledger
    removable = _removable(job.tenant, kind)
    try:
        with refusals():
            mode = mode_of(job, (ADD, REPLACE, REMOVE_STALE, REMOVE))
            if mode in {REMOVE_STALE, REMOVE}:
                return await remove_reference_data(stores, run, removable, mode)
            replace = mode == REPLACE
            file = input_file(stores.blobs, job)
            await close_ledger_scopes(ledger, job.tenant, job.close_through)
            run.progress(0, 0, "read")
            foreign = foreign_file(job, file, kind.columns)
            parsed = await read_table_file(stores, foreign, partial(read_reference_rows, kind))
            if replace and parsed.originals.is_mended:
                refuse_to_replace_by_mended(job, f"{kind.noun}s")
    except Refusal as refusal:
        return refusal.outcome()
    with RowNotes(stores.blobs, job, parsed.originals.first_line()) as notes:
        proposed = await proposed_by_check(stores, job, foreign, parsed)
        report = TableReport(parsed, notes, kind.noun, proposed)
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        name = str(job.payload.get("file_name", ""))
        is_whole = not parsed.originals.is_mended
        reference = str(file.reference)
        rows = RowsFile(job.tenant, kind.name, parsed.accepted, name, reference, is_whole)

        async def save(conn: Connection) -> RowChanges:
            await keep_load_mapping(conn, job.tenant, job.claim_token, job.payload.get("mapping"))
            return await save_rows(conn, rows, job.claim_token, replace=replace)

        slices = await slices_of_readers(ledger, removable)
        versioned = reference_input(kind.name)

        async def refuse() -> None:
            if replace and not has_consent(job):
                run.progress(0, 0, "look for entries that use what goes")
                async with ledger.snapshot() as conn:
                    gone = await keys_not_in(conn, rows)
                await refuse_used(ledger, removable, gone)
            await refuse_large_changes(ledger, run, slices, versioned, save)

        load = Load(save, partial(_sentence, kind), _stats, refuse, slices, versioned)
        return await load_references(run, ledger, kind.name, report, load)


def _removable(tenant: str, kind: ReferenceKind) -> Removable:
    of = kind.name
    return Removable(
        tenant,
        of,
        noun=kind.noun,
        key_noun="key",
        command=f"carbonline references {of}",
        in_use="references_in_use",
        unknown="unknown_key",
        stat="rows_removed",
        readers=readers_of_rows(kind),
        stale=lambda conn: stale_keys(conn, tenant, of),
        known=lambda conn, keys: known_keys(conn, tenant, of, keys),
        remove=lambda conn, keys, token: remove_rows(conn, tenant, of, keys, token),
    )


def _stats(changes: RowChanges) -> dict[str, int]:
    return {
        "rows_new": changes.new,
        "rows_changed": changes.changed,
        "rows_same": changes.same,
        "rows_gone": changes.gone,
        "rows_stale": changes.stale,
    }


def _sentence(kind: ReferenceKind, changes: RowChanges) -> str:
    sentence = f"{changes.new:,} new, {changes.changed:,} changed, {changes.same:,} unchanged."
    if changes.gone:
        are = "is" if changes.gone == 1 else "are"
        sentence += f" {pluralize(changes.gone, f'other {kind.noun}')} {are} gone."
    if changes.stale:
        are, stay = ("is", "stays") if changes.stale == 1 else ("are", "stay")
        sentence += (
            f" {pluralize(changes.stale, f'older {kind.noun}')} {are} not in the newest file of the"
            f" name and {stay} in use: carbonline references {kind.name} --stale."
        )
    return sentence
