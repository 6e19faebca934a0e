"""csv_ingest: reads a file of activity data into entries of one type and year; so do others."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.blobs.store import BlobDamaged, BlobMissing, BlobTooLarge
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.entries import EntryBatch, EntryFile
from worker_service.carbon.stored import with_spellings
from worker_service.ledger.entry_sets import (
    NewSet,
    entry_rows,
    load_entries,
    open_set,
)
from worker_service.ledger.errors import PublicationMismatch
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.kept_digests import DigestedSet
from worker_service.ledger.pool import Connection
from worker_service.ledger.row_digests import DigestChunk, save_digests
from worker_service.ledger.units import UnitsGone, hold_units
from worker_service.ledger.uploads import (
    Contents,
    MendedRowsReplace,
    MostWouldGo,
    Published,
    ReadBefore,
    Reading,
    publish_upload,
    read_before,
)
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.steps.entry_files import (
    Brought,
    Intake,
    Loaded,
    contents_of,
    intake_of,
    note_shared,
    nothing_good,
    read_rows,
    stats_of_file,
)
from worker_service.steps.file_answer import FileAnswer, answer_of_file, kept_answer
from worker_service.steps.file_sentences import (
    default_sentences,
    defaults_used,
    encoding_sentences,
    unread_sentences,
)
from worker_service.steps.follow_ups_done import follow_ups_are_done
from worker_service.steps.input_file import (
    Refusal,
    input_file,
    refusals,
)
from worker_service.steps.kilograms_ahead import KilogramsAhead, kilograms_ahead
from worker_service.steps.noted_rows import RowNotes, ended
from worker_service.steps.nothing_shared import nothing_is_shared
from worker_service.steps.publishing import SMALL_ROWS, abandon_sets, publish
from worker_service.steps.reading_key import reading_key
from worker_service.steps.shared_rows import (
    AllShared,
    digest_chunk,
    shared_rows,
)
from worker_service.steps.stores import Stores
from worker_service.steps.taking_away import HOW_TO_CONSENT, has_consent, named_in_short
from worker_service.steps.upload_sentences import (
    duplicate_sentences,
    in_place_of,
    mended_rows_replace_sentences,
    most_would_go_sentence,
    people_sentences,
    refused_stats,
    shared_sentences,
    unchanged_sentence,
    upload_stats,
)


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows and their digests, ready to be loaded; `is_first` of their set."""

    rows: bytes
    digests: DigestChunk
    is_first: bool


@dataclass(slots=True)
class _Loaded(Loaded):
    """What a file came to. `unwritten` are all its rows, if its publication is to load them."""

    unwritten: _Part | None = None


async def run_csv_ingest(stores: Stores, run: Run) -> Outcome:
    """Loads the accepted rows of an uploaded file, as `ingest_rows` does."""

    async def bring() -> Brought:
        said = run.job.payload
        file = input_file(stores.blobs, run.job)
        return Brought(file, str(said.get("source", "")), str(said.get("file_name", "")))

    return await ingest_rows(stores, run, bring)


async def ingest_rows(stores: Stores, run: Run, bring: Callable[[], Awaitable[Brought]]) -> Outcome:
    """Loads the accepted rows that `bring` returns, and replaces the upload with the same identity.

    The identity is type, year, unit (or all units), and source. Ends in ERROR, with nothing
    changed, if no row is accepted, or if nobody has consented and less than half of the rows or
    kilograms of the replaced upload would be left, or mended rows would replace it. Ends in
    WARNING if rows are rejected or doubtful. Nothing follows if the rows are the same, and the
    totals contain them.
    """
    outcome = await _ingested(stores, run, bring)
    if isinstance(outcome, Failed):
        await abandon_sets(stores.ledger, run.job, f"entries/{run.job.module}/{run.job.year}")
    return outcome


async def _ingested(stores: Stores, run: Run, bring: Callable[[], Awaitable[Brought]]) -> Outcome:
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.data_entry_type is not None
    assert job.year is not None
    try:
        with refusals():
            declared = declaration(job.data_entry_type)
            brought = await bring()
            await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
            return await _ingest(stores, run, await intake_of(stores, run, declared, brought))
    except Refusal as refusal:
        return refusal.outcome()
    except UnitsGone as gone:
        return Failed(
            "unknown_unit",
            "Nothing was changed: units were removed while the file was read:"
            f" {named_in_short(map(shown_text, gone.units))}. Load them first, or submit it again.",
        )


async def _ingest(stores: Stores, run: Run, what: Intake) -> Outcome:
    run.progress(0, 0, "survey")
    key = await asyncio.to_thread(reading_key, what.file, what.new, what.units)
    async with stores.ledger.snapshot() as snapshot:
        there = await read_before(snapshot, what.new, key)
        ahead = None if there else await _ahead(stores, snapshot, run, what)
    if there is not None:
        if outcome := await _read_before(stores, run, what, there):
            return outcome
        async with stores.ledger.snapshot() as snapshot:
            ahead = await _ahead(stores, snapshot, run, what)
    return await _read_now(stores, run, what, key, ahead)


async def _ahead(
    stores: Stores, snapshot: Connection, run: Run, what: Intake
) -> KilogramsAhead | None:
    # Who consents has no need to know.
    if has_consent(run.job):
        return None
    return await kilograms_ahead(snapshot, what.declared, what.new, stores.places)


async def _read_before(stores: Stores, run: Run, what: Intake, there: ReadBefore) -> Outcome | None:
    """The outcome of a file whose rows count already. None if they do no longer."""
    rows = there.contents.row_count
    said = kept_answer(there.reading.answer)
    loaded = _Loaded(rows, there.contents.last_row_number, remarks=[*said.remarks])
    with RowNotes(stores.blobs, run.job, b"") as notes:
        try:
            await asyncio.to_thread(_note_again, notes, said)
        except (BlobMissing, BlobDamaged, BlobTooLarge):
            # That of a job goes some time after the job.
            return None
        run.progress(rows, rows, "compare with other uploads")
        # The rows that it would have loaded are those that are there.
        as_there = replace(what, new=replace(what.new, entry_set=there.upload_id))
        done, loaded.shared = await _compared(stores, as_there, loaded, there.contents.digest)
        await asyncio.to_thread(note_shared, notes, loaded.shared)
        run.progress(rows, rows, "publish")
        try:
            published = await _published(stores, run, what, loaded, there.contents)
        except (MostWouldGo, PublicationMismatch):
            return None
        if published.unchanged is None:
            return None
        return _succeeded(
            loaded, notes, published, said.stats, said.unread, said.of_file, done=done
        )


def _note_again(notes: RowNotes, said: FileAnswer) -> None:
    notes.rejected.add_kept(said.rejected)
    notes.warned.add_kept(said.warned)
    notes.keep()


async def _read_now(
    stores: Stores, run: Run, what: Intake, key: str, ahead: KilogramsAhead | None
) -> Outcome:
    entries = await what.foreign.read(stores, what.opened)
    with closing(entries), RowNotes(stores.blobs, run.job, entries.rejected_header) as notes:
        loaded = await _load(stores, run, what, entries, notes, ahead)
        await asyncio.to_thread(notes.keep)
        stats = stats_of_file(entries, loaded, notes)
        unread = unread_sentences(entries.unread_columns)
        of_file = encoding_sentences(entries.encoding)
        if loaded.accepted == 0:
            message = " ".join([nothing_good(notes), *unread, *of_file])
            return Failed("no_valid_rows", message, stats)
        if defaults := defaults_used(entries.unread_columns, what.declared.columns):
            stats["defaults_used"] = defaults
            unread += default_sentences(defaults)
        run.progress(loaded.accepted, loaded.accepted, "compare with other uploads")
        done, loaded.shared = await _compared(stores, what, loaded, loaded.digest.value)
        await asyncio.to_thread(note_shared, notes, loaded.shared)
        run.progress(loaded.accepted, loaded.accepted, "publish")
        contents = contents_of(loaded, notes, is_mended=entries.is_mended)
        said = answer_of_file(stats, unread, loaded.remarks, of_file, notes).as_text()
        if said is not None and not entries.is_mended:
            contents = replace(contents, reading=Reading(key, said))
        try:
            published = await _published(stores, run, what, loaded, contents)
        except (MostWouldGo, MendedRowsReplace) as refused:
            return _refused(refused, loaded, notes, stats, [*unread, *of_file])
        return _succeeded(loaded, notes, published, stats, unread, of_file, done=done)


async def _published(
    stores: Stores, run: Run, what: Intake, loaded: _Loaded, contents: Contents
) -> Published:
    consent = has_consent(run.job)

    async def publish_it(conn: Connection) -> Published:
        await hold_units(conn, what.new.tenant, sorted(loaded.units))
        if loaded.unwritten is not None:
            await _write(conn, what.new, loaded.unwritten)
        return await publish_upload(conn, what.new, contents, may_take_most=consent)

    ledger_scope = f"entries/{what.new.module}/{what.new.year}"
    return await publish(run, stores.ledger, [ledger_scope], publish_it)


def _succeeded(
    loaded: _Loaded,
    notes: RowNotes,
    published: Published,
    stats: Mapping[str, Any],
    unread: Sequence[str] = (),
    of_file: Sequence[str] = (),
    *,
    done: bool,
) -> Succeeded:
    accepted, *others = _result_sentences(loaded, notes, published)
    # What is probably misspelt matters more than single rows.
    sentences = [accepted, *unread, *others, *loaded.remarks, *of_file]
    twice = bool(published.duplicates or loaded.shared.any)
    warnings = notes.any or bool(stats["unknown_columns"]) or twice
    said = {**stats, **notes.stats(), **upload_stats(published, loaded.shared)}
    written = Written.NOTHING if done and published.unchanged else Written.UNKNOWN
    return Succeeded(said, " ".join(sentences), warnings, written)


async def _compared(
    stores: Stores, what: Intake, loaded: _Loaded, digest: str
) -> tuple[bool, AllShared]:
    """Whether what would follow rows of this digest is done, and what the rows have in common with
    other uploads. If these have some of them, all are compared in the database, so they are written
    first.
    """
    if loaded.unwritten is not None:
        own: DigestChunk | DigestedSet = loaded.unwritten.digests
    else:
        own = DigestedSet(what.new.entry_set, loaded.accepted, digest)
    async with stores.ledger.snapshot() as snapshot:
        done = await follow_ups_are_done(snapshot, what.new, digest)
        of = (what.declared, what.new, own)
        if await nothing_is_shared(snapshot, stores.digests, *of):
            return done, AllShared()
    await _write_waiting(stores, what.new, loaded)
    return done, await shared_rows(stores.ledger, what.declared, what.new)


def _result_sentences(loaded: Loaded, notes: RowNotes, published: Published) -> list[str]:
    there = published.unchanged
    return [
        *notes.sentences(
            loaded.accepted,
            instead=in_place_of(published.replaced),
            unchanged=unchanged_sentence(there) if there else "",
        ),
        *duplicate_sentences(published.duplicates),
        *shared_sentences(loaded.shared, published, loaded.accepted),
        *people_sentences(loaded.shared.people),
    ]


def _refused(
    refused: MostWouldGo | MendedRowsReplace,
    loaded: Loaded,
    notes: RowNotes,
    stats: Mapping[str, Any],
    of_file: Sequence[str],
) -> Failed:
    """Nothing was published. Says why, what else is to be known of the file, and how to consent."""
    if isinstance(refused, MostWouldGo):
        ahead = loaded.kilograms
        why = (ahead.entries_without_kg, ahead.first_reason) if ahead else ()
        what, instead = most_would_go_sentence(refused, *why), []
        of_refusal = refused_stats(refused)
    else:
        what, *instead = mended_rows_replace_sentences(refused)
        of_refusal = {"rows_accepted": 0}
    sentences = [what]
    if rejected := notes.rejected.row_count:
        is_ = "is" if rejected == 1 else "are"
        first = ended(notes.rejected.first_reason)
        sentences.append(f"{pluralize(rejected, 'row')} {is_} rejected; the first: {first}")
    sentences += [*notes.warned_sentences(), *notes.cut_sentences(), *loaded.remarks]
    message = " ".join([*sentences, *instead, HOW_TO_CONSENT, *of_file])
    return Failed(refused.cause, message, {**stats, **notes.stats(), **of_refusal})


async def _load(
    stores: Stores,
    run: Run,
    what: Intake,
    entries: EntryFile,
    notes: RowNotes,
    ahead: KilogramsAhead | None,
) -> _Loaded:
    """Reads and loads the file batch by batch. One batch is parsed while the last is loaded.

    The only batch of a small file is left unwritten.
    """
    loaded = _Loaded(kilograms=ahead)

    def prepare(stored: pl.DataFrame, batch: EntryBatch) -> tuple[bytes, DigestChunk | None, int]:
        if ahead is not None:
            ahead.add(stored)
        digests = (
            None if stored.is_empty() else digest_chunk(what.declared, what.new.entry_set, stored)
        )
        # After the digests: rows that differ in spelling alone are the same.
        kept = with_spellings(stored, batch.spellings)
        return frame_bytes(entry_rows(what.new, kept)), digests, stored.height

    async with aclosing(read_rows(run, what, entries, notes, loaded, prepare)) as prepared:
        async for rows, digests, row_count in prepared:
            if digests is not None:
                await _write_waiting(stores, what.new, loaded)
                loaded.unwritten = _Part(rows, digests, loaded.accepted == 0)
                if row_count > SMALL_ROWS:
                    await _write_waiting(stores, what.new, loaded)
    if loaded.accepted > SMALL_ROWS:
        await _write_waiting(stores, what.new, loaded)
    return loaded


async def _write_waiting(stores: Stores, new: NewSet, loaded: _Loaded) -> None:
    """Loads the part that waits, if any. Of a set that is not published nothing counts."""
    if loaded.unwritten is not None:
        async with stores.ledger.loading() as conn:
            await _write(conn, new, loaded.unwritten)
        loaded.unwritten = None


async def _write(conn: Connection, new: NewSet, part: _Part) -> None:
    if part.is_first:
        await open_set(conn, new)
    await load_entries(conn, new, part.rows)
    await save_digests(conn, new.tenant, part.digests)
