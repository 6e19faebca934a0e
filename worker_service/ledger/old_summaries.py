"""Deletes old summaries: of sets whose rows were deleted long ago, and that nothing names any more.

What counts has its rows and is never among them. Each call is one short transaction; who finds that
another process deletes at the moment, deletes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from worker_service.ledger.pool import Connection, Ledger

# Each set of entries is deleted by a statement of its own, of less than a millisecond.
SETS_PER_ROUND = 200
FORGETTING_LOCK = 4_202_404

# Whoever has written the ledger has a fence.
TENANTS = "SELECT DISTINCT tenant FROM carbon.write_fences ORDER BY tenant"
# By index, from where the last round ended: what stays is read once in a look. Of a set that never
# counted no list tells.
OLD_ENTRY_SETS = """
SELECT collected_at, entry_set, CASE WHEN state = 'RETIRED' THEN pipeline_id END AS pipeline_id
FROM carbon.entry_sets
WHERE tenant = $1 AND collected_at IS NOT NULL
    AND collected_at < (SELECT carbon.clock()) - $2 * interval '1 second'
    AND (collected_at, entry_set) > ($3, $4)
ORDER BY collected_at, entry_set
LIMIT $5
"""
# It stays while an upload that it replaced is listed, which would look withdrawn, and while rows of
# its emissions are there. The oldest first, so that a chain of uploads goes in one round.
DELETE_ENTRY_SET = """
WITH gone AS (
    DELETE FROM carbon.entry_sets AS s
    WHERE s.tenant = $1 AND s.entry_set = $2 AND s.collected_at IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM carbon.entry_sets AS r
            WHERE r.tenant = $1 AND r.retired_by = $2 AND r.state = 'RETIRED'
        )
        AND NOT EXISTS (
            SELECT FROM carbon.emission_sets AS m
            WHERE m.tenant = $1 AND m.entry_set = $2 AND m.collected_at IS NULL
        )
    RETURNING s.entry_set
), with_it AS (
    DELETE FROM carbon.emission_sets AS m USING gone AS g
    WHERE m.tenant = $1 AND m.entry_set = g.entry_set
    RETURNING m.entry_set
)
SELECT (SELECT count(*) FROM gone) AS entry_sets, (SELECT count(*) FROM with_it) AS emission_sets
"""
# The newest of each set of entries stays with it: a list of uploads shows its kilograms.
DELETE_EMISSION_SETS = """
WITH page AS (
    SELECT s.collected_at, s.emission_set, s.entry_set, s.state
    FROM carbon.emission_sets AS s
    WHERE s.tenant = $1 AND s.collected_at IS NOT NULL
        AND s.collected_at < (SELECT carbon.clock()) - $2 * interval '1 second'
        AND (s.collected_at, s.emission_set, s.entry_set) > ($3, $4, $5)
    ORDER BY s.collected_at, s.emission_set, s.entry_set
    LIMIT $6
), gone AS (
    DELETE FROM carbon.emission_sets AS s USING page AS p
    WHERE s.tenant = $1 AND s.emission_set = p.emission_set AND s.entry_set = p.entry_set AND (
        p.state = 'LOADING' OR EXISTS (
            SELECT FROM carbon.emission_sets AS n
            WHERE n.tenant = $1 AND n.entry_set = p.entry_set AND n.emission_set > p.emission_set
                AND n.state <> 'LOADING'
        )
    )
    RETURNING s.emission_set
)
SELECT p.collected_at, p.emission_set, p.entry_set, (SELECT count(*) FROM gone) AS gone,
    (SELECT count(*) FROM page) AS found
FROM page AS p
ORDER BY p.collected_at DESC, p.emission_set DESC, p.entry_set DESC
LIMIT 1
"""

LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class OldEntrySet(NamedTuple):
    """The summary of a set of entries. `pipeline_id` is None if no pipeline lists it."""

    collected_at: datetime
    entry_set: int
    pipeline_id: int | None


class EmissionsPlace(NamedTuple):
    """Behind this set of emissions the next round begins."""

    collected_at: datetime = LONG_AGO
    emission_set: int = 0
    entry_set: int = 0


@dataclass(frozen=True, slots=True)
class EmissionsRound:
    """How many summaries of emissions went, and where the next round begins; None: no more."""

    gone: int
    next: EmissionsPlace | None


@dataclass(slots=True)
class Gone:
    """How many summaries of sets were deleted, of entries and of emissions."""

    entry_sets: int = 0
    emission_sets: int = 0


async def tenants_of_ledger(ledger: Ledger) -> Sequence[str]:
    """All tenants with data. Raises DatabaseUnavailable."""
    async with ledger.session() as conn:
        return [row["tenant"] for row in await conn.fetch(TENANTS)]


async def old_entry_sets(
    ledger: Ledger, tenant: str, kept_seconds: float, after: OldEntrySet | None
) -> Sequence[OldEntrySet]:
    """The next SETS_PER_ROUND sets of entries whose rows went `kept_seconds` ago, oldest first.

    Fewer are the last. Raises DatabaseUnavailable.
    """
    behind = after or OldEntrySet(LONG_AGO, 0, None)
    async with ledger.session() as conn:
        found = await conn.fetch(
            OLD_ENTRY_SETS,
            tenant,
            kept_seconds,
            behind.collected_at,
            behind.entry_set,
            SETS_PER_ROUND,
        )
    return [OldEntrySet(*row) for row in found]


async def delete_entry_sets(ledger: Ledger, tenant: str, entry_sets: Collection[int]) -> Gone:
    """Deletes those of the sets that may go, in their order, with the sets of their emissions.

    Raises DatabaseUnavailable.
    """
    gone = Gone()
    async with ledger.transaction() as conn:
        if await _is_the_only_one(conn):
            for entry_set in entry_sets:
                deleted = await conn.fetchrow(DELETE_ENTRY_SET, tenant, entry_set)
                assert deleted is not None, "a selection without FROM has a row"
                gone.entry_sets += deleted["entry_sets"]
                gone.emission_sets += deleted["emission_sets"]
    return gone


async def delete_emission_sets(
    ledger: Ledger, tenant: str, kept_seconds: float, after: EmissionsPlace
) -> EmissionsRound:
    """Looks at SETS_PER_ROUND sets of emissions whose rows went `kept_seconds` ago, and deletes
    those that are not the last of a set of entries. Raises DatabaseUnavailable.
    """
    async with ledger.transaction() as conn:
        if not await _is_the_only_one(conn):
            return EmissionsRound(0, None)
        last = await conn.fetchrow(
            DELETE_EMISSION_SETS, tenant, kept_seconds, *after, SETS_PER_ROUND
        )
    if last is None:
        return EmissionsRound(0, None)
    place = EmissionsPlace(last["collected_at"], last["emission_set"], last["entry_set"])
    return EmissionsRound(last["gone"], place if last["found"] == SETS_PER_ROUND else None)


async def _is_the_only_one(conn: Connection) -> bool:
    only: bool = await conn.fetchval("SELECT pg_try_advisory_xact_lock($1)", FORGETTING_LOCK)
    return only
