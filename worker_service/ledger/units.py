"""The units of an institution: added and renamed by their institutional id, removed if unused."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.ledger.pool import Connection, Ledger


class UnitsGone(Exception):
    """Units have been removed: `units`, by their stored spelling."""

    def __init__(self, units: Sequence[str]) -> None:
        super().__init__(", ".join(units))
        self.units = units


@dataclass(frozen=True, slots=True)
class UnitChanges:
    """What a file of units did: `renamed` has id, old and new name, in the order of the file.

    `stale` counts those that a list of all units lacks and that were in force before.
    """

    new: int
    renamed: Sequence[tuple[str, str, str]]
    same: int
    stale: int = 0


# The first spelling of an id stays, whatever the case of later files: rows carry it.
UPSERT = """
INSERT INTO carbon.units AS u (
    tenant, unit_key, unit, name, changed_token, file_name, blob, changed_at
)
SELECT $1, n.unit_key, n.unit, n.name, $5, $6, $7, carbon.clock()
FROM unnest(CAST($2 AS text[]), CAST($3 AS text[]), CAST($4 AS text[]))
    AS n (unit_key, unit, name)
ORDER BY n.unit_key
ON CONFLICT (tenant, unit_key)
    DO UPDATE SET name = excluded.name, changed_token = excluded.changed_token,
        file_name = excluded.file_name, blob = excluded.blob, changed_at = excluded.changed_at,
        stale = false
    WHERE u.name <> excluded.name OR u.stale
"""
FLAG = """
UPDATE carbon.units SET stale = true, changed_token = $3, changed_at = carbon.clock()
WHERE tenant = $1 AND NOT stale AND unit_key <> ALL(CAST($2 AS text[]))
"""
NAMES = """
SELECT unit_key, unit, name FROM carbon.units
WHERE tenant = $1 AND unit_key = ANY(CAST($2 AS text[]))
"""
UNITS = "SELECT unit FROM carbon.units WHERE tenant = $1 ORDER BY unit"
# The entries to be published hold on to their units: whoever removes one waits for their COMMIT.
HOLD = """
SELECT unit FROM carbon.units
WHERE tenant = $1 AND unit = ANY(CAST($2 AS text[]))
ORDER BY unit_key
FOR KEY SHARE
"""
REMOVE = """
WITH wanted AS (
    SELECT unit_key FROM carbon.units
    WHERE tenant = $1 AND unit_key = ANY(CAST($2 AS text[]))
    ORDER BY unit_key
    FOR UPDATE
)
DELETE FROM carbon.units AS u
USING wanted AS w
WHERE u.tenant = $1 AND u.unit_key = w.unit_key
"""
FIND = "SELECT unit FROM carbon.units WHERE tenant = $1 AND unit_key = $2"


async def save_units(
    conn: Connection,
    tenant: str,
    units: Sequence[str],
    names: Sequence[str],
    claim_token: int,
    *,
    file_name: str = "",
    blob: str = "",
    are_all: bool = False,
) -> UnitChanges:
    """Adds and renames units. Call it within a publication, which no other one of units overlaps.

    `blob` refers to the file that brings them. If they `are_all`, the others become stale: these
    stay, with their entries and totals.
    """
    keys = comparison_keys(units)
    before = {row["unit_key"]: row for row in await conn.fetch(NAMES, tenant, keys)}
    await conn.execute(UPSERT, tenant, keys, units, names, claim_token, file_name, blob)
    renamed = [
        (before[key]["unit"], before[key]["name"], name)
        for key, name in zip(keys, names, strict=True)
        if key in before and before[key]["name"] != name
    ]
    stale = 0
    if are_all:
        flagged: str = await conn.execute(FLAG, tenant, keys, claim_token)
        stale = int(flagged.rpartition(" ")[2])
    return UnitChanges(len(keys) - len(before), renamed, len(before) - len(renamed), stale)


async def read_units(ledger: Ledger, tenant: str) -> list[str]:
    """The institutional ids of all units, as stored."""
    async with ledger.session() as conn:
        return [row["unit"] for row in await conn.fetch(UNITS, tenant)]


async def find_unit(ledger: Ledger, tenant: str, asked: str) -> str | None:
    """The stored spelling of a unit's id, matched in any case. None if there is no such unit."""
    async with ledger.session() as conn:
        found: str | None = await conn.fetchval(FIND, tenant, comparison_key(asked.strip()))
    return found


async def hold_units(conn: Connection, tenant: str, units: Sequence[str]) -> None:
    """Locks units against removal until the end of a publication of entries.

    `units` are ids as stored. Raises UnitsGone if one has been removed.
    """
    held = {row["unit"] for row in await conn.fetch(HOLD, tenant, list(units))}
    if gone := sorted(set(units) - held):
        raise UnitsGone(gone)


async def remove_units(conn: Connection, tenant: str, units: Sequence[str]) -> int:
    """Within a publication; how many were there. Whether entries use them is the caller's matter.

    Waits for publications that hold them: look for entries after this.
    """
    return int((await conn.execute(REMOVE, tenant, comparison_keys(units))).rpartition(" ")[2])
