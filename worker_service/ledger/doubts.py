"""Entries that a recalculation doubts: kept with its set, for recalculations that keep the set."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from worker_service.ledger.emission_sets import EmissionSlice
from worker_service.ledger.pool import Connection

# So many are kept one by one. All of them are counted.
ENTRIES_KEPT_MAX = 100
# Of so many sets the doubts are in memory at a time.
SETS_PER_SLICE = 100

NOTE = """
UPDATE carbon.emission_sets AS s SET doubts = n.doubts
FROM unnest(CAST($3 AS bigint[]), CAST($4 AS jsonb[])) AS n (entry_set, doubts)
WHERE s.tenant = $1 AND s.emission_set = $2 AND s.entry_set = n.entry_set
"""
OF_SETS = """
SELECT CAST(doubts AS text) AS doubts FROM carbon.emission_sets
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
    AND entry_set = ANY(CAST($4 AS bigint[])) AND doubts IS NOT NULL
ORDER BY entry_set
"""
ANY_DOUBT = """
SELECT EXISTS (
    SELECT FROM carbon.emission_sets
    WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND state = 'PUBLISHED'
        AND doubts IS NOT NULL
)
"""


@dataclass(slots=True)
class Doubts:
    """How many `entries` of a set are doubtful, and the `first`: row, column, value, reason."""

    entries: int = 0
    first: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, entries: int, noted: Sequence[Mapping[str, Any]]) -> None:
        """Counts `entries`, and keeps what is `noted` of them while there is room."""
        self.entries += entries
        self.first += noted[: ENTRIES_KEPT_MAX - len(self.first)]


async def note_doubts(
    conn: Connection, tenant: str, emission_set: int, doubts: Mapping[int, Doubts]
) -> None:
    """Stores the doubts about whole sets, by set of entries."""
    noted = [asdict(of_set) for of_set in doubts.values()]
    await conn.execute(NOTE, tenant, emission_set, list(doubts), noted)


async def doubts_of(
    conn: Connection, of: EmissionSlice, entry_sets: Sequence[int]
) -> AsyncIterator[list[Doubts]]:
    """The doubts about the published emissions of some sets of entries, in the order of the sets.

    Yields those of at most SETS_PER_SLICE sets at a time, and nothing for sets without doubts.
    """
    in_order = sorted(entry_sets)
    for first in range(0, len(in_order), SETS_PER_SLICE):
        sets = in_order[first : first + SETS_PER_SLICE]
        rows = await conn.fetch(OF_SETS, of.tenant, of.data_entry_type, of.year, sets)
        if rows:
            yield await asyncio.to_thread(_decoded, [row["doubts"] for row in rows])


def _decoded(texts: Sequence[str]) -> list[Doubts]:
    return [Doubts(**json.loads(text)) for text in texts]


async def has_doubts(conn: Connection, of: EmissionSlice) -> bool:
    """Whether an entry with published emissions is doubtful."""
    return bool(await conn.fetchval(ANY_DOUBT, of.tenant, of.data_entry_type, of.year))
