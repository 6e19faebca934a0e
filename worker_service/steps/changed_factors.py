"""Recomputes the entries whose factor has a new value, where no entry finds another factor."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.compute import Computed, compute
from worker_service.carbon.factor_digest import fitting_digest
from worker_service.carbon.stored import entries_from_stored
from worker_service.ledger.emission_patches import (
    EMISSION_SCHEMA,
    affected_entries,
    emissions_of,
    entries_of,
)
from worker_service.ledger.emission_sets import StandingSet, emission_rows
from worker_service.ledger.entry_sets import NO_ROWS, StoredRows
from worker_service.ledger.formula_inputs import FormulaInputs
from worker_service.ledger.frames import frame_of
from worker_service.ledger.pool import Connection

# What a patch leaves as it is. If a value changes anything else, whole sets are computed.
_STAYS = ("entry_set", "row_number", "part", "unit", "emission_type", "factor_id")


@dataclass(frozen=True, slots=True, eq=False)
class FactorPatch:
    """What new values of factors change in published emissions.

    `sets` are all sets of which a patch does, those without a change too. `emissions` has the
    columns of `publish_patch`, and `kg_before`. `entries` counts the entries computed.
    """

    sets: Sequence[StandingSet]
    emissions: pl.DataFrame
    entries: int

    @property
    def entry_sets(self) -> frozenset[int]:
        """The sets of entries of `sets`."""
        return frozenset(one.entries.entry_set for one in self.sets)

    @property
    def changed_sets(self) -> frozenset[int]:
        """The sets of entries with a changed emission."""
        return frozenset(self.emissions["entry_set"].unique())


async def factor_patch(
    snapshot: Connection, tenant: str, standing: Sequence[StandingSet], inputs: FormulaInputs
) -> FactorPatch | None:
    """The patch for `standing` sets, of which only factors have changed. None: compute them whole.

    That is so if an entry may find another factor than before, if a value changes more than
    kilograms or may decide what is doubtful, or if the patch were too large. Call it within the
    snapshot of the sets.
    """
    if inputs.declared.factor_warnings:
        return None
    digest = await asyncio.to_thread(fitting_digest, inputs.declared, inputs.factors)
    sets = [one for one in standing if one.factors_digest == digest]
    if not sets:
        return None
    affected = await affected_entries(snapshot, tenant, sets, inputs.factors)
    if affected is None:
        return None
    before = await emissions_of(snapshot, tenant, affected)
    entries = await entries_of(snapshot, tenant, affected, sets)
    emissions = await asyncio.to_thread(_patched, before, entries, inputs)
    if emissions is None:
        return None
    by_entries = pl.DataFrame(
        [(one.entries.entry_set, one.emission_set) for one in sets],
        schema={"entry_set": pl.Int64, "emission_set": pl.Int64},
        orient="row",
    )
    emissions = emissions.join(by_entries, on="entry_set", maintain_order="left")
    return FactorPatch(sets, emissions, len(affected.row_numbers))


def _patched(
    before: bytes, entries: Sequence[StoredRows], inputs: FormulaInputs
) -> pl.DataFrame | None:
    there = frame_of(before, EMISSION_SCHEMA)
    frames = [entries_from_stored(inputs.declared, rows.frame()) for rows in entries]
    frame = pl.concat(frames or [entries_from_stored(inputs.declared, NO_ROWS.frame())])
    computed = compute(inputs.declared, frame, inputs.factors, inputs.references)
    after = _numbered(computed)
    if not there.select(_STAYS).equals(after.select(_STAYS)):
        return None
    had, has = there["additional_value"].is_null(), after["additional_value"].is_null()
    if not had.equals(has):
        return None
    return after.with_columns(kg_before=there["kg"])


def _numbered(computed: Computed) -> pl.DataFrame:
    rows = emission_rows("", 0, computed.emissions).drop("tenant", "emission_set")
    typed = rows.with_columns(
        pl.col(name).cast(dtype) for name, dtype in EMISSION_SCHEMA.items() if name in rows.columns
    )
    return typed.sort("entry_set", "row_number", "part")
