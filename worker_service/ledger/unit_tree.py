"""Reads the tree of units."""

from collections.abc import Sequence

from worker_service.carbon.unit_tree import PlacedUnit
from worker_service.ledger.pool import Connection

TREE = """
SELECT u.unit, u.name, p.unit AS parent
FROM carbon.units AS u
LEFT JOIN carbon.units AS p ON p.tenant = u.tenant AND p.unit_key = u.parent_key
WHERE u.tenant = $1 AND (CAST($2 AS text[]) IS NULL OR u.unit = ANY(CAST($2 AS text[])))
ORDER BY u.unit_key
"""
# UNION and not UNION ALL: rows that are not a tree end, too.
BELOW = """
WITH RECURSIVE below AS (
    SELECT unit_key, unit FROM carbon.units WHERE tenant = $1 AND unit = $2
    UNION
    SELECT u.unit_key, u.unit
    FROM below AS b
    JOIN carbon.units AS u ON u.tenant = $1 AND u.parent_key = b.unit_key
)
SELECT unit FROM below ORDER BY unit_key
"""
CHILDREN = """
SELECT c.unit, p.unit AS parent
FROM carbon.units AS c
JOIN carbon.units AS p ON p.tenant = c.tenant AND p.unit_key = c.parent_key
WHERE c.tenant = $1 AND p.unit = ANY(CAST($2 AS text[])) AND c.unit <> ALL(CAST($2 AS text[]))
ORDER BY c.unit_key
"""


async def placed_units(
    conn: Connection, tenant: str, units: Sequence[str] | None = None
) -> list[PlacedUnit]:
    """The units with the ones above them, by id. None for all."""
    rows = await conn.fetch(TREE, tenant, None if units is None else list(units))
    return [PlacedUnit(**row) for row in rows]


async def units_below(conn: Connection, tenant: str, unit: str) -> tuple[str, ...]:
    """The unit, spelled as stored, and all units below it on any level."""
    return tuple(row["unit"] for row in await conn.fetch(BELOW, tenant, unit))


async def children_of(
    conn: Connection, tenant: str, units: Sequence[str]
) -> Sequence[tuple[str, str]]:
    """(child, parent) of units right below some `units` and not among them."""
    rows = await conn.fetch(CHILDREN, tenant, list(units))
    return [(row["unit"], row["parent"]) for row in rows]
