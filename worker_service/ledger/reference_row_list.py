"""The list of rows of a kind of reference data, page by page, with the files that brought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker_service.ledger.pool import Ledger
from worker_service.ledger.usage import PlaceColumns, usage_of_places

ROWS = """
SELECT key, coalesce(year, 0) AS year, data, file_name, blob, changed_token AS claim_token,
    changed_at, version, stale, m.mapping
FROM carbon.reference_rows AS r
LEFT JOIN carbon.load_mappings AS m ON m.tenant = r.tenant AND m.claim_token = r.changed_token
WHERE r.tenant = $1 AND kind = $2
    AND (CAST($3 AS text[]) IS NULL OR key = ANY(CAST($3 AS text[])))
    AND (CAST($4 AS text) IS NULL OR strpos(key, $4) > 0)
    AND (CAST($5 AS smallint) IS NULL OR year = $5)
    AND (NOT $6 OR stale) AND key > $7
ORDER BY key
LIMIT $8
"""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a tenant and kind to list.

    `keys` and `text` are case-folded like stored keys. With `readers`, the columns that name the
    rows, the entries that use each are counted.
    """

    tenant: str
    kind: str
    keys: Sequence[str] | None = None
    text: str | None = None
    year: int | None = None
    stale_only: bool = False
    readers: Sequence[PlaceColumns] = ()


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row, with the file that brought it, and how that was read, as JSON.

    `year` is 0 if it counts in every year.
    """

    key: str
    year: int
    data: Mapping[str, Any]
    file_name: str
    blob: str
    claim_token: int
    changed_at: datetime
    version: int
    stale: bool
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows by key. `entries` counts the entries that name each, if that was asked for."""

    rows: Sequence[StoredRow]
    entries: Mapping[str, int]
    more: bool


async def list_rows(ledger: Ledger, of: RowFilter, after: str, rows_max: int) -> RowPage:
    """A page of at most `rows_max`, read at one moment. Raises DatabaseUnavailable."""
    keys = None if of.keys is None else list(of.keys)
    async with ledger.snapshot() as conn:
        wanted = (of.tenant, of.kind, keys, of.text, of.year, of.stale_only)
        found = await conn.fetch(ROWS, *wanted, after, rows_max + 1)
        rows = [StoredRow(**row) for row in found[:rows_max]]
        entries: Mapping[str, int] = {}
        if of.readers and rows:
            there = [row.key for row in rows]
            entries = (await usage_of_places(conn, of.tenant, of.readers, there)).by_key
    return RowPage(rows, entries, len(found) > len(rows))
