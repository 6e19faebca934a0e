"""Asks before new factors or places halve the kilograms of entries, or double them."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import declaration, module_of
from worker_service.ledger.emission_sets import EmissionSlice, standing_sets
from worker_service.ledger.entry_sets import read_entries
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.formula_inputs import FormulaInputs, read_formula_inputs
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import factors_input, newest_change
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.published_kilograms import (
    WITHOUT_KG,
    published_kilograms,
    rows_without_kilograms,
)
from worker_service.ledger.rehearsal import rehearsal
from worker_service.mechanics.run import Run
from worker_service.steps.changed_factors import factor_patch
from worker_service.steps.input_file import Refusal
from worker_service.steps.kilograms_ahead import KilogramsAhead
from worker_service.steps.noted_rows import ended
from worker_service.steps.taking_away import HOW_TO_ALLOW, has_consent

# Exactly half may go, and as much may come; sums of doubles differ in their last digits.
_HALF = 0.5 * (1 - 1e-9)
_DOUBLE = 2 * (1 + 1e-9)


async def refuse_large_changes(
    ledger: Ledger,
    run: Run,
    slices: Sequence[FactorSlice],
    versioned: str,
    change: Callable[[Connection], Awaitable[object]],
) -> None:
    """Raises Refusal if `change` would more than halve or double the kilograms of one of `slices`.

    `change` is run in a transaction that is rolled back, and `versioned` is the input that it
    changes. The entries are then computed as the recalculation will, only those whose factor has a
    new value if that is enough. Those without kilograms until now cannot double what there is. Does
    nothing if there is consent, or if the change changes nothing.
    """
    if has_consent(run.job):
        return
    run.progress(0, 0, "compare kilograms")
    async with ledger.snapshot() as snapshot:
        have = [of for of in slices if await published_kilograms(snapshot, of)]
    if not have:
        return
    async with rehearsal(ledger) as conn:
        await change(conn)
        if await newest_change(conn, run.job.tenant, [versioned]) != run.job.claim_token:
            return
        inputs = [
            await read_formula_inputs(conn, of, declaration(of.data_entry_type)) for of in have
        ]
    async with ledger.snapshot() as snapshot:
        for of, after in zip(have, inputs, strict=True):
            if versioned != factors_input(of.data_entry_type, of.year) or (
                await _is_large_for_a_patch(snapshot, of, after)
            ):
                await _refuse_large_change(snapshot, run, of, after)


async def _refuse_large_change(
    snapshot: Connection, run: Run, of: FactorSlice, after: FormulaInputs
) -> None:
    uploads = await published_kilograms(snapshot, of)
    before = math.fsum(one.total_kg for one in uploads)
    ahead = KilogramsAhead(after)
    done, total = 0, sum(one.entries.row_count for one in uploads)
    for one in uploads:
        without = await rows_without_kilograms(snapshot, of.tenant, one)
        without_kg = await asyncio.to_thread(frame_of, without, WITHOUT_KG)
        async for rows in read_entries(snapshot, of.tenant, one.entries):
            run.check()
            stored = await asyncio.to_thread(rows.frame)
            await asyncio.to_thread(ahead.add, stored, without_kg["row_number"])
            done += stored.height
            run.progress(done, total, "compare kilograms")
    if ahead.total_kg < _HALF * before:
        would = f"less than half of the kilograms of {of.year} would be left"
        said = _sentence(would, ahead.total_kg, before, ahead)
        raise Refusal("most_would_go", said, HOW_TO_ALLOW)
    if ahead.kg_of_counted > _DOUBLE * before:
        would = f"the kilograms of {of.year} would more than double"
        said = _sentence(would, ahead.kg_of_counted, before, ahead)
        raise Refusal("kilograms_would_double", said, HOW_TO_ALLOW)


async def _is_large_for_a_patch(
    snapshot: Connection, of: FactorSlice, after: FormulaInputs
) -> bool:
    """Whether all entries must be computed to know what a change of factors alone comes to."""
    uploads = await published_kilograms(snapshot, of)
    before = math.fsum(one.total_kg for one in uploads)
    declared = after.declared
    emissions = EmissionSlice(of.tenant, module_of(declared.id).id, declared.id, of.year)
    of_formula = (declared.formula.version, declared.references, declared.unit_sums)
    standing = await standing_sets(snapshot, emissions, *of_formula)
    counted = {one.entries.entry_set for one in uploads}
    sets = [one for one in standing if one.entries.entry_set in counted]
    patch = await factor_patch(snapshot, of.tenant, sets, after)
    if patch is None or patch.entry_sets != counted:
        return True
    gained = math.fsum(patch.emissions["kg"]) - math.fsum(patch.emissions["kg_before"])
    return not _HALF * before <= before + gained <= _DOUBLE * before


def _sentence(would: str, after: float, before: float, ahead: KilogramsAhead) -> str:
    said = f"Nothing was changed, since {would}: {after:,.3f} kg instead of {before:,.3f} kg."
    if without := ahead.entries_without_kg:
        entries = pluralize(without, "entry", "entries")
        said += f" {entries} would have no kilograms; the first: {ended(ahead.first_reason)}"
    return said
