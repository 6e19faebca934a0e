"""Reads what a formula needs beside entries: factors, and places if it uses them."""

import asyncio
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import DataEntryType, References
from worker_service.carbon.stored import factors_from_stored
from worker_service.ledger import locations
from worker_service.ledger.factors import FACTOR_SCHEMA, FactorSlice, read_factors
from worker_service.ledger.frames import frame_of
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.pool import Connection


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
    frame = await asyncio.to_thread(frame_of, factors, FACTOR_SCHEMA)
    return FormulaInputs(
        declared, await asyncio.to_thread(factors_from_stored, declared, frame), references
    )
