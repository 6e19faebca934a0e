"""Whose files are: for which scopes the same bytes were sent, or made by jobs.

Bytes are stored once, with the scope that came first. Other scopes stand in a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker_service.ledger.pool import Ledger

# The first note of a scope stays. Its row is written anew, so that it is as young as the file.
NOTE = """
INSERT INTO carbon.blob_scopes AS b
    (tenant, blob, module, unit, data_entry_type, year, file_name, noted_at)
SELECT $1, n.blob, $2, $3, $4, $5, n.file_name, carbon.clock()
FROM unnest(CAST($6 AS text[]), CAST($7 AS text[])) AS n (blob, file_name)
ON CONFLICT (tenant, blob, module, unit) DO UPDATE SET noted_at = excluded.noted_at
"""
# Uploads by primary key, as lists of them: an institution has a few thousand. Those that are
# listed, also of those that count no more. What an upload says is newer than a note.
SCOPES = """
SELECT f.module, f.data_entry_type, f.year, f.unit, f.file_name
FROM (
    SELECT s.module, s.data_entry_type, s.year, s.unit, s.file_name, s.entry_set
    FROM carbon.entry_sets AS s
    WHERE s.tenant = $1 AND s.blob = $2 AND s.state <> 'LOADING'
    UNION ALL
    SELECT b.module, b.data_entry_type, b.year, b.unit, b.file_name, NULL
    FROM carbon.blob_scopes AS b
    WHERE b.tenant = $1 AND b.blob = $2
) AS f
ORDER BY f.entry_set NULLS LAST, f.module, f.unit
"""
FORGET = """
DELETE FROM carbon.blob_scopes
WHERE tenant = $1 AND blob = ANY(CAST($2 AS text[])) AND noted_at < $3
"""


@dataclass(frozen=True, slots=True)
class FileScope:
    """What a file is for. 0 and "" mean all of them, or none."""

    tenant: str
    module: int = 0
    unit: str = ""
    data_entry_type: int = 0
    year: int = 0


async def note_scope(ledger: Ledger, scope: FileScope, names: Sequence[tuple[str, str]]) -> None:
    """Whoever covers the scope may read these files from now on: pairs of the reference of a file
    that is stored, and its name. Safe to repeat. Raises DatabaseUnavailable.
    """
    # In one order, so that two that note the same files do not wait for each other.
    blobs = dict(sorted(names))
    kind, parts = scope.data_entry_type, (scope.tenant, scope.module, scope.unit)
    async with ledger.session() as conn:
        await conn.execute(NOTE, *parts, kind, scope.year, [*blobs], [*blobs.values()])


async def scopes_of_blob(ledger: Ledger, tenant: str, blob: str) -> Sequence[Any]:
    """Scope and file name of the uploads that came from the file, oldest first, and then of what
    was noted. The unit is None or "" for all units. Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        found: Sequence[Any] = await conn.fetch(SCOPES, tenant, blob)
    return found


async def database_time(ledger: Ledger) -> datetime:
    """By the clock of the notes. Raises DatabaseUnavailable."""
    async with ledger.session() as conn:
        now: datetime = await conn.fetchval("SELECT carbon.clock()")
    return now


async def forget_scopes(
    ledger: Ledger, tenant: str, blobs: Sequence[str], before: datetime
) -> None:
    """Removes what was noted of files that are gone. What was noted since `before` is of bytes that
    have come back. Raises DatabaseUnavailable.
    """
    async with ledger.session() as conn:
        await conn.execute(FORGET, tenant, [*blobs], before)
