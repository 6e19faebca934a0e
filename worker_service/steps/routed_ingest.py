"""routed_ingest: divides a file of several data-entry types, and has each part ingested."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, aclosing, closing
from types import MappingProxyType
from typing import Any

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.blobs.store import Upload
from worker_service.carbon.catalogue import module_by_id
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.reading import TextFile
from worker_service.carbon.parse.routed_rows import (
    RoutedBatch,
    header_line,
    read_routed,
    routed_batches,
)
from worker_service.carbon.parse.values import as_comparison_key
from worker_service.carbon.routes import Routes, routes_of
from worker_service.carbon.stored import factors_from_stored
from worker_service.ledger.factors import FACTOR_SCHEMA, FactorSlice, read_factors
from worker_service.ledger.frames import frame_of
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest
from worker_service.steps.file_sentences import encoding_sentences
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.noted_rows import RowNotes, ended
from worker_service.steps.prefetched import off_loop, prefetched
from worker_service.steps.scoped_lists import list_name, note_files
from worker_service.steps.stores import Stores

# By the job that divides a file: what follows for each part.
FOLLOWED_BY: Mapping[str, str] = MappingProxyType(
    {
        "routed_ingest": "csv_ingest",
        "routed_check": "csv_check",
        "routed_factor_ingest": "factor_ingest",
        "routed_factor_check": "factor_check",
    }
)
_OF_FACTORS = frozenset({"factor_ingest", "factor_check"})
# What a part's job is told of the file.
PASSED_ON = ("file_name", "source", "is_seed_run", "take_away", "mode")


async def run_routed_ingest(stores: Stores, run: Run) -> Outcome:
    """Divides the rows of an uploaded file by the routing column of the module.

    Each type's rows become a file and a job of their own, such as a csv_ingest, which is to the
    ledger what it would be if somebody had submitted it. Rows whose type is not known are
    rejected. Ends in ERROR, with nothing to follow, if no row has a type.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    try:
        with refusals():
            routes = _routes(job.module, of_factors=FOLLOWED_BY[job.job_type] in _OF_FACTORS)
            kinds = await _kinds(stores, run, routes)
            file = input_file(stores.blobs, job)
            text = await asyncio.to_thread(
                read_routed, routes, file.open, of_one_unit=job.unit is not None
            )
            with closing(text):
                return await _divided(stores, run, routes, text, kinds)
    except Refusal as refusal:
        return refusal.outcome()


def _routes(module: int, *, of_factors: bool) -> Routes:
    found = routes_of(module, of_factors=of_factors)
    if found is None:
        name = module_by_id(module).name
        raise Refusal(
            "not_routed", f"No column tells the types of {name} apart: submit a file for each."
        )
    return found


async def _kinds(stores: Stores, run: Run, routes: Routes) -> pl.DataFrame:
    """Kind and types: of which types there are factors for each kind in the year."""
    year = run.job.year
    assert year is not None, "the scheduler checks the scope"
    found = [pl.DataFrame(schema={"kind": pl.String, "type": pl.String})]
    async with stores.ledger.snapshot() as snapshot:
        for name, declared in () if routes.of_factors else routes.types.items():
            rows = await read_factors(snapshot, FactorSlice(run.job.tenant, declared.id, year))
            stored = await asyncio.to_thread(frame_of, rows, FACTOR_SCHEMA)
            factors = factors_from_stored(declared, stored)
            kind = as_comparison_key(pl.col("kind"))
            found.append(factors.select(kind, pl.lit(name).alias("type")))
    grouped = pl.concat(found).unique().sort("kind", "type").group_by("kind", maintain_order=True)
    return grouped.agg(pl.col("type").alias("types"))


async def _divided(
    stores: Stores, run: Run, routes: Routes, text: TextFile, kinds: pl.DataFrame
) -> Outcome:
    rows = dict.fromkeys(routes.types, 0)
    rejected_header = Originals(text.header).first_line()
    with ExitStack() as opened, RowNotes(stores.blobs, run.job, rejected_header) as notes:
        parts = {name: opened.enter_context(_part(stores, run, name)) for name in routes.types}
        for part in parts.values():
            await asyncio.to_thread(part.write, header_line(text.header))

        def prepare(batch: RoutedBatch) -> RoutedBatch:
            for name, lines in batch.lines.items():
                parts[name].write(lines)
            rejected = batch.rejected
            notes.rejected.add(rejected, rejected["row"].n_unique(), batch.rejected_lines)
            return batch

        batches = map(prepare, routed_batches(text, routes, kinds))
        async with aclosing(prefetched(off_loop(batches))) as prepared:
            async for batch in prepared:
                run.check()
                for name, count in batch.rows.items():
                    rows[name] += count
                run.progress(sum(rows.values()), text.line_count, "route")
        await asyncio.to_thread(notes.keep)
        routed = {name: count for name, count in rows.items() if count}
        kept = {name: str((await asyncio.to_thread(parts[name].keep)).reference) for name in routed}
    # The jobs of the parts name them, also if no upload comes of them.
    files = {blob: list_name(name, run.job) for name, blob in kept.items()}
    await note_files(stores.ledger, run.job, files)
    stats = {
        "rows": sum(rows.values()) + notes.rejected.row_count,
        "rows_routed": sum(rows.values()),
        **notes.rejected.stats(),
        "encoding": text.encoding.name,
        "types": routed,
    }
    first = notes.rejected.first_reason
    if not routed:
        said = f"No row says of which type it is, so nothing was changed; the first: {ended(first)}"
        return Failed("no_valid_rows", " ".join([said, *notes.cut_sentences()]), stats)
    await run.chain([_child(run, routes, name, blob) for name, blob in kept.items()])
    sentence = _sentence(routed, notes.rejected.row_count, first)
    message = " ".join([sentence, *notes.cut_sentences(), *encoding_sentences(text.encoding)])
    return Succeeded(stats, message, notes.any, Written.NOTHING)


def _part(stores: Stores, run: Run, name: str) -> Upload:
    job = run.job
    parts = {"tenant": job.tenant, "module": job.module, "year": job.year, "unit": job.unit}
    scope: dict[str, Any] = {name: part for name, part in parts.items() if part is not None}
    return stores.blobs.begin(job.tenant, list_name(name, job), scope)


def _child(run: Run, routes: Routes, name: str, blob: str) -> ChildRequest:
    said = {key: run.job.payload[key] for key in PASSED_ON if run.job.payload.get(key)}
    entry_type = routes.types[name].id
    child = FOLLOWED_BY[run.job.job_type]
    return ChildRequest(f"route:{name}", child, entry_type, payload={"blob": blob, **said})


def _sentence(routed: Mapping[str, int], rejected: int, first: str) -> str:
    """Such as "12 rows routed: 7 services, 5 vehicles; 1 rejected: row 3, ..."."""
    parts = ", ".join(f"{count:,} {name}" for name, count in routed.items())
    sentence = f"{pluralize(sum(routed.values()), 'row')} routed: {parts}"
    if not rejected:
        return f"{sentence}."
    return f"{sentence}; {pluralize(rejected, 'row')} rejected; the first: {ended(first)}"
