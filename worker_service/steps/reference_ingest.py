"""reference_ingest: loads reference data, such as places of a transport mode, or removes some."""

import asyncio
import dataclasses
from functools import partial

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import place_columns
from worker_service.carbon.parse.moved_places import MovedPlaces, moved_places
from worker_service.carbon.parse.references import LOCATION_COLUMNS, read_locations
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.tables import ParsedTable
from worker_service.carbon.parse.uncorrected_places import uncorrected_places
from worker_service.carbon.reference_kinds import REFERENCE_KINDS
from worker_service.carbon.shipped_places import shipped_places
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import reference_input
from worker_service.ledger.load_mappings import keep_load_mapping
from worker_service.ledger.locations import (
    KIND,
    LOCATION_SCHEMA,
    PlaceChanges,
    PlacesFile,
    codes_not_in,
    known_codes,
    remove_locations,
    save_locations,
    stale_codes,
)
from worker_service.ledger.locations import read_locations as read_places
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.usage import PlaceColumns
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run
from worker_service.steps.corrected_places import corrected_places
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
from worker_service.steps.reference_rows import run_rows_ingest
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport
from worker_service.steps.taking_away import (
    ADD,
    NAMED_MAX,
    REMOVE,
    REMOVE_STALE,
    REPLACE,
    has_consent,
    mode_of,
    refuse_to_replace_by_mended,
)


async def run_reference_ingest(stores: Stores, run: Run) -> Outcome:
    """Loads or removes reference data of the scope's kind: places, or rows of a table.

    A reference_check only says what would come of a file.
    """
    if rows_of := REFERENCE_KINDS.get(run.job.reference_kind or ""):
        return await run_rows_ingest(stores, run, rows_of)
    return await _run_places_ingest(stores, run)


async def _run_places_ingest(stores: Stores, run: Run) -> Outcome:
    """Adds the places of a file, or changes those with the same code.

    With mode "replace", other places of the transport mode are removed. If entries use them, or the
    kilograms of a type and year would be halved or doubled, that needs consent. Modes "remove" and
    "remove_stale" take no file.
    """
    job = run.job
    try:
        with refusals():
            transport_mode = _transport_mode(job)
            mode = mode_of(job, (ADD, REPLACE, REMOVE_STALE, REMOVE))
            removable = _removable(job.tenant, transport_mode)
            if mode in {REMOVE_STALE, REMOVE}:
                return await remove_reference_data(stores, run, removable, mode)
            replace = mode == REPLACE
            file = input_file(stores.blobs, job)
            await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
            run.progress(0, 0, "read")
            foreign = foreign_file(job, file, LOCATION_COLUMNS[transport_mode])
            parsed = await read_table_file(stores, foreign, partial(read_locations, transport_mode))
            if replace and parsed.originals.is_mended:
                refuse_to_replace_by_mended(job, "places")
    except Refusal as refusal:
        return refusal.outcome()
    moved = await _moved(stores.ledger, job.tenant, transport_mode, parsed)
    parsed = dataclasses.replace(
        parsed, warnings=merged_rejections([parsed.warnings, moved.warnings])
    )
    with RowNotes(stores.blobs, job, parsed.originals.first_line()) as notes:
        proposed = await proposed_by_check(stores, job, foreign, parsed)
        report = TableReport(parsed, notes, "place", proposed)
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        name = str(job.payload.get("file_name", ""))
        is_whole = not parsed.originals.is_mended
        reference = str(file.reference)
        places = PlacesFile(job.tenant, transport_mode, parsed.accepted, name, reference, is_whole)

        async def save(conn: Connection) -> PlaceChanges:
            await keep_load_mapping(conn, job.tenant, job.claim_token, job.payload.get("mapping"))
            return await save_locations(conn, places, job.claim_token, replace=replace)

        slices = await slices_of_readers(stores.ledger, removable)

        async def refuse() -> None:
            if replace and not has_consent(job):
                run.progress(0, 0, "look for entries that use what goes")
                await _refuse_used(stores.ledger, places, removable)
            await refuse_large_changes(stores.ledger, run, slices, reference_input(KIND), save)

        def sentence(changes: PlaceChanges) -> str:
            return " ".join([_sentence(changes), *_moved_sentences(moved)])

        def stats(changes: PlaceChanges) -> dict[str, int]:
            return {**_stats(changes), "places_doubtful": moved.doubtful.height}

        load = Load(save, sentence, stats, refuse, slices, reference_input(KIND))
        return await load_references(
            run, stores.ledger, KIND, report, load, _moved_sentences(moved)
        )


async def _moved(
    ledger: Ledger, tenant: str, transport_mode: str, parsed: ParsedTable
) -> MovedPlaces:
    async with ledger.snapshot() as conn:
        rows = await read_places(conn, tenant)

    def compared() -> MovedPlaces:
        in_force = frame_of(rows, LOCATION_SCHEMA).filter(
            pl.col("transport_mode") == transport_mode
        )
        code = LOCATION_COLUMNS[transport_mode][0].name
        shipped = shipped_places(transport_mode)
        moved = moved_places(parsed.accepted, in_force, shipped, code)
        wrong = uncorrected_places(parsed.accepted, shipped, corrected_places(), code)
        wrong = wrong.join(moved.warnings, on="row", how="anti")
        warnings = merged_rejections([moved.warnings, wrong])
        return dataclasses.replace(moved, warnings=warnings)

    return await asyncio.to_thread(compared)


async def _refuse_used(ledger: Ledger, file: PlacesFile, removable: Removable) -> None:
    """Raises Refusal if entries use a place that the file lacks."""
    async with ledger.snapshot() as conn:
        gone = await codes_not_in(conn, file)
    await refuse_used(ledger, removable, gone)


def _removable(tenant: str, transport_mode: str) -> Removable:
    return Removable(
        tenant,
        KIND,
        noun="place",
        key_noun="code",
        command="carbonline locations",
        in_use="places_in_use",
        unknown="unknown_place",
        stat="places_removed",
        readers=[PlaceColumns(*reader) for reader in place_columns(transport_mode)],
        stale=lambda conn: stale_codes(conn, tenant, transport_mode),
        known=lambda conn, codes: known_codes(conn, tenant, transport_mode, codes),
        remove=lambda conn, codes, token: remove_locations(
            conn, tenant, transport_mode, codes, token
        ),
    )


def _stats(changes: PlaceChanges) -> dict[str, int]:
    return {
        "places_new": changes.new,
        "places_changed": changes.changed,
        "places_same": changes.same,
        "places_gone": changes.gone,
        "places_stale": changes.stale,
    }


def _sentence(changes: PlaceChanges) -> str:
    sentence = f"{changes.new:,} new, {changes.changed:,} changed, {changes.same:,} unchanged."
    if changes.gone:
        are = "is" if changes.gone == 1 else "are"
        sentence += f" {pluralize(changes.gone, 'other place')} {are} gone."
    if changes.stale:
        are, stay = ("is", "stays") if changes.stale == 1 else ("are", "stay")
        sentence += (
            f" {pluralize(changes.stale, 'older place')} {are} not in the newest file of the name"
            f" and {stay} in use: carbonline locations --stale."
        )
    return sentence


def _moved_sentences(moved: MovedPlaces) -> list[str]:
    """Such as "3 places are probably not where the file has them: GVA, CDG, JFK."."""
    sentence = []
    if count := moved.doubtful.height:
        are, them = ("is", "it") if count == 1 else ("are", "them")
        sentence.append(
            f"{pluralize(count, 'place')} {are} probably not where the file has {them}:"
            f" {_named(moved.doubtful)}."
        )
    if count := len(moved.righted):
        was, them = ("was", "it") if count == 1 else ("were", "them")
        righted = moved.warnings.filter(pl.col("row").is_in(moved.righted))
        sentence.append(
            f"{pluralize(count, 'place')} {was} probably wrong before, and the file corrects"
            f" {them}: {_named(righted)}."
        )
    if moved.swapped:
        look = "looks" if moved.swapped == 1 else "look"
        sentence.append(
            f"Latitude and longitude of {pluralize(moved.swapped, 'place')} {look} swapped:"
            " correct the file and load it again."
        )
    return sentence


def _named(places: pl.DataFrame) -> str:
    """The first codes, and how many more there are."""
    named = ", ".join(places["value"].head(NAMED_MAX).to_list())
    more = places.height - NAMED_MAX
    return f"{named} and {more:,} more" if more > 0 else named


def _transport_mode(job: ClaimedJob) -> str:
    if job.reference_kind != KIND:
        raise Refusal(
            "not_supported", f"Reference data of kind {job.reference_kind} is not supported."
        )
    mode = str(job.payload.get("transport_mode", ""))
    if mode not in LOCATION_COLUMNS:
        known = ", ".join(LOCATION_COLUMNS)
        raise Refusal(
            "unknown_transport_mode",
            f"payload.transport_mode must be one of {known}, not {mode!r}.",
        )
    return mode
