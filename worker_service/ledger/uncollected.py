"""What waits to be collected: sets whose rows count no more and are not deleted yet."""

from dataclasses import dataclass
from datetime import datetime

from worker_service.ledger.pool import Ledger

SETS_MAX = 10_000
# Of a set that never counted nobody has noted how many rows it has.
ROWS_COUNTED_MAX = 10_000

# By the index of uncollected sets. `waits` is false while a claim may still publish the set.
_SETS = """
SELECT s.*, f.newest_token >= {writer} OR f.closed_token >= {writer} AS overtaken
FROM (
    SELECT * FROM carbon.{table}
    WHERE state <> 'PUBLISHED' AND collected_at IS NULL AND tenant = $1
    ORDER BY made_at
    LIMIT $2
) AS s
LEFT JOIN carbon.write_fences AS f ON f.tenant = s.tenant AND f.scope = {scope}
"""
_ENTRY_SETS = _SETS.format(
    table="entry_sets", writer="s.entry_set", scope="'entries/' || s.module || '/' || s.year"
)
_EMISSION_SETS = _SETS.format(
    table="emission_sets",
    writer="s.emission_set",
    scope="'emissions/' || s.data_entry_type || '/' || s.year",
)
_BOTH = """
WITH entries AS ({entry_sets}), emissions AS ({emission_sets}), sets AS (
    SELECT retired_at, made_at, coalesce(overtaken, false) AS overtaken,
        CASE WHEN state = 'RETIRED' THEN row_count ELSE (
            SELECT count(*) FROM (
                SELECT FROM carbon.entries AS e
                WHERE e.tenant = entries.tenant AND e.entry_set = entries.entry_set
                LIMIT $3
            ) AS counted
        ) END AS row_count
    FROM entries
    UNION ALL
    SELECT retired_at, made_at, coalesce(overtaken, false),
        CASE WHEN state = 'RETIRED' THEN last_row_number ELSE (
            SELECT count(*) FROM (
                SELECT FROM carbon.emissions AS e
                WHERE e.tenant = emissions.tenant AND e.emission_set = emissions.emission_set
                    AND e.entry_set = emissions.entry_set
                LIMIT $3
            ) AS counted
        ) END
    FROM emissions
)
SELECT count(*) FILTER (WHERE retired_at IS NOT NULL OR overtaken) AS sets,
    coalesce(sum(row_count) FILTER (WHERE retired_at IS NOT NULL OR overtaken), 0) AS row_count,
    min(coalesce(retired_at, made_at)) FILTER (WHERE retired_at IS NOT NULL OR overtaken)
        AS oldest_since,
    count(*) FILTER (WHERE retired_at IS NULL AND NOT overtaken) AS loading_sets
FROM sets
"""
UNCOLLECTED = _BOTH.format(entry_sets=_ENTRY_SETS, emission_sets=_EMISSION_SETS)


@dataclass(frozen=True, slots=True)
class Uncollected:
    """Sets that wait to be collected, with `row_count` rows. `oldest_since` is None if there is
    none. `loading_sets` may still be published.
    """

    sets: int
    row_count: int
    oldest_since: datetime | None
    loading_sets: int


async def read_uncollected(ledger: Ledger, tenant: str) -> Uncollected:
    """What waits of a tenant, at most SETS_MAX sets of each kind. Raises DatabaseUnavailable."""
    async with ledger.session() as conn:
        row = await conn.fetchrow(UNCOLLECTED, tenant, SETS_MAX, ROWS_COUNTED_MAX)
    assert row is not None, "an aggregate has a row"
    return Uncollected(row["sets"], int(row["row_count"]), row["oldest_since"], row["loading_sets"])
