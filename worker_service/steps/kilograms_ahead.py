"""Computes the kilograms of a file before it counts, to compare with what it replaces."""

import math
from dataclasses import dataclass, field

import polars as pl

from worker_service.carbon.compute import Computed, compute
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.outcomes import uncomputed
from worker_service.carbon.stored import entries_from_stored
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.formula_inputs import FormulaInputs, read_formula_inputs
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.pool import Connection
from worker_service.ledger.uploads import upload_in_place_of


@dataclass(slots=True)
class KilogramsAhead:
    """Computes batches of entries as the recalculation will, and keeps only the sums.

    `entries_without_kg` counts entries for which there is no factor, place or value; `first_reason`
    is that of the first which has kilograms until now, else of the first.
    `kg_of_counted` leaves out the entries that had no kilograms before.
    """

    inputs: FormulaInputs
    entries_without_kg: int = 0
    _reasons: tuple[str, str] = ("", "")
    _sums: list[float] = field(default_factory=list)
    _new_sums: list[float] = field(default_factory=list)

    def add(self, stored: pl.DataFrame, without_kg: pl.Series | None = None) -> Computed:
        """Computes a batch of stored entries. Blocks.

        `without_kg`: the numbers of rows that have no kilograms until now.
        """
        declared = self.inputs.declared
        frame = entries_from_stored(
            declared, stored.with_columns(entry_set=pl.lit(0, dtype=pl.Int64))
        )
        computed = compute(declared, frame, self.inputs.factors, self.inputs.references)
        missing = uncomputed(computed.outcomes)
        self.entries_without_kg += missing.height
        self._reasons = _first_reasons(missing, without_kg, self._reasons)
        self._sums.append(float(computed.emissions["kg"].sum() or 0.0))
        if without_kg is not None and not without_kg.is_empty():
            are_new = computed.emissions["row_number"].is_in(without_kg.implode())
            new = computed.emissions.filter(are_new)
            self._new_sums.append(float(new["kg"].sum() or 0.0))
        return computed

    @property
    def first_reason(self) -> str:
        """Why the first entry without kilograms has none. "" if all have some."""
        lost, other = self._reasons
        return lost or other

    @property
    def total_kg(self) -> float:
        """The sum of all batches in kg CO2eq."""
        return math.fsum(self._sums)

    @property
    def kg_of_counted(self) -> float:
        """The sum without that of the entries that had no kilograms, in kg CO2eq."""
        return self.total_kg - math.fsum(self._new_sums)


def _first_reasons(
    missing: pl.DataFrame, without_kg: pl.Series | None, known: tuple[str, str]
) -> tuple[str, str]:
    """The first reason of entries that lose their kilograms, and that of others."""
    there = pl.Series([], dtype=pl.Int32) if without_kg is None else without_kg
    is_old = pl.col("row_number").is_in(there.implode())
    lost, other = known
    return (
        lost or _first_reason(missing.filter(~is_old)),
        other or _first_reason(missing.filter(is_old)),
    )


def _first_reason(missing: pl.DataFrame) -> str:
    return "" if missing.is_empty() else str(missing.sort("row_number")["detail"][0])


async def kilograms_ahead(
    snapshot: Connection, declared: DataEntryType, new: NewSet, places: KeptPlaces
) -> KilogramsAhead | None:
    """A KilogramsAhead for a file. None if it replaces no upload that has kilograms."""
    there = await upload_in_place_of(snapshot, new)
    if there is None or not there.total_kg:
        return None
    of = FactorSlice(new.tenant, new.data_entry_type, new.year)
    return KilogramsAhead(await read_formula_inputs(snapshot, of, declared, places))
