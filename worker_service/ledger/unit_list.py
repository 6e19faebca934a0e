"""Lists of units, page by page, with the files that brought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker_service.ledger.pool import Ledger
from worker_service.ledger.usage import usage_of_units

# One row more than fits on the page tells that there is another.
UNITS = """
SELECT u.unit_key, u.unit, left(u.name, 200) AS name, coalesce(p.unit, '') AS parent, u.file_name,
    u.blob, u.changed_token AS claim_token, u.changed_at, u.stale, m.mapping
FROM carbon.units AS u
LEFT JOIN carbon.units AS p ON p.tenant = u.tenant AND p.unit_key = u.parent_key
LEFT JOIN carbon.load_mappings AS m ON m.tenant = u.tenant AND m.claim_token = u.changed_token
WHERE u.tenant = $1 AND (CAST($2 AS text[]) IS NULL OR u.unit_key = ANY(CAST($2 AS text[])))
    AND (
        CAST($3 AS text) IS NULL OR starts_with(u.unit_key, $3)
        OR strpos(carbon.comparison_key(u.name), $3) > 0
    )
    AND u.unit_key > $4
ORDER BY u.unit_key
LIMIT $5
"""


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units of a tenant to list. Keys and text are case-folded like stored keys."""

    tenant: str
    keys: Sequence[str] | None = None
    text: str | None = None
    with_usage: bool = False


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """A unit, with the unit above it ("" at the top) and the file that brought it or its name."""

    unit_key: str
    unit: str
    name: str
    parent: str
    file_name: str
    blob: str
    claim_token: int
    changed_at: datetime | None
    stale: bool
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class UnitPage:
    """Units by key. `entries` counts the entries of each, if that was asked for."""

    units: Sequence[StoredUnit]
    entries: Mapping[str, int]
    more: bool


async def list_units(ledger: Ledger, of: UnitFilter, after: str, rows_max: int) -> UnitPage:
    """A page of at most `rows_max`, read at one moment. Raises DatabaseUnavailable."""
    keys = None if of.keys is None else list(of.keys)
    async with ledger.snapshot() as conn:
        rows = await conn.fetch(UNITS, of.tenant, keys, of.text, after, rows_max + 1)
        units = [StoredUnit(**row) for row in rows[:rows_max]]
        entries: Mapping[str, int] = {}
        if of.with_usage and units:
            entries = (await usage_of_units(conn, of.tenant, [one.unit for one in units])).by_key
    return UnitPage(units, entries, len(rows) > len(units))
