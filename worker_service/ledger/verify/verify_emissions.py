"""Invariant 13: computes the emissions of entries again, and compares them with the stored ones."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from worker_service.carbon.compute import compute
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.outcomes import uncomputed
from worker_service.carbon.stored import entries_from_stored
from worker_service.ledger.emission_sets import EmissionSlice, plan_emissions
from worker_service.ledger.entry_sets import BATCH_ROWS, PublishedSet, StoredRows, read_slice
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.formula_inputs import FormulaInputs, read_formula_inputs
from worker_service.ledger.frames import Schema, copy_out, frame_of
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.verify.invariants import FINDINGS_MAX, TOTALS, Chosen, Finding

# The last digits of a sine may differ between two machines.
RELATIVE_TOLERANCE = 1e-9
# Looked at by one page, however few rows they have.
SETS_MAX = 200
ROW_NUMBER_MAX = 2**31 - 1
EMISSION_SCHEMA: Schema = {
    "row_number": pl.Int32,
    "unit": pl.String,
    "emission_type": pl.String,
    "scope": pl.Int16,
    "kg": pl.Float64,
    "additional_value": pl.Float64,
    "factor_id": pl.Int64,
    "factor_version": pl.Int32,
    "overridden": pl.Boolean,
}
# Without the reason in words: another release may say it in others.
UNCOMPUTED_SCHEMA: Schema = {
    "row_number": pl.Int32,
    "unit": pl.String,
    "outcome": pl.String,
}
_IDENTITY = ("row_number", "emission_type", "factor_id")
_EXACT = ("unit", "scope", "factor_version", "overridden")
_CLOSE = ("kg", "additional_value")

NEXT_SLICE = """
SELECT DISTINCT year, data_entry_type, module
FROM carbon.emission_sets
WHERE tenant = $1 AND state = 'PUBLISHED' AND (year, data_entry_type) >= ($2, $3)
    AND (CAST($4 AS smallint) IS NULL OR year = $4)
    AND (CAST($5 AS smallint) IS NULL OR module = $5)
ORDER BY year, data_entry_type
LIMIT 1
"""
EMISSION_SETS = """
SELECT entry_set, emission_set
FROM carbon.emission_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
    AND (CAST($4 AS timestamptz) IS NULL OR published_at >= $4)
"""
EMISSIONS = """
SELECT row_number, unit, emission_type, scope, kg, additional_value, factor_id, factor_version,
    CAST(overridden AS text) AS overridden
FROM carbon.emissions
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4 AND row_number <= $5
"""
UNCOMPUTED = """
SELECT row_number, unit, outcome
FROM carbon.uncomputed_entries
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number > $4 AND row_number <= $5
"""


class Place(NamedTuple):
    """Where a page begins: behind this row of this upload, in this slice or a later one."""

    year: int = 0
    data_entry_type: int = 0
    entry_set: int = 0
    row_number: int = 0


@dataclass(slots=True)
class EmissionsPage:
    """What was found on a page, and how many entries were computed. `next` is None on the last."""

    findings: list[Finding] = field(default_factory=list)
    entries: int = 0
    next: Place | None = None


@dataclass(frozen=True, slots=True)
class _Slice:
    """The emissions of a type and year, and how this release computes them."""

    emissions: EmissionSlice
    known: DataEntryType
    changed_since: datetime | None

    @property
    def factors(self) -> FactorSlice:
        of = self.emissions
        return FactorSlice(of.tenant, of.data_entry_type, of.year)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some rows of an upload, as stored: `behind` the first of them, `through` the last."""

    one: PublishedSet
    behind: int
    through: int
    entries: StoredRows
    emissions: bytes
    uncomputed: bytes


async def verify_emissions(
    ledger: Ledger,
    chosen: Chosen,
    begin: Place,
    entries_max: int,
    declared: Callable[[int], DataEntryType | None],
) -> EmissionsPage:
    """Computes the next chosen entries, about `entries_max`, of uploads that are not stale.

    `declared` gives the declaration of a type, or None if this release cannot compute it. Raises
    DatabaseUnavailable.
    """
    page = EmissionsPage()
    async with ledger.snapshot() as conn:
        row = await conn.fetchrow(NEXT_SLICE, chosen.tenant, *begin[:2], chosen.year, chosen.module)
        if row is None:
            return page
        of = EmissionSlice(chosen.tenant, row["module"], row["data_entry_type"], row["year"])
        if (of.year, of.data_entry_type) != begin[:2]:
            begin = Place(of.year, of.data_entry_type)
        page.next = Place(of.year, of.data_entry_type + 1)
        known = declared(of.data_entry_type)
        if known is not None:
            await _verify_slice(
                conn, _Slice(of, known, chosen.changed_since), begin, page, entries_max
            )
    return page


async def _verify_slice(
    conn: Connection, of: _Slice, begin: Place, page: EmissionsPage, entries_max: int
) -> None:
    inputs: FormulaInputs | None = None
    sets = 0
    async with aclosing(_batches(conn, of, begin)) as batches:
        async for batch in batches:
            if inputs is None:
                inputs = await read_formula_inputs(conn, of.factors, of.known)
            found, entries = await asyncio.to_thread(_compare, of.emissions, inputs, batch)
            page.findings += found[: FINDINGS_MAX - len(page.findings)]
            page.entries += entries
            sets += batch.behind == 0
            if page.entries >= entries_max or sets >= SETS_MAX:
                here = (of.emissions.year, of.emissions.data_entry_type)
                page.next = Place(*here, batch.one.entry_set, batch.through)
                return


async def _batches(conn: Connection, of: _Slice, begin: Place) -> AsyncGenerator[_Batch, None]:
    known = of.known
    of_formula = (known.formula.version, known.references, known.unit_sums)
    plan = await plan_emissions(conn, of.emissions, *of_formula)
    tenant = of.emissions.tenant
    slice_ = (tenant, of.emissions.data_entry_type, of.emissions.year)
    rows = await conn.fetch(EMISSION_SETS, *slice_, of.changed_since)
    computed = {row["entry_set"]: row["emission_set"] for row in rows}
    for one in plan.keep:
        if one.entry_set < begin.entry_set or one.entry_set not in computed:
            continue
        behind = begin.row_number if one.entry_set == begin.entry_set else 0
        # What stands behind the last entry belongs to none: the last batch takes all of it.
        while behind < ROW_NUMBER_MAX:
            through = behind + BATCH_ROWS
            if through >= one.last_row_number:
                through = ROW_NUMBER_MAX
            of_set = (tenant, computed[one.entry_set], one.entry_set, behind, through)
            yield _Batch(
                one,
                behind,
                through,
                await read_slice(conn, tenant, one, behind, through),
                await copy_out(conn, EMISSIONS, *of_set),
                await copy_out(conn, UNCOMPUTED, *of_set),
            )
            behind = through


def _compare(of: EmissionSlice, inputs: FormulaInputs, batch: _Batch) -> tuple[list[Finding], int]:
    entries = entries_from_stored(inputs.declared, batch.entries.frame())
    computed = compute(inputs.declared, entries, inputs.factors, inputs.references)
    there = frame_of(batch.emissions, EMISSION_SCHEMA)
    without = frame_of(batch.uncomputed, UNCOMPUTED_SCHEMA)
    details = [
        *_other_emissions(there, computed.emissions.select(*EMISSION_SCHEMA)),
        *_other_outcomes(without, uncomputed(computed.outcomes).select(*UNCOMPUTED_SCHEMA)),
    ]
    name = f"upload {batch.one.entry_set}"
    return [
        Finding(TOTALS, of.ledger_scope, of.year, f"row {row} of {name} {detail}")
        for row, detail in details
    ], entries.height


def _other_emissions(stored: pl.DataFrame, computed: pl.DataFrame) -> Iterator[tuple[int, str]]:
    """Row numbers, and what is wrong with the stored emissions of the row."""
    both = _numbered(stored).join(
        _numbered(computed), on=(*_IDENTITY, "nth"), how="full", coalesce=True, nulls_equal=True
    )
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_right")) for name in _EXACT]
    differs += [~_close(pl.col(name), pl.col(f"{name}_right")) for name in _CLOSE]
    wrong = both.filter(pl.any_horizontal(differs)).sort("row_number").head(FINDINGS_MAX)
    for row in wrong.iter_rows(named=True):
        yield row["row_number"], _difference(row)


def _difference(row: Mapping[str, Any]) -> str:
    """What is wrong with a stored emission; its counterpart of the recomputation is `..._right`."""
    name, stored, computed = row["emission_type"], row["kg"], row["kg_right"]
    if stored is None:
        return f"has no emission {name}, where it needs one"
    if computed is None:
        return f"has emission {name}, and a recomputation gives none"
    if stored != computed:
        return f"has {stored!r} kg of {name}, and a recomputation gives {computed!r} kg"
    return f"has an emission {name} of other inputs"


def _numbered(emissions: pl.DataFrame) -> pl.DataFrame:
    """With `nth`, which tells emissions of the same row, type and factor apart."""
    ordered = emissions.sort(*_IDENTITY, "kg", nulls_last=True)
    return ordered.with_columns(nth=pl.int_range(pl.len()).over(_IDENTITY))


def _close(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    both_null = left.is_null() & right.is_null()
    near = (left - right).abs() <= RELATIVE_TOLERANCE * pl.max_horizontal(left.abs(), right.abs())
    return both_null | near.fill_null(value=False)


def _other_outcomes(stored: pl.DataFrame, computed: pl.DataFrame) -> Iterator[tuple[int, str]]:
    names = list(UNCOMPUTED_SCHEMA)
    for one, other, sentence in (
        (stored, computed, "is listed as {}, and a recomputation does not say so"),
        (computed, stored, "is not listed as {}, and a recomputation says so"),
    ):
        for row in one.join(other, on=names, how="anti").head(FINDINGS_MAX).iter_rows(named=True):
            yield row["row_number"], sentence.format(row["outcome"])
