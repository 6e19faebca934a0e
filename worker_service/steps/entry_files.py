"""A file of activity data, read the one way in which an ingest loads it and a check looks at it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.entry_layout import layout_of
from worker_service.carbon.file_mapping import read_mapping
from worker_service.carbon.parse.entries import (
    EntryBatch,
    EntryFile,
    EntryScope,
    entry_columns,
    read_entries,
)
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.unit_hints import unknown_unit_sentence
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.carbon.stored import stored_entries
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.units import read_units
from worker_service.ledger.uploads import Contents, source_key
from worker_service.mechanics.run import Run
from worker_service.steps.content_digest import ContentDigest
from worker_service.steps.input_file import InputFile, Refusal
from worker_service.steps.kilograms_ahead import KilogramsAhead
from worker_service.steps.noted_rows import RowNotes, ended
from worker_service.steps.prefetched import off_loop, prefetched
from worker_service.steps.proposals import ForeignFile
from worker_service.steps.shared_rows import AllShared
from worker_service.steps.stores import Stores

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Brought:
    """The rows of an ingest as a file, and how people find them again."""

    file: InputFile
    source: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Intake:
    """A file, what it is said to hold, and the set that its rows would be.

    `units` are all units of the institution, as stored.
    """

    declared: DataEntryType
    file: InputFile
    new: NewSet
    units: Sequence[str]

    @property
    def foreign(self) -> ForeignFile:
        """The file as one that another program may have written."""
        columns = entry_columns(self.declared, per_year=self.new.unit is None)
        mapping = read_mapping(self.new.mapping)
        return ForeignFile(self.new.tenant, self.file.open, columns, mapping)

    def opened(self) -> EntryFile:
        """The file after its header. Blocks. Raises RefusedFile."""
        scope = EntryScope(self.new.year, self.units, self.new.unit)
        mapping = read_mapping(self.new.mapping)
        return read_entries(self.declared, self.file.open, scope, mapping=mapping)


@dataclass(slots=True)
class Loaded:
    """What has been read of a file so far. `kilograms` is None if nobody needs to know them."""

    accepted: int = 0
    last_row_number: int = 0
    kilograms: KilogramsAhead | None = None
    remarks: list[str] = field(default_factory=list)
    units: set[str] = field(default_factory=set)
    digest: ContentDigest = field(default_factory=ContentDigest)
    shared: AllShared = field(default_factory=AllShared)

    def note(self, batch: EntryBatch) -> None:
        """Counts a batch."""
        if not batch.accepted.is_empty():
            self.accepted += batch.accepted.height
            self.units.update(batch.accepted["unit"].unique())
            last = batch.accepted["row_number"].max()
            assert isinstance(last, int), "row numbers are whole"
            self.last_row_number = max(self.last_row_number, last)
        self.remarks += batch.remarks


async def intake_of(stores: Stores, run: Run, declared: DataEntryType, brought: Brought) -> Intake:
    """What the job's scope says of a file. Raises Refusal for an unknown unit."""
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.data_entry_type is not None
    assert job.year is not None
    unit, units = await _units(stores, run)
    new = NewSet(
        job.tenant,
        job.claim_token,
        job.module,
        job.data_entry_type,
        job.year,
        unit,
        str(brought.file.reference),
        source_key(brought.source),
        brought.file_name,
        job.pipeline_id,
        str(job.payload.get("submitted_by", "")),
        job.payload.get("mapping") or None,
        brought.file.sheet,
        layout_of(declared),
    )
    return Intake(declared, brought.file, new, units)


async def _units(stores: Stores, run: Run) -> tuple[str | None, list[str]]:
    """The stored spelling of the job's unit, and all units. Raises Refusal for an unknown one."""
    units = await read_units(stores.ledger, run.job.tenant)
    wanted = run.job.unit
    if wanted is None:
        return None, units
    spelt = dict(zip(comparison_keys(units), units, strict=True))
    unit = spelt.get(comparison_key(wanted.strip()))
    if unit is not None:
        return unit, units
    sentence = await asyncio.to_thread(unknown_unit_sentence, wanted, units)
    raise Refusal("unknown_unit", f"{sentence} If it is new, load it first." if units else sentence)


async def read_rows(
    run: Run,
    what: Intake,
    entries: EntryFile,
    notes: RowNotes,
    loaded: Loaded,
    prepare: Callable[[pl.DataFrame, EntryBatch], T],
) -> AsyncGenerator[T, None]:
    """Yields what `prepare` makes of the stored rows of each batch, and of the batch itself.

    It blocks, and runs in a thread. One batch is prepared while the last one is used. `notes` gets
    the rows that are rejected or doubtful, and `loaded` counts a batch after it was used. Raises as
    `Run.check`.
    """

    def prepared(batch: EntryBatch) -> tuple[EntryBatch, T]:
        notes.rejected.add(batch.rejected, batch.rejected_rows, batch.rejected_lines)
        notes.warned.add(batch.warned, batch.warned_rows)
        stored = stored_entries(what.declared, batch.accepted)
        loaded.digest.add(stored)
        return batch, prepare(stored, batch)

    seen = 0
    async with aclosing(prefetched(off_loop(map(prepared, entries.batches)))) as batches:
        async for batch, made in batches:
            run.check()
            yield made
            loaded.note(batch)
            seen += batch.accepted.height + batch.rejected_rows
            run.progress(seen, max(seen, entries.line_count), "read")


def stats_of_file(entries: EntryFile, loaded: Loaded, notes: RowNotes) -> dict[str, Any]:
    """What the stats of a job say of its file, after the last batch."""
    return {
        "rows": loaded.accepted + notes.rejected.row_count,
        "rows_accepted": loaded.accepted,
        **notes.stats(),
        "encoding": entries.encoding.name,
        "unknown_columns": [column.name for column in entries.unread_columns],
    }


def note_shared(notes: RowNotes, shared: AllShared) -> None:
    """Notes the rows, and people, that other uploads have, too. Blocks."""
    listed = merged_rejections([shared.listed, shared.people.listed])
    notes.shared.add(listed, shared.rows + shared.people.rows)
    notes.shared.keep()


def contents_of(loaded: Loaded, notes: RowNotes, *, is_mended: bool) -> Contents:
    """What was read, as the ledger compares it with what it would replace."""
    return Contents(
        loaded.accepted,
        loaded.last_row_number,
        loaded.digest.value,
        notes.rejected.row_count,
        notes.warned.row_count,
        None if loaded.kilograms is None else loaded.kilograms.total_kg,
        is_mended,
    )


def nothing_good(notes: RowNotes) -> str:
    """What to say of a file without a row that can be used."""
    count = notes.rejected.row_count
    none = "The only row cannot" if count == 1 else f"None of {count:,} rows can"
    first = "" if count == 1 else "the first: "
    first += ended(notes.rejected.first_reason)
    nothing = f"{none} be used, so nothing was changed; {first}"
    return " ".join([nothing, *notes.cut_sentences()])
