"""Deletes the rows of sets that no reader can see any more, a few at a time."""

from dataclasses import dataclass
from typing import Any

from worker_service.ledger.job_answers import forget_answers
from worker_service.ledger.pool import Connection, Ledger

# Deleted by one round: few enough to hold up nothing else. Most sets have fewer rows, so a round
# takes several.
ROWS_PER_ROUND = 20_000
SETS_PER_ROUND = 50
COLLECTOR_LOCK = 4_202_403

# A set that is loading can still be published until its claim or a newer one has passed its fence,
# or until its scope was closed. A claim that has passed it without publishing has found the same
# rows there. Of a claim that ended otherwise nothing is known but that it loads no more: a set to
# which nobody has added for a day is left behind. What is collected is in no index of these.
_NEVER_SEEN_AGAIN = """
    s.state <> 'PUBLISHED' AND s.collected_at IS NULL
    AND s.made_at < (SELECT carbon.clock()) - $1 * interval '1 second'
    AND (
        s.retired_at < (SELECT carbon.clock()) - $1 * interval '1 second'
        OR (
            s.state = 'LOADING' AND (
                f.newest_token >= {writer} OR f.closed_token >= {writer}
                OR s.made_at < (SELECT carbon.clock()) - interval '1 day'
            )
        )
    )
ORDER BY s.made_at
LIMIT $2
"""
ENTRY_SETS_TO_COLLECT = """
SELECT s.tenant, s.entry_set
FROM carbon.entry_sets AS s
LEFT JOIN carbon.write_fences AS f
    ON f.tenant = s.tenant AND f.scope = 'entries/' || s.module || '/' || s.year
WHERE """ + _NEVER_SEEN_AGAIN.format(writer="s.entry_set")
EMISSION_SETS_TO_COLLECT = """
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
DELETE_SUMS = """
DELETE FROM carbon.emission_sums WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
DELETE_USES = """
DELETE FROM carbon.factor_uses WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
# The summary stays: it says what once counted, and that its rows are gone.
MARK_ENTRY_SET = """
UPDATE carbon.entry_sets SET collected_at = carbon.clock()
WHERE tenant = $1 AND entry_set = $2
"""
MARK_EMISSION_SET = """
UPDATE carbon.emission_sets SET collected_at = carbon.clock(), is_summed = false, doubts = NULL,
    lists_factor_uses = false
WHERE tenant = $1 AND emission_set = $2 AND entry_set = $3
"""
# A worker of an older release that collects a set knows neither its sums nor its doubts.
DELETE_SUMS_LEFT_BEHIND = """
WITH left_behind AS (
    SELECT tenant, emission_set, entry_set FROM carbon.emission_sets
    WHERE is_summed AND collected_at IS NOT NULL
    LIMIT $1
    FOR UPDATE
), deleted AS (
    DELETE FROM carbon.emission_sums AS n
    USING left_behind AS l
    WHERE n.tenant = l.tenant AND n.emission_set = l.emission_set AND n.entry_set = l.entry_set
)
UPDATE carbon.emission_sets AS s SET is_summed = false, doubts = NULL
FROM left_behind AS l
WHERE s.tenant = l.tenant AND s.emission_set = l.emission_set AND s.entry_set = l.entry_set
"""


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round did: how many rows it deleted, and whether another round may find more."""

    rows: int
    more: bool


async def collect_once(ledger: Ledger, unseen_seconds: float) -> Collected:
    """Deletes at most ROWS_PER_ROUND rows of sets that were retired `unseen_seconds` ago.

    Rows of sets that were loaded and can no longer be published go the same way. One process
    collects at a time, under an advisory lock of its session; others return at once. Raises
    DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        if not await conn.fetchval("SELECT pg_try_advisory_lock($1)", COLLECTOR_LOCK):
            return Collected(0, more=False)
        try:
            collected = await _collected(conn, unseen_seconds)
            await conn.execute("SELECT pg_advisory_unlock($1)", COLLECTOR_LOCK)
        except BaseException:
            # The lock goes with its session.
            conn.terminate()
            raise
        return collected


async def _collected(conn: Connection, unseen_seconds: float) -> Collected:
    room = ROWS_PER_ROUND
    for query, collect in (
        (EMISSION_SETS_TO_COLLECT, _collect_emissions),
        (ENTRY_SETS_TO_COLLECT, _collect_entries),
    ):
        found = await conn.fetch(query, unseen_seconds, SETS_PER_ROUND)
        for row in found:
            room -= await collect(conn, tuple(row), room)
            if room <= 0:
                return Collected(ROWS_PER_ROUND, more=True)
        if len(found) == SETS_PER_ROUND:
            return Collected(ROWS_PER_ROUND - room, more=True)
    left_behind = _count(await conn.execute(DELETE_SUMS_LEFT_BEHIND, SETS_PER_ROUND))
    await forget_answers(conn)
    return Collected(ROWS_PER_ROUND - room, more=left_behind == SETS_PER_ROUND)


async def _collect_emissions(conn: Connection, key: tuple[Any, ...], room: int) -> int:
    """Deletes at most `room` rows of a set, and marks the set once it has none. How many."""
    deleted = 0
    for statement in (DELETE_EMISSIONS, DELETE_UNCOMPUTED):
        if deleted < room:
            deleted += _count(await conn.execute(statement, *key, room - deleted))
    if deleted < room:
        async with conn.transaction():
            # The mark first: whoever sums the set at this moment has done so, or finds it marked.
            await conn.execute(MARK_EMISSION_SET, *key)
            await conn.execute(DELETE_COUNTS, *key)
            await conn.execute(DELETE_SUMS, *key)
            await conn.execute(DELETE_USES, *key)
    return deleted


async def _collect_entries(conn: Connection, key: tuple[Any, ...], room: int) -> int:
    deleted = _count(await conn.execute(DELETE_ENTRIES, *key, room))
    if deleted < room:
        await conn.execute(DELETE_DIGESTS, *key)
        await conn.execute(MARK_ENTRY_SET, *key)
    return deleted


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
