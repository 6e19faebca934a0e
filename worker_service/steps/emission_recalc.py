"""emission_recalc: computes emissions from the entries and factors of one type and year."""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from worker_service.carbon.catalogue import NotSupported, declaration
from worker_service.carbon.factor_digest import fitting_digest
from worker_service.carbon.outcomes import BOOKED
from worker_service.ledger import factor_uses
from worker_service.ledger.doubts import ENTRIES_KEPT_MAX, Doubts, doubts_of, note_doubts
from worker_service.ledger.emission_patches import publish_patch
from worker_service.ledger.emission_sets import (
    EmissionSlice,
    Plan,
    load_emissions,
    load_outcome_counts,
    note_sums,
    open_emission_sets,
    plan_emissions,
    publish_emissions,
    sample_uncomputed,
)
from worker_service.ledger.emission_sets import count_outcomes as count_published
from worker_service.ledger.emission_sums import (
    SUM_ROWS,
    RowSlice,
    SetLeaf,
    leaves_of,
    store_sums,
)
from worker_service.ledger.entry_sets import (
    PublishedSet,
    read_sets,
    sharing_batches,
)
from worker_service.ledger.errors import InputMoved
from worker_service.ledger.factor_uses import FactorUses, listed_rows
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.formula_inputs import FormulaInputs, read_formula_inputs
from worker_service.ledger.pool import Connection
from worker_service.mechanics.outcome import Outcome, RetryLater, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.changed_factors import FactorPatch, factor_patch
from worker_service.steps.computed_batches import computed_batches
from worker_service.steps.doubtful_entries import (
    doubt_sentences,
    doubt_stats,
    note_again,
)
from worker_service.steps.noted_rows import NotedRows
from worker_service.steps.prefetched import prefetched
from worker_service.steps.publishing import SMALL_ROWS, SMALL_SETS, abandon_sets, publish
from worker_service.steps.stale_in_use import stale_in_use
from worker_service.steps.stores import Stores
from worker_service.steps.sums_beside import SumsBeside


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows ready to be loaded, and the sets that they are the first of. `fitting` is the digest of
    what decides which factors fit, and `slices` are those of the entries.
    """

    emissions: bytes
    uncomputed: bytes
    to_open: Sequence[PublishedSet]
    fitting: str
    slices: Sequence[RowSlice] = ()


@dataclass(slots=True)
class _SetSums:
    """What the batches of a set come to. `counts` are by unit and outcome."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    kg: list[float] = field(default_factory=list)
    doubts: Doubts = field(default_factory=Doubts)

    @property
    def total_kg(self) -> float:
        """In kg CO2eq."""
        return math.fsum(self.kg)

    @property
    def without_kg(self) -> int:
        """How many entries have no kilograms."""
        return sum(n for (_, outcome), n in self.counts.items() if outcome not in BOOKED)


async def run_emission_recalc(stores: Stores, run: Run) -> Outcome:
    """Computes the emissions of sets of entries whose inputs have changed, and only those.

    Ends in WARNING if entries have no emissions, use stale factors or look doubtful. Runs again
    later if another recalculation published in between.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.data_entry_type is not None
    assert job.year is not None
    of = EmissionSlice(job.tenant, job.module, job.data_entry_type, job.year)
    try:
        declaration(job.data_entry_type)
    except NotSupported as unsupported:
        return Succeeded({"entries": 0}, f"There is nothing to compute: {unsupported}.")
    await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
    with NotedRows(stores.blobs, job, "warned") as warned:
        return await _recalculated(stores, run, of, warned)


async def _recalculated(stores: Stores, run: Run, of: EmissionSlice, warned: NotedRows) -> Outcome:
    token = run.job.claim_token
    async with SumsBeside(stores.ledger, of.tenant, token) as beside:
        work, has_more = await _computed(stores, run, of, warned, beside)
        # Without the snapshot, which would be ended for being idle.
        await beside.finish()
    plan = work.plan
    for sets in () if work.unwritten else sharing_batches(plan.compute, SUM_ROWS):
        run.check()
        await _keep_sums(stores, work, token, sets)
    await asyncio.to_thread(warned.keep)
    if not plan.nothing_to_do:
        run.progress(_rows(plan), _rows(plan), "publish")
        try:
            await publish(
                run,
                stores.ledger,
                [of.ledger_scope],
                lambda conn: _publish(conn, run.job.claim_token, work),
                plan.tokens_read,
            )
        except InputMoved as moved:
            await abandon_sets(stores.ledger, run.job, of.ledger_scope)
            return RetryLater(str(moved))
    return await _outcome(stores, work, doubt_sentences(warned, has_more=has_more))


async def _computed(
    stores: Stores, run: Run, of: EmissionSlice, warned: NotedRows, beside: SumsBeside
) -> tuple["_Work", bool]:
    """What was to be done, computed and loaded at one moment; and whether doubts were left out."""
    declared = declaration(of.data_entry_type)
    async with stores.ledger.snapshot() as snapshot:
        plan = await plan_emissions(
            snapshot, of, declared.formula.version, declared.references, declared.unit_sums
        )
        work = _Work(of, plan, warned, beside)
        if plan.compute:
            work.inputs = await read_formula_inputs(snapshot, of.factors, declared, stores.places)
            await work.patch_what_stands(snapshot)
        if work.plan.compute:
            await _compute_and_load(stores, run, work, snapshot)
        stays = [one.entry_set for one in work.plan.stays]
        return work, await note_again(work.warned, doubts_of(snapshot, of, stays))


async def _publish(conn: Connection, token: int, work: "_Work") -> None:
    for part in work.unwritten:
        await _load(conn, work, token, part)
    if work.unwritten:
        leaves = await leaves_of(conn, work.of.tenant, token, work.plan.compute)
        uses = await asyncio.to_thread(listed_rows, work.of.tenant, token, work.uses)
        await _store_sums(conn, work, token, work.plan.compute, leaves, uses)
    await publish_emissions(conn, work.of, token, work.plan)
    if work.patch is not None:
        sets, rows = work.patch.sets, work.patch.emissions
        await publish_patch(conn, work.of.tenant, sets, rows, work.plan.inputs)


def _rows(plan: Plan) -> int:
    return sum(one.row_count for one in plan.compute)


@dataclass(slots=True)
class _Work:
    """What to compute or patch, and where to note doubtful entries.

    `inputs` is None while there is nothing to compute. `sums` are by set of entries. `unwritten`
    are all rows of a small computation: its publication loads and sums them. Rows of a larger one
    are summed `beside`.
    """

    of: EmissionSlice
    plan: Plan
    warned: NotedRows
    beside: SumsBeside
    inputs: FormulaInputs | None = None
    patch: FactorPatch | None = None
    sums: Mapping[int, _SetSums] = field(default_factory=dict)
    uses: Mapping[PublishedSet, FactorUses] = field(default_factory=dict)
    unwritten: list[_Part] = field(default_factory=list)

    @property
    def is_small(self) -> bool:
        """Whether its publication loads the rows."""
        return _rows(self.plan) <= SMALL_ROWS and len(self.plan.compute) <= SMALL_SETS

    async def patch_what_stands(self, snapshot: Connection) -> None:
        """Moves sets for which a patch does from those to compute to those to patch."""
        assert self.inputs is not None, "there is something to compute"
        tenant, standing = self.of.tenant, self.plan.standing
        self.patch = await factor_patch(snapshot, tenant, standing, self.inputs)
        if self.patch is not None:
            patched = self.patch.entry_sets
            left = [one for one in self.plan.compute if one.entry_set not in patched]
            self.plan = replace(self.plan, compute=left, patched=self.patch.sets)

    @property
    def entries_computed(self) -> int:
        """Entries of sets that are computed, and those of a patch."""
        return _rows(self.plan) + (self.patch.entries if self.patch else 0)

    @property
    def sets_computed(self) -> int:
        """Sets with an emission that may be another one than before."""
        patched = len(self.patch.changed_sets) if self.patch else 0
        return len(self.plan.compute) + patched


async def _compute_and_load(stores: Stores, run: Run, work: _Work, snapshot: Connection) -> None:
    """Reads, computes and loads in three overlapping stages, a batch of rows at a time.

    Sets `work.sums`, and `work.unwritten` if the work is small.
    """
    of, plan, inputs = work.of, work.plan, work.inputs
    assert inputs is not None, "there is something to compute"
    token = run.job.claim_token
    fitting = await asyncio.to_thread(fitting_digest, inputs.declared, inputs.factors)
    work.sums = {entries.entry_set: _SetSums() for entries in plan.compute}
    done, total = 0, _rows(plan)
    run.progress(done, total, "compute")
    read = prefetched(read_sets(snapshot, of.tenant, plan.compute))
    work.uses = {one: FactorUses() for one in plan.compute if factor_uses.are_listed(one)}
    listed = {one.entry_set: uses for one, uses in work.uses.items()}
    computed = prefetched(computed_batches(read, of, inputs, token, frozenset(listed)))
    to_open = plan.compute
    async with aclosing(computed):
        async for batch in computed:
            run.check()
            part = _Part(batch.emissions, batch.uncomputed, to_open, fitting, batch.slices)
            await _load_or_keep(stores, work, token, part)
            to_open = []
            for (entry_set, unit, outcome), number in batch.counts.items():
                work.sums[entry_set].counts[unit, outcome] += number
            for entry_set, kg in batch.kg.items():
                work.sums[entry_set].kg.append(kg)
            for entry_set, uses in batch.uses.items():
                await asyncio.to_thread(listed[entry_set].add, uses)
            await _note_doubts(work.warned, work.sums, batch.doubtful)
            done += batch.counts.total()
            run.progress(done, total, "compute")
    if to_open:
        # No entry is left in any of them.
        await _load_or_keep(stores, work, token, _Part(b"", b"", to_open, fitting))


async def _load_or_keep(stores: Stores, work: _Work, token: int, part: _Part) -> None:
    if work.is_small:
        work.unwritten.append(part)
        return
    async with stores.ledger.loading() as conn:
        await _load(conn, work, token, part)
    await work.beside.add(part.slices)


async def _load(conn: Connection, work: _Work, token: int, part: _Part) -> None:
    await open_emission_sets(conn, work.of, token, part.to_open, work.plan.inputs, part.fitting)
    await load_emissions(conn, work.of.tenant, token, part.emissions, part.uncomputed)


async def _note_doubts(
    warned: NotedRows, sums: Mapping[int, _SetSums], doubtful: Mapping[int, pl.DataFrame]
) -> None:
    for entry_set, of_set in doubtful.items():
        doubted = of_set["row"].n_unique()
        sums[entry_set].doubts.add(doubted, of_set.head(ENTRIES_KEPT_MAX).to_dicts())
        await asyncio.to_thread(warned.add, of_set, doubted)


async def _keep_sums(stores: Stores, work: _Work, token: int, sets: Sequence[PublishedSet]) -> None:
    leaves = work.beside.leaves.of_sets([one.entry_set for one in sets])
    of_sets = {one: work.uses[one] for one in sets if one in work.uses}
    uses = await asyncio.to_thread(listed_rows, work.of.tenant, token, of_sets)
    async with stores.ledger.loading() as conn:
        await _store_sums(conn, work, token, sets, leaves, uses)


async def _store_sums(
    conn: Connection,
    work: _Work,
    token: int,
    sets: Sequence[PublishedSet],
    leaves: Sequence[SetLeaf],
    uses: Sequence[tuple[int, bytes]],
) -> None:
    tenant = work.of.tenant
    sums = {one.entry_set: work.sums[one.entry_set] for one in sets}
    counts = [
        (entry_set, unit, outcome, number)
        for entry_set, one in sums.items()
        for (unit, outcome), number in one.counts.items()
    ]
    noted = [(entry_set, one.total_kg, one.without_kg) for entry_set, one in sums.items()]
    doubts = {entry_set: one.doubts for entry_set, one in sums.items() if one.doubts.entries}
    await load_outcome_counts(conn, tenant, token, counts)
    await note_sums(conn, tenant, token, noted)
    if doubts:
        await note_doubts(conn, tenant, token, doubts)
    await factor_uses.store_uses(conn, tenant, token, uses)
    await store_sums(conn, tenant, token, list(sums), leaves)


async def _outcome(stores: Stores, work: _Work, doubted: Sequence[str]) -> Succeeded:
    of, plan, warned = work.of, work.plan, work.warned
    async with stores.ledger.snapshot() as conn:
        outcomes = await count_published(conn, of)
        without = {name: number for name, number in outcomes.items() if name not in BOOKED}
        sample = await sample_uncomputed(conn, of) if without else []
        stale = await stale_in_use(conn, of.factors)
    stats: dict[str, Any] = {
        "rows": work.entries_computed,
        "entries": sum(outcomes.values()),
        "outcomes": outcomes,
        "sets_computed": work.sets_computed,
        "sets_kept": len(plan.compute) + len(plan.stays) - work.sets_computed,
    }
    if without:
        stats["uncomputed"] = [
            {"outcome": outcome, "detail": detail, "entries": number}
            for outcome, detail, number in sample
        ]
    stats |= stale.stats() | doubt_stats(warned)
    sentences = [_sentence(plan, outcomes, without, stats), *doubted]
    sentences += [stale.sentence()] if stale else []
    warnings = bool(without or stale or warned.row_count)
    return Succeeded(stats, " ".join(sentences), warnings=warnings)


def _sentence(
    plan: Plan, outcomes: Mapping[str, int], without: Mapping[str, int], stats: Mapping[str, Any]
) -> str:
    booked = sum(outcomes.values()) - sum(without.values())
    sentence = "1 entry has emissions" if booked == 1 else f"{booked:,} entries have emissions"
    if plan.nothing_to_do and outcomes:
        sentence += "; nothing has changed"
    if without:
        counts = ", ".join(f"{number:,} {name}" for name, number in without.items())
        none = sum(without.values())
        sentence += f", {none:,} {'has' if none == 1 else 'have'} none ({counts}"
        first = stats["uncomputed"][0]["detail"] if stats["uncomputed"] else ""
        sentence += f"; the most frequent: {first})" if first else ")"
    return sentence + "."
