"""The units of an institution: added and renamed by their institutional id, removed if unused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.carbon.unit_tree import check_tree
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.unit_tree import placed_units


class UnitsGone(Exception):
    """Units have been removed: `units`, by their stored spelling."""

    def __init__(self, units: Sequence[str]) -> None:
        super().__init__(", ".join(units))
        self.units = units


@dataclass(frozen=True, slots=True)
class UnitChanges:
    """What a file of units did: `renamed` has id, old and new name, in the order of the file.

    `stale` counts those that a list of all units lacks and that were in force before, `moved` those
    that were there and have another parent now.
    """

    new: int
    renamed: Sequence[tuple[str, str, str]]
    same: int
    stale: int = 0
    moved: int = 0


# The first spelling of an id stays, whatever the case of later files: rows carry it.
UPSERT = """
INSERT INTO carbon.units AS u (
    tenant, unit_key, unit, name, parent_key, changed_token, file_name, blob, changed_at
)
SELECT $1, n.unit_key, n.unit, n.name, n.parent_key, $6, $7, $8, carbon.clock()
FROM unnest(CAST($2 AS text[]), CAST($3 AS text[]), CAST($4 AS text[]), CAST($5 AS text[]))
    AS n (unit_key, unit, name, parent_key)
ORDER BY n.unit_key
ON CONFLICT (tenant, unit_key)
    DO UPDATE SET name = excluded.name, parent_key = excluded.parent_key,
        changed_token = excluded.changed_token, file_name = excluded.file_name,
        blob = excluded.blob, changed_at = excluded.changed_at, stale = false
    WHERE u.name <> excluded.name OR u.stale
        OR u.parent_key IS DISTINCT FROM excluded.parent_key
"""
FLAG = """
UPDATE carbon.units SET stale = true, changed_token = $3, changed_at = carbon.clock()
WHERE tenant = $1 AND NOT stale AND unit_key <> ALL(CAST($2 AS text[]))
"""
NAMES = """
SELECT unit_key, unit, name, parent_key FROM carbon.units
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


async def save_units(  # noqa: PLR0913 - each by its name
    conn: Connection,
    tenant: str,
    units: Sequence[str],
    names: Sequence[str],
    claim_token: int,
    *,
    parents: Mapping[str, str | None] = {},
    file_name: str = "",
    blob: str = "",
    are_all: bool = False,
    also_listed: Sequence[str] = (),
) -> UnitChanges:
    """Adds and renames units. Call it within a publication, which no other one of units overlaps.

    `parents` has the id of the unit above, None for none, of those of the `units` that get a place
    in the tree; the others keep theirs. `blob` refers to the file that brings them. If they
    `are_all`, the others become stale, but for those `also_listed`, whose rows were rejected: these
    stay, with their entries and totals. Raises NotATree
    if a unit would be below itself, UnitsGone if a parent has been removed.
    """
    keys = comparison_keys(units)
    placed = _placed(parents)
    found = await conn.fetch(NAMES, tenant, [*keys, *filter(None, placed.values())])
    there = {row["unit_key"]: row for row in found}
    if gone := {*filter(None, placed.values())} - there.keys() - {*keys}:
        raise UnitsGone(sorted(gone))
    before = {key: there[key] for key in keys if key in there}
    above = [
        placed[key] if key in placed else there[key]["parent_key"] if key in there else None
        for key in keys
    ]
    await conn.execute(UPSERT, tenant, keys, units, names, above, claim_token, file_name, blob)
    if placed:
        check_tree({one.unit: one.parent for one in await placed_units(conn, tenant)})
    others = {
        key: (before[key]["unit"], before[key]["name"], name)
        for key, name in zip(keys, names, strict=True)
        if key in before and before[key]["name"] != name
    }
    stale = 0
    if are_all:
        listed = [*keys, *comparison_keys(also_listed)]
        flagged: str = await conn.execute(FLAG, tenant, listed, claim_token)
        stale = int(flagged.rpartition(" ")[2])
    moved = {key for key in before if key in placed and before[key]["parent_key"] != placed[key]}
    same = len(before.keys() - moved - others.keys())
    return UnitChanges(len(keys) - len(before), [*others.values()], same, stale, len(moved))


def _placed(parents: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """`parents` by key, and as keys."""
    keys = comparison_keys(list(parents))
    above = comparison_keys([parent or "" for parent in parents.values()])
    return {key: parent or None for key, parent in zip(keys, above, strict=True)}


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
