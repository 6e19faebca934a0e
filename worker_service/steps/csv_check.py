"""csv_check: says what a csv_ingest of a file would do at this moment, and writes no data."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing, closing
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Self

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import declaration
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.outcomes import count_outcomes, uncomputed
from worker_service.carbon.parse.entries import EntryBatch, EntryFile
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.formula_inputs import read_formula_inputs
from worker_service.ledger.published_kilograms import published_kilograms
from worker_service.ledger.uploads import (
    MendedRowsReplace,
    MostWouldGo,
    Published,
    Refused,
    foreseen,
    refusal_of,
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
from worker_service.steps.file_sentences import (
    default_sentences,
    defaults_used,
    encoding_sentences,
    unread_sentences,
)
from worker_service.steps.input_file import Refusal, input_file, proposal_stats, refusals
from worker_service.steps.kilograms_ahead import KilogramsAhead
from worker_service.steps.noted_rows import HEADER, NotedRows, RowNotes, ended
from worker_service.steps.shared_ahead import RowsAhead, not_compared_sentences, shared_ahead
from worker_service.steps.shared_rows import AllShared
from worker_service.steps.stores import Stores
from worker_service.steps.taking_away import HOW_TO_CONSENT
from worker_service.steps.upload_sentences import (
    duplicate_sentences,
    in_place_of,
    people_sentences,
    shared_sentences,
    shared_stats,
    stats_of_upload,
    unchanged_sentence,
)

# Five lists stand in the stats of one job, which have a limit together.
INLINE_BYTES = 10 << 10


async def run_csv_check(stores: Stores, run: Run) -> Outcome:
    """Reads, matches and computes a file as csv_ingest and emission_recalc do.

    Ends in ERROR where an ingest would store nothing for want of good rows, in WARNING where it
    would reject rows, leave some without kilograms, or be refused without consent. No fence is
    raised and nothing follows: only the lists of rows are kept, as files.
    """
    job = run.job
    assert job.data_entry_type is not None, "the scheduler checks the scope"
    try:
        with refusals():
            declared = declaration(job.data_entry_type)
            said = job.payload
            file = input_file(stores.blobs, job)
            brought = Brought(file, str(said.get("source", "")), str(said.get("file_name", "")))
            return await _checked(stores, run, await intake_of(stores, run, declared, brought))
    except Refusal as refusal:
        return refusal.outcome()


async def _checked(stores: Stores, run: Run, what: Intake) -> Outcome:
    run.progress(0, 0, "survey")
    entries = await what.foreign.read(stores, what.opened)
    with (
        closing(entries),
        RowNotes(stores.blobs, run.job, entries.rejected_header, INLINE_BYTES) as notes,
        _Ahead(stores, run, what.declared, await _formula(stores, what)) as ahead,
    ):
        loaded = Loaded(kilograms=ahead.kilograms)
        reading = read_rows(run, what, entries, notes, loaded, ahead.add)
        async with aclosing(reading) as batches:
            async for _ in batches:
                pass
        await asyncio.to_thread(notes.keep)
        await asyncio.to_thread(ahead.keep)
        run.progress(loaded.accepted, loaded.accepted, "compare with other uploads")
        return await _Checked(what, entries, notes, ahead, loaded).outcome(stores)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A file that was read to its end."""

    what: Intake
    entries: EntryFile
    notes: RowNotes
    ahead: "_Ahead"
    loaded: Loaded

    async def outcome(self, stores: Stores) -> Outcome:
        """What the job ends with."""
        async with stores.ledger.snapshot() as snapshot:
            shared = await shared_ahead(snapshot, stores.digests, self.what.new, self.ahead.rows)
        await asyncio.to_thread(note_shared, self.notes, shared or AllShared())
        stats = stats_of_file(self.entries, self.loaded, self.notes) | self.ahead.stats()
        unread = self.entries.unread_columns
        defaults = defaults_used(unread, self.what.declared.columns)
        if defaults:
            stats["defaults_used"] = defaults
        if (unread or self.notes.rejected.row_count) and (
            found := await self.what.foreign.proposal(stores)
        ):
            stats |= proposal_stats(found)
        of_file = [
            *unread_sentences(unread),
            *default_sentences(defaults),
            *encoding_sentences(self.entries.encoding),
        ]
        if self.loaded.accepted == 0:
            message = " ".join([nothing_good(self.notes), *of_file])
            return Failed("no_valid_rows", message, stats)
        contents = contents_of(self.loaded, self.notes, is_mended=self.entries.is_mended)
        async with stores.ledger.snapshot() as snapshot:
            new = self.what.new
            seen = await foreseen(snapshot, new, contents, may_take_most=True)
            of = FactorSlice(new.tenant, new.data_entry_type, new.year)
            counting = await published_kilograms(snapshot, of)
        refusal = refusal_of(seen.replaced, contents) if seen.replaced else None
        goes = seen.unchanged or seen.replaced
        gone = None if goes is None else goes.upload_id
        others = [one.total_kg for one in counting if one.entries.entry_set != gone]
        stats |= {
            "kg_before": math.fsum(one.total_kg for one in counting),
            "kg_after": math.fsum([*others, self.ahead.kilograms.total_kg]),
            **_upload_stats(seen, refusal),
            **shared_stats(shared or AllShared()),
        }
        said = [*self._sentences(seen, refusal, shared), *self.loaded.remarks, *of_file]
        twice = seen.duplicates or shared is None or shared.any
        flawed = self.notes.any or self.ahead.any or unread or refusal is not None
        warnings = bool(flawed or twice)
        return Succeeded(stats, " ".join(said), warnings, Written.NOTHING)

    def _sentences(
        self, seen: Published, refusal: Refused | None, shared: AllShared | None
    ) -> list[str]:
        instead = in_place_of(seen.replaced)
        there = unchanged_sentence(seen.unchanged) if seen.unchanged else ""
        return [
            "This was a check, and nothing was written.",
            *self.notes.sentences(self.loaded.accepted, instead=instead, unchanged=there),
            *self.ahead.sentences(),
            *_refusal_sentences(refusal),
            *duplicate_sentences(seen.duplicates),
            # There is no upload yet that might be withdrawn.
            *shared_sentences(shared or AllShared(), seen, row_count=0),
            *people_sentences((shared or AllShared()).people),
            *not_compared_sentences(shared),
        ]


def _upload_stats(seen: Published, refusal: Refused | None) -> dict[str, Any]:
    """Which upload the file would replace, or why not."""
    stats: dict[str, Any] = {}
    if seen.unchanged is not None:
        stats["unchanged"] = True
    if (gone := seen.replaced) is not None:
        stats["would_replace"] = {**stats_of_upload(gone), "total_kg": gone.total_kg}
    if refusal is not None:
        stats["needs_consent"] = refusal.cause
    if seen.duplicates:
        stats["same_rows_in_uploads"] = [one.upload_id for one in seen.duplicates]
    return stats


# Why an ingest asks for consent, by its cause.
_REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        MostWouldGo.cause: "less than half of what it replaces would be left",
        MendedRowsReplace.cause: "it has only rows that were rejected before",
    }
)


def _refusal_sentences(refusal: Refused | None) -> list[str]:
    if refusal is None:
        return []
    why = _REFUSALS[refusal.cause]
    return [f"Without consent the file would be refused, since {why}. {HOW_TO_CONSENT}"]


async def _formula(stores: Stores, what: Intake) -> KilogramsAhead:
    async with stores.ledger.snapshot() as snapshot:
        of = FactorSlice(what.new.tenant, what.new.data_entry_type, what.new.year)
        return KilogramsAhead(await read_formula_inputs(snapshot, of, what.declared, stores.places))


class _Ahead(AbstractContextManager["_Ahead"]):
    """What becomes of the accepted rows: their outcomes, and lists of those to look at."""

    def __init__(
        self, stores: Stores, run: Run, declared: DataEntryType, kilograms: KilogramsAhead
    ) -> None:
        self.kilograms = kilograms
        self.outcomes: Counter[str] = Counter()
        self.rows = RowsAhead(declared)
        self.without = NotedRows(stores.blobs, run.job, "uncomputed", HEADER, INLINE_BYTES)
        self.doubtful = NotedRows(stores.blobs, run.job, "doubtful", HEADER, INLINE_BYTES)
        self._both = ExitStack()

    def __enter__(self) -> Self:
        """Begins to collect."""
        for rows in (self.without, self.doubtful):
            self._both.enter_context(rows)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what was not kept."""
        self._both.__exit__(kind, error, trace)

    def add(self, stored: pl.DataFrame, batch: EntryBatch) -> None:
        """Computes a batch. Blocks."""
        self.rows.add(stored, batch.accepted)
        computed = self.kilograms.add(stored)
        for outcome, count in (
            count_outcomes(computed.outcomes).select("outcome", "entry_count").iter_rows()
        ):
            self.outcomes[outcome] += count
        missing = uncomputed(computed.outcomes).sort("row_number")
        self.without.add(
            missing.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit("").alias("column"),
                pl.col("outcome").alias("value"),
                pl.col("detail").fill_null("").alias("reason"),
            ),
            missing.height,
        )
        doubtful = computed.doubtful.select(
            pl.col("row_number").cast(pl.Int64).alias("row"), "column", "value", "reason"
        )
        self.doubtful.add(doubtful, doubtful["row"].n_unique())

    def keep(self) -> None:
        """Creates the files of rows without kilograms and of doubtful ones. Blocks."""
        self.without.keep()
        self.doubtful.keep()

    @property
    def any(self) -> bool:
        """Whether any row has no kilograms or is doubtful."""
        return self.without.row_count > 0 or self.doubtful.row_count > 0

    def sentences(self) -> list[str]:
        """The sum of the file, and what is missing from it."""
        said = []
        if count := self.without.row_count:
            rows = pluralize(count, "row")
            first = ended(self.without.first_reason)
            said.append(f"{rows} would have no kilograms; the first: {first}")
        if count := self.doubtful.row_count:
            first = ended(self.doubtful.first_reason)
            said.append(f"{pluralize(count, 'row')} with a doubtful value; the first: {first}")
        cut = [*self.without.cut_sentences, *self.doubtful.cut_sentences]
        return [f"The file comes to {self.kilograms.total_kg:,.3f} kg.", *said, *cut]

    def stats(self) -> dict[str, Any]:
        """Stats of the job."""
        return {
            "outcomes": dict(sorted(self.outcomes.items())),
            "kg_of_file": self.kilograms.total_kg,
            **self.without.stats(),
            **self.doubtful.stats(),
        }
