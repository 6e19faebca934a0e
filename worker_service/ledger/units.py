"""The units of an institution: added and renamed by their institutional id, never removed."""

from collections.abc import Sequence

from worker_service.carbon.parse.values import folded_key, folded_keys
from worker_service.ledger.pool import Connection, Ledger

# The first spelling of an id stays, whatever the case of later files: rows carry it.
UPSERT = """
INSERT INTO carbon.units AS u (tenant, unit_key, unit, name, changed_token)
SELECT $1, n.unit_key, n.unit, n.name, $5
FROM unnest(CAST($2 AS text[]), CAST($3 AS text[]), CAST($4 AS text[]))
    AS n (unit_key, unit, name)
ORDER BY n.unit_key
ON CONFLICT (tenant, unit_key)
    DO UPDATE SET name = excluded.name, changed_token = excluded.changed_token
    WHERE u.name <> excluded.name
"""
UNITS = "SELECT unit FROM carbon.units WHERE tenant = $1 ORDER BY unit"
FIND = "SELECT unit FROM carbon.units WHERE tenant = $1 AND unit_key = $2"


async def save_units(
    conn: Connection, tenant: str, units: Sequence[str], names: Sequence[str], claim_token: int
) -> int:
    """Adds and renames units. Call it within a publication. Returns how many changed."""
    keys = folded_keys(units)
    done = await conn.execute(UPSERT, tenant, keys, units, names, claim_token)
    return int(done.rpartition(" ")[2])


async def read_units(ledger: Ledger, tenant: str) -> list[str]:
    """The institutional ids of all units, as stored."""
    async with ledger.session() as conn:
        return [row["unit"] for row in await conn.fetch(UNITS, tenant)]


async def find_unit(ledger: Ledger, tenant: str, asked: str) -> str | None:
    """The stored spelling of a unit's id, matched in any case. None if there is no such unit."""
    async with ledger.session() as conn:
        found: str | None = await conn.fetchval(FIND, tenant, folded_key(asked.strip()))
    return found
