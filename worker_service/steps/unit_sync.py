"""unit_sync: loads the institution's units. Its Finish makes the scheduler provision the year."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.declarations import UNIT_COLUMN
from worker_service.carbon.parse.references import UNIT_COLUMNS, read_units
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.unit_places import unit_places
from worker_service.carbon.parse.units import doubtful_units
from worker_service.carbon.unit_tree import NotATree
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.load_mappings import keep_load_mapping
from worker_service.ledger.pool import Connection
from worker_service.ledger.units import UnitChanges, UnitsGone, save_units
from worker_service.ledger.units import read_units as known_units
from worker_service.mechanics.outcome import Failed, Outcome, RetryLater
from worker_service.mechanics.run import Run
from worker_service.providers.provider import Provider, ProviderRefused, ProviderUnavailable
from worker_service.steps.fetched_rows import Left, fetched_file, file_name_of, provider_of
from worker_service.steps.input_file import InputFile, Refusal, input_file, refusals
from worker_service.steps.load_check import (
    Load,
    checked_load,
    is_check,
    nothing_to_refuse,
    proposed_by_check,
)
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.proposals import foreign_file, read_table_file
from worker_service.steps.publishing import keeping_changes, publish
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport
from worker_service.steps.taking_away import CONSENT, NAMED_MAX

NAME_CHARACTERS_MAX = 60
UNITS = "units"
STEPS = ("fetch units", "check units", "save units", "provision year")


async def run_unit_sync(stores: Stores, providers: Sequence[Provider], run: Run) -> Outcome:
    """Adds and renames units by their institutional id, from a file or from a provider.

    No unit is removed. Those that a list of all units lacks become stale; the list of a provider is
    one of all. A unit_check only says what would come of a file.
    """
    left = Left()
    try:
        return await _synced(stores, providers, run, left)
    except ProviderUnavailable as unavailable:
        return RetryLater(f"{unavailable} Nothing was changed.")
    except ProviderRefused as refused:
        return Failed(refused.cause, f"{refused} Nothing was changed.", left.stats())


async def _synced(stores: Stores, providers: Sequence[Provider], run: Run, left: Left) -> Outcome:
    job = run.job
    said = job.payload
    try:
        with refusals():
            _step(run, 0)
            file, name = await _brought(stores, providers, run, left)
            await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
            _step(run, 1)
            foreign = foreign_file(job, file, UNIT_COLUMNS)
            parsed = await read_table_file(stores, foreign, read_units)
            known = await known_units(stores.ledger, job.tenant)
            doubtful = await asyncio.to_thread(doubtful_units, parsed.accepted, known)
            places = await asyncio.to_thread(unit_places, parsed, known)
            both = (doubtful, places.unknown)
            # The unit that was probably meant is named first.
            warnings = merged_rejections([*(one.listed for one in both), parsed.warnings])
            parsed = replace(parsed, warnings=warnings)
    except Refusal as refusal:
        return refusal.outcome()
    with RowNotes(stores.blobs, job, parsed.originals.first_line()) as notes:
        proposed = await proposed_by_check(stores, job, foreign, parsed)
        report = TableReport(parsed, notes, "unit", proposed, [one.rows for one in both])
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        units, names = (parsed.accepted[column].to_list() for column in ("unit_id", "name"))
        texts = (one.frame[UNIT_COLUMN] for one in parsed.originals.batches)
        named = [text.strip() for column in texts for text in column if text]

        async def save(conn: Connection) -> UnitChanges:
            await keep_load_mapping(conn, job.tenant, job.claim_token, job.payload.get("mapping"))
            return await save_units(
                conn,
                job.tenant,
                units,
                names,
                job.claim_token,
                parents=places.parents,
                file_name=name,
                blob=str(file.reference),
                are_all=bool(said.get("provider") or said.get("are_all") == CONSENT),
                also_listed=named,
            )

        try:
            if is_check(job):
                load = Load(save, _sentence, _stats, nothing_to_refuse)
                return await checked_load(stores.ledger, run, report, load)
            _step(run, 2)
            changed = await publish(run, stores.ledger, ["units"], keeping_changes(run, save))
        except NotATree as wrong:
            return report.refused(Refusal("units_not_a_tree", f"Nothing was changed: {wrong}"))
        except UnitsGone:
            return RetryLater("A unit was removed while the list was read. Nothing was changed.")
        _step(run, 3)
        sentences = [_sentence(changed), f"The year {job.year} is provisioned.", *left.sentences()]
        stats = {**_stats(changed), **(left.stats() if said.get("provider") else {})}
        return report.succeeded(" ".join(sentences), stats, warnings=bool(left.assumed))


async def _brought(
    stores: Stores, providers: Sequence[Provider], run: Run, left: Left
) -> tuple[InputFile, str]:
    """The file with the units, and its name."""
    said = run.job.payload
    if not said.get("provider"):
        return input_file(stores.blobs, run.job), str(said.get("file_name", ""))
    provider = provider_of(providers, run, UNITS)

    def arrived(done: int, _all: int) -> None:
        run.progress(0, len(STEPS), STEPS[0], f"{pluralize(done, 'unit')} so far")

    file = await fetched_file(stores.blobs, provider, run, left, arrived)
    return file, file_name_of(provider, run.job.year or 0)


def _stats(changed: UnitChanges) -> dict[str, int]:
    return {
        "units_new": changed.new,
        "units_renamed": len(changed.renamed),
        "units_same": changed.same,
        "units_moved": changed.moved,
        "units_changed": changed.new + len(changed.renamed),
        "units_stale": changed.stale,
    }


def _sentence(changed: UnitChanges) -> str:
    """Such as "1 new, 1 renamed, 5 unchanged. Renamed: 0828 from Physics to Institute"."""
    renamed = len(changed.renamed)
    sentence = f"{changed.new:,} new, {renamed:,} renamed, {changed.same:,} unchanged."
    if renamed:
        named = "; ".join(
            f"{shown_text(unit)} from {_name(before)} to {_name(now)}"
            for unit, before, now in changed.renamed[:NAMED_MAX]
        )
        more = f"; and {renamed - NAMED_MAX:,} more" if renamed > NAMED_MAX else ""
        sentence += f" Renamed: {named}{more}."
    if changed.moved:
        sentence += f" {pluralize(changed.moved, 'unit')} moved in the tree of units."
    if changed.stale:
        sentence += (
            f" {pluralize(changed.stale, 'unit')} not in the list: flagged as stale, and kept with"
            " their totals."
        )
    return sentence


def _name(name: str) -> str:
    shortened = name if len(name) <= NAME_CHARACTERS_MAX else f"{name[:NAME_CHARACTERS_MAX]}..."
    return f'"{shown_text(shortened)}"'


def _step(run: Run, number: int) -> None:
    run.progress(number, len(STEPS), STEPS[number])
