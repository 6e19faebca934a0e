"""Says what a load of factors, places, rows or units would do, and writes no data."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import declaration
from worker_service.ledger.entry_sets import published_sets, read_entries
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.formula_inputs import FormulaInputs, read_formula_inputs
from worker_service.ledger.input_versions import newest_change
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.published_kilograms import published_kilograms
from worker_service.ledger.rehearsal import rehearsal
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome, Written
from worker_service.mechanics.run import Run
from worker_service.steps.input_file import Refusal
from worker_service.steps.kilograms_ahead import KilogramsAhead
from worker_service.steps.proposals import ForeignFile
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import Parsed, TableReport

CHECKS = frozenset({"factor_check", "reference_check", "unit_check"})

Changes = TypeVar("Changes")


@dataclass(frozen=True, slots=True)
class Load(Generic[Changes]):
    """A load whose file has been read.

    `save` writes its rows within a transaction; `sentence` and `stats` tell what that changed.
    `refuse` raises Refusal where nobody has consented to what the load would take away. `slices`
    are the types and years whose kilograms follow, and `versioned` is the input that is changed,
    "" for none.
    """

    save: Callable[[Connection], Awaitable[Changes]]
    sentence: Callable[[Changes], str]
    stats: Callable[[Changes], Mapping[str, Any]]
    refuse: Callable[[], Awaitable[None]]
    slices: Sequence[FactorSlice] = ()
    versioned: str = ""


async def nothing_to_refuse() -> None:
    """Of loads that take nothing away."""


def is_check(job: ClaimedJob) -> bool:
    """Whether a load is only to be looked at."""
    return job.job_type in CHECKS


async def proposed_by_check(
    stores: Stores, job: ClaimedJob, file: ForeignFile, parsed: Parsed
) -> Mapping[str, Any]:
    """A mapping with which a checked file might be read better; {} for none, and for a load."""
    return await file.proposal_beside(stores, parsed) if is_check(job) else {}


async def checked_load(
    ledger: Ledger, run: Run, report: TableReport, load: Load[Changes]
) -> Outcome:
    """What the load would end with, and what the entries of its types and years would come to.

    The rows are saved in a transaction that is rolled back. All entries are computed with what it
    would leave, so this takes as long as the recalculations that would follow.
    """
    refusal = await _refusal(load)
    run.progress(0, 0, "compare kilograms")
    async with rehearsal(ledger) as conn:
        changes = await load.save(conn)
        inputs = await _inputs(conn, run, load)
    kilograms = []
    async with ledger.snapshot() as snapshot:
        for of, after in inputs:
            kilograms.append(await _kilograms(snapshot, run, of, after))
    stats = {**load.stats(changes), "kilograms": kilograms}
    said = [load.sentence(changes), *map(_kilograms_sentence, kilograms)]
    if refusal is not None:
        stats["needs_consent"] = refusal.cause
        said.append(f"Without consent it would be refused: {refusal.message} {refusal.advice}")
    outcome = report.succeeded(" ".join(said), stats, warnings=refusal is not None)
    message = f"This was a check, and nothing was written. {outcome.message}"
    return replace(outcome, message=message, written=Written.NOTHING)


async def _refusal(load: Load[Changes]) -> Refusal | None:
    try:
        await load.refuse()
    except Refusal as refusal:
        return refusal
    return None


async def _inputs(
    conn: Connection, run: Run, load: Load[Changes]
) -> list[tuple[FactorSlice, FormulaInputs]]:
    """What the formulas would read. Nothing if the load changes nothing that they read."""
    if not load.versioned:
        return []
    newest = await newest_change(conn, run.job.tenant, [load.versioned])
    if newest != run.job.claim_token:
        return []
    return [
        (of, await read_formula_inputs(conn, of, declaration(of.data_entry_type)))
        for of in load.slices
    ]


async def _kilograms(
    snapshot: Connection, run: Run, of: FactorSlice, after: FormulaInputs
) -> dict[str, Any]:
    before = math.fsum(one.total_kg for one in await published_kilograms(snapshot, of))
    ahead = KilogramsAhead(after)
    sets = await published_sets(snapshot, of.tenant, of.data_entry_type, of.year)
    done, total = 0, sum(one.row_count for one in sets)
    for one in sets:
        async for rows in read_entries(snapshot, of.tenant, one):
            run.check()
            stored = await asyncio.to_thread(rows.frame)
            await asyncio.to_thread(ahead.add, stored)
            done += stored.height
            run.progress(done, total, "compare kilograms")
    return {
        "type": after.declared.name,
        "year": of.year,
        "kg_before": before,
        "kg_after": ahead.total_kg,
        "entries_without_kg": ahead.entries_without_kg,
    }


def _kilograms_sentence(of: Mapping[str, Any]) -> str:
    name = f"{of['type'].replace('_', ' ')} {of['year']}"
    said = f"{name}: {of['kg_before']:,.3f} kg now, {of['kg_after']:,.3f} kg with the file"
    if without := of["entries_without_kg"]:
        said += f", and {pluralize(without, 'entry', 'entries')} without kilograms"
    return f"{said}."
