"""Uploads that count, with the kilograms that the last recalculation has published."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from worker_service.ledger.entry_sets import PublishedSet, layout_in
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.frames import copy_out
from worker_service.ledger.pool import Connection

# The largest first: so a sum over them grows fast.
KILOGRAMS = """
SELECT s.entry_set, s.row_count, s.last_row_number, m.entries_token, m.total_kg, m.emission_set,
    s.text_keys, s.number_keys
FROM carbon.entry_sets AS s
JOIN carbon.emission_sets AS m
    ON m.tenant = s.tenant AND m.entry_set = s.entry_set AND m.state = 'PUBLISHED'
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
    AND m.total_kg > 0
ORDER BY m.total_kg DESC, s.entry_set
"""
ROWS_WITHOUT = """
SELECT row_number FROM carbon.uncomputed_entries
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
WITHOUT_KG: Mapping[str, type[pl.DataType]] = {"row_number": pl.Int32}


@dataclass(frozen=True, slots=True)
class CountedUpload:
    """The entries of an upload, and what they come to in kg CO2eq, more than 0."""

    entries: PublishedSet
    total_kg: float
    emission_set: int


async def published_kilograms(conn: Connection, of: FactorSlice) -> list[CountedUpload]:
    """The uploads of a type and year with kilograms, the largest first.

    Call it within a snapshot.
    """
    rows = await conn.fetch(KILOGRAMS, of.tenant, of.data_entry_type, of.year)
    return [
        CountedUpload(
            PublishedSet(
                row["entry_set"],
                row["row_count"],
                row["last_row_number"],
                row["entries_token"],
                layout_in(row),
            ),
            row["total_kg"],
            row["emission_set"],
        )
        for row in rows
    ]


async def rows_without_kilograms(conn: Connection, tenant: str, of: CountedUpload) -> bytes:
    """The numbers of the rows that the last recalculation found no kilograms for.

    For `frame_of` with WITHOUT_KG. Call it within the snapshot of `published_kilograms`.
    """
    return await copy_out(conn, ROWS_WITHOUT, tenant, of.emission_set, of.entries.entry_set)
