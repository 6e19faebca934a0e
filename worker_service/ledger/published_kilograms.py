"""Uploads that count, with the kilograms that the last recalculation has published."""

from dataclasses import dataclass

from worker_service.ledger.entry_sets import PublishedSet
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.pool import Connection

# The largest first: so a sum over them grows fast.
KILOGRAMS = """
SELECT s.entry_set, s.row_count, s.last_row_number, m.entries_token, m.total_kg
FROM carbon.entry_sets AS s
JOIN carbon.emission_sets AS m
    ON m.tenant = s.tenant AND m.entry_set = s.entry_set AND m.state = 'PUBLISHED'
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
    AND m.total_kg > 0
ORDER BY m.total_kg DESC, s.entry_set
"""


@dataclass(frozen=True, slots=True)
class CountedUpload:
    """The entries of an upload, and what they come to in kg CO2eq, more than 0."""

    entries: PublishedSet
    total_kg: float


async def published_kilograms(conn: Connection, of: FactorSlice) -> list[CountedUpload]:
    """The uploads of a type and year with kilograms, the largest first.

    Call it within a snapshot.
    """
    rows = await conn.fetch(KILOGRAMS, of.tenant, of.data_entry_type, of.year)
    return [
        CountedUpload(
            PublishedSet(
                row["entry_set"], row["row_count"], row["last_row_number"], row["entries_token"]
            ),
            row["total_kg"],
        )
        for row in rows
    ]
