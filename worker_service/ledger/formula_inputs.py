"""Reads what a formula needs beside entries: factors, and the reference data that it uses."""

import asyncio
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import DataEntryType, References
from worker_service.carbon.reference_kinds import REFERENCE_KINDS
from worker_service.carbon.reference_lookup import reference_frame
from worker_service.carbon.stored import factors_from_stored
from worker_service.carbon.unit_sums import with_sums
from worker_service.ledger import locations
from worker_service.ledger.factors import FACTOR_SCHEMA, FactorSlice, read_factors
from worker_service.ledger.frames import frame_of
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.pool import Connection
from worker_service.ledger.reference_rows import ROW_SCHEMA, rows_of_year
from worker_service.ledger.sums_of_units import sums_of_units


@dataclass(frozen=True, slots=True)
class FormulaInputs:
    """The inputs of a formula except the entries."""

    declared: DataEntryType
    factors: pl.DataFrame
    references: References


async def read_formula_inputs(
    snapshot: Connection,
    of: FactorSlice,
    declared: DataEntryType,
    places: KeptPlaces | None = None,
) -> FormulaInputs:
    """Reads the inputs for a type and year. Call it within a snapshot.

    `places` are those that were read before. Without them all are read.
    """
    factors = await read_factors(snapshot, of)
    references: dict[str, pl.DataFrame] = {}
    if locations.KIND in declared.references:
        references[locations.KIND] = await (places or KeptPlaces()).read(snapshot, of.tenant)
    for name in declared.references:
        if kind := REFERENCE_KINDS.get(name):
            rows = await rows_of_year(snapshot, of.tenant, kind.name, of.year)
            stored = await asyncio.to_thread(frame_of, rows, ROW_SCHEMA)
            references[name] = await asyncio.to_thread(reference_frame, kind, stored)
    frame = await asyncio.to_thread(frame_of, factors, FACTOR_SCHEMA)
    frame = await asyncio.to_thread(factors_from_stored, declared, frame)
    if declared.unit_sums is not None:
        sums = await sums_of_units(snapshot, of, declared.unit_sums)
        frame = await asyncio.to_thread(with_sums, declared.unit_sums, frame, sums)
    return FormulaInputs(declared, frame, references)
