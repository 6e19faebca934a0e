"""Batches of entries, computed off the event loop and ready to be loaded."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.compute import compute
from worker_service.carbon.outcomes import count_outcomes, uncomputed
from worker_service.carbon.stored import entries_from_stored
from worker_service.ledger import factor_uses
from worker_service.ledger.emission_sets import EmissionSlice, emission_rows, uncomputed_rows
from worker_service.ledger.emission_sums import RowSlice
from worker_service.ledger.entry_sets import StoredRows
from worker_service.ledger.formula_inputs import FormulaInputs
from worker_service.ledger.frames import frame_bytes
from worker_service.steps.doubtful_entries import noted_doubts


@dataclass(frozen=True, slots=True)
class Batch:
    """A computed batch, ready to be loaded: rows of one set, or several small sets.

    `slices` are those of its entries. `counts` are by set, unit and outcome; `kg` (kg CO2eq),
    `doubtful` and `uses` of factors by set.
    """

    emissions: bytes
    uncomputed: bytes
    slices: Sequence[RowSlice]
    counts: Counter[tuple[int, str, str]]
    kg: Mapping[int, float]
    doubtful: Mapping[int, pl.DataFrame]
    uses: Mapping[int, pl.DataFrame]


async def computed_batches(
    read: AsyncGenerator[StoredRows, None],
    of: EmissionSlice,
    inputs: FormulaInputs,
    token: int,
    listed: frozenset[int],
) -> AsyncGenerator[Batch, None]:
    """Computes what `read_sets` yields. Uses of factors are told of the sets that are `listed`."""
    async with aclosing(read):
        async for rows in read:
            yield await asyncio.to_thread(_compute, rows, of, inputs, token, listed)


def _compute(
    rows: StoredRows, of: EmissionSlice, inputs: FormulaInputs, token: int, listed: frozenset[int]
) -> Batch:
    stored = rows.frame()
    frame = entries_from_stored(inputs.declared, stored)
    computed = compute(inputs.declared, frame, inputs.factors, inputs.references)
    counted = count_outcomes(computed.outcomes)
    without = uncomputed(computed.outcomes)
    kg = computed.emissions.group_by("entry_set").agg(pl.col("kg").sum())
    return Batch(
        emissions=frame_bytes(emission_rows(of.tenant, token, computed.emissions)),
        uncomputed=frame_bytes(uncomputed_rows(of.tenant, token, without)),
        slices=_slices(stored),
        counts=Counter(_counts(counted)),
        kg=dict(kg.iter_rows()),
        doubtful=noted_doubts(computed.doubtful),
        uses=factor_uses.uses_by_set(computed.emissions, listed),
    )


def _slices(stored: pl.DataFrame) -> list[RowSlice]:
    row = pl.col("row_number")
    of_sets = stored.group_by("entry_set").agg(first=row.min() - 1, last=row.max())
    return [RowSlice(*ends) for ends in of_sets.iter_rows()]


def _counts(counted: pl.DataFrame) -> dict[tuple[int, str, str], int]:
    rows = counted.select("entry_set", "unit", "outcome", "entry_count").iter_rows()
    return {(entry_set, unit, outcome): number for entry_set, unit, outcome, number in rows}
