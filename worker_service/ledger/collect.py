"""Deletes the rows of sets that no reader can see any more, a few at a time."""

from dataclasses import dataclass
from typing import Any

from worker_service.ledger.job_answers import forget_answers
from worker_service.ledger.pool import Connection, Ledger

# Deleted by one statement: few enough to hold up nothing else.
ROWS_PER_STATEMENT = 20_000
COLLECTOR_LOCK = 4_202_403

# A set that is loading can still be published until its claim or a newer one has passed its fence,
# or until its scope was closed. A claim that has passed it without publishing has found the same
# rows there. Of a claim that ended otherwise nothing is known but that it loads no more: a set to
# which nobody has added for a day is left behind.
_NEVER_SEEN_AGAIN = """
    s.state <> 'PUBLISHED' AND s.collected_at IS NULL
    AND s.made_at < carbon.clock() - $1 * interval '1 second'
    AND (
        s.retired_at < carbon.clock() - $1 * interval '1 second'
        OR (
            s.state = 'LOADING' AND (
                f.newest_token >= {writer} OR f.closed_token >= {writer}
                OR s.made_at < carbon.clock() - interval '1 day'
            )
        )
    )
ORDER BY s.made_at
LIMIT 1
"""
ENTRY_SET_TO_COLLECT = """
SELECT s.tenant, s.entry_set
FROM carbon.entry_sets AS s
LEFT JOIN carbon.write_fences AS f
    ON f.tenant = s.tenant AND f.scope = 'entries/' || s.module || '/' || s.year
WHERE """ + _NEVER_SEEN_AGAIN.format(writer="s.entry_set")
EMISSION_SET_TO_COLLECT = """
SELECT s.tenant, s.emission_set, s.entry_set
FROM carbon.emission_sets AS s
LEFT JOIN carbon.write_fences AS f
    ON f.tenant = s.tenant AND f.scope = 'emissions/' || s.data_entry_type || '/' || s.year
WHERE """ + _NEVER_SEEN_AGAIN.format(writer="s.emission_set")

DELETE_ENTRIES = """
DELETE FROM carbon.entries
WHERE tenant = $1 AND entry_set = $2 AND row_number IN (
    SELECT row_number FROM carbon.entries
    WHERE tenant = $1 AND entry_set = $2 ORDER BY row_number LIMIT $3
)
"""
DELETE_DIGESTS = """
DELETE FROM carbon.row_digests WHERE tenant = $1 AND entry_set = $2
"""
DELETE_EMISSIONS = """
DELETE FROM carbon.emissions
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number IN (
    SELECT row_number FROM carbon.emissions
    WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 ORDER BY row_number LIMIT $4
)
"""
DELETE_UNCOMPUTED = """
DELETE FROM carbon.uncomputed_entries
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 AND row_number IN (
    SELECT row_number FROM carbon.uncomputed_entries
    WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3 ORDER BY row_number LIMIT $4
)
"""
DELETE_COUNTS = """
DELETE FROM carbon.outcome_counts WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
# The summary stays: it says what once counted, and that its rows are gone.
MARK_ENTRY_SET = """
UPDATE carbon.entry_sets SET collected_at = carbon.clock()
WHERE tenant = $1 AND entry_set = $2
"""
MARK_EMISSION_SET = """
UPDATE carbon.emission_sets SET collected_at = carbon.clock()
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round did: how many rows it deleted, and whether another round may find more."""

    rows: int
    more: bool


async def collect_once(ledger: Ledger, unseen_seconds: float) -> Collected:
    """Deletes at most ROWS_PER_STATEMENT rows of a set that was retired `unseen_seconds` ago.

    Rows of a set that was loaded and can no longer be published go the same way. One process
    collects at a time, under an advisory lock of its session; others return at once. Raises
    DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", COLLECTOR_LOCK):
            return Collected(0, more=False)
        try:
            emission_set = await conn.fetchrow(EMISSION_SET_TO_COLLECT, unseen_seconds)
            if emission_set is not None:
                return await _collect_emissions(conn, tuple(emission_set))
            entry_set = await conn.fetchrow(ENTRY_SET_TO_COLLECT, unseen_seconds)
            if entry_set is not None:
                return await _collect_entries(conn, tuple(entry_set))
            await forget_answers(conn)
            return Collected(0, more=False)
        finally:
            await conn.execute("SELECT pg_advisory_unlock($1)", COLLECTOR_LOCK)


async def _collect_emissions(conn: Connection, key: tuple[Any, ...]) -> Collected:
    for statement in (DELETE_EMISSIONS, DELETE_UNCOMPUTED):
        deleted = _count(await conn.execute(statement, *key, ROWS_PER_STATEMENT))
        if deleted:
            return Collected(deleted, more=True)
    await conn.execute(DELETE_COUNTS, *key)
    await conn.execute(MARK_EMISSION_SET, *key)
    return Collected(0, more=True)


async def _collect_entries(conn: Connection, key: tuple[Any, ...]) -> Collected:
    deleted = _count(await conn.execute(DELETE_ENTRIES, *key, ROWS_PER_STATEMENT))
    if not deleted:
        await conn.execute(DELETE_DIGESTS, *key)
        await conn.execute(MARK_ENTRY_SET, *key)
    return Collected(deleted, more=True)


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
