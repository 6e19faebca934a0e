"""Places by transport mode: a file adds and changes places, or replaces all of a mode.

A place is stale if a later file with the name of the one that brought it lacks it. It is used all
the same. The next file that has it, of whatever name, counts as the one that brought it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.ledger.frames import copy_out
from worker_service.ledger.input_versions import mark_changed, reference_input
from worker_service.ledger.pool import Connection

KIND = "locations"
PLACE_COLUMNS = ("code", "country", "name", "latitude", "longitude")
LOCATION_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "transport_mode": pl.String,
    "code": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
}

# An unchanged place keeps the file that brought it, unless it was stale, and its token always.
UPDATE = """
WITH given AS (
    SELECT n.*
    FROM unnest(
        CAST($3 AS text[]), CAST($4 AS text[]), CAST($5 AS text[]),
        CAST($6 AS double precision[]), CAST($7 AS double precision[])
    ) AS n (code, country, name, latitude, longitude)
), changed AS (
    UPDATE carbon.locations AS l
    SET country = g.country, name = g.name, latitude = g.latitude, longitude = g.longitude,
        file_name = $8, blob = $9, changed_token = $10, changed_at = carbon.clock(),
        version = l.version + 1
    FROM given AS g
    JOIN carbon.locations AS o
        ON o.tenant = $1 AND o.transport_mode = $2 AND o.code = g.code
    WHERE l.ctid = o.ctid
        AND (o.country, o.name, o.latitude, o.longitude)
            IS DISTINCT FROM (g.country, g.name, g.latitude, g.longitude)
    RETURNING (o.latitude, o.longitude) <> (g.latitude, g.longitude) AS moved
)
SELECT count(*) AS changed, count(*) FILTER (WHERE moved) AS moved FROM changed
"""
INSERT = """
WITH given AS (
    SELECT n.*
    FROM unnest(
        CAST($3 AS text[]), CAST($4 AS text[]), CAST($5 AS text[]),
        CAST($6 AS double precision[]), CAST($7 AS double precision[])
    ) AS n (code, country, name, latitude, longitude)
)
INSERT INTO carbon.locations (
    tenant, transport_mode, code, country, name, latitude, longitude, file_name, blob,
    changed_token, changed_at
)
SELECT $1, $2, g.code, g.country, g.name, g.latitude, g.longitude, $8, $9, $10, carbon.clock()
FROM given AS g
WHERE NOT EXISTS (
    SELECT FROM carbon.locations AS l
    WHERE l.tenant = $1 AND l.transport_mode = $2 AND l.code = g.code
)
"""
DELETE = """
DELETE FROM carbon.locations AS l
WHERE l.tenant = $1 AND l.transport_mode = $2
    AND NOT EXISTS (SELECT FROM unnest(CAST($3 AS text[])) AS g (code) WHERE g.code = l.code)
"""
# A file without a name is followed by no other, and a part of a file lacks nothing. Of a list, ANY
# makes a hash; a subquery was compared row by row where the table had no statistics yet.
MARK_STALE = """
WITH marked AS (
    UPDATE carbon.locations AS l
    SET stale = NOT l.stale,
        file_name = CASE WHEN l.stale THEN $5 ELSE l.file_name END,
        blob = CASE WHEN l.stale THEN $6 ELSE l.blob END
    WHERE l.tenant = $1 AND l.transport_mode = $2
        AND l.stale = (l.code = ANY(CAST($3 AS text[])))
        AND (l.stale OR ($4 AND l.file_name = $5 AND l.file_name <> ''))
    RETURNING l.stale
)
SELECT count(*) AS marked, count(*) FILTER (WHERE stale) AS stale FROM marked
"""
STALE = """
SELECT code FROM carbon.locations
WHERE tenant = $1 AND transport_mode = $2 AND stale
ORDER BY code
"""
KNOWN = """
SELECT DISTINCT code FROM carbon.locations
WHERE tenant = $1 AND transport_mode = $2 AND code = ANY(CAST($3 AS text[]))
"""
REMOVE = """
DELETE FROM carbon.locations
WHERE tenant = $1 AND transport_mode = $2 AND code = ANY(CAST($3 AS text[]))
"""
MISSING = """
SELECT l.code FROM carbon.locations AS l
WHERE l.tenant = $1 AND l.transport_mode = $2
    AND NOT EXISTS (SELECT FROM unnest(CAST($3 AS text[])) AS g (code) WHERE g.code = l.code)
ORDER BY l.code
"""
LOCATIONS = """
SELECT transport_mode, code, latitude, longitude
FROM carbon.locations
WHERE tenant = $1
ORDER BY transport_mode, code
"""


@dataclass(frozen=True, slots=True)
class PlacesFile:
    """The places of one transport mode in a file, each code once.

    `is_whole`: the file is not only a part of another one, such as its mended rows.
    """

    tenant: str
    transport_mode: str
    places: pl.DataFrame
    file_name: str
    blob: str
    is_whole: bool = True

    @property
    def codes(self) -> list[str]:
        """The codes of all its places."""
        return self.places["code"].to_list()


@dataclass(frozen=True, slots=True)
class PlaceChanges:
    """How many places are new, changed, the same, and gone; and how many have become stale."""

    new: int
    changed: int
    same: int
    gone: int
    stale: int = 0


async def save_locations(
    conn: Connection, file: PlacesFile, claim_token: int, *, replace: bool
) -> PlaceChanges:
    """Adds and changes the places of a file. Call it within a publication.

    `replace` deletes the other places of the mode. A change that may change distances marks the
    reference data as changed; a new name does not.
    """
    mode = (file.tenant, file.transport_mode)
    columns = [file.places[name].to_list() for name in PLACE_COLUMNS]
    brought_by = (file.file_name, file.blob, claim_token)
    changed = await conn.fetchrow(UPDATE, *mode, *columns, *brought_by)
    assert changed is not None, "an aggregate has a row"
    new = _count(await conn.execute(INSERT, *mode, *columns, *brought_by))
    gone = _count(await conn.execute(DELETE, *mode, file.codes)) if replace else 0
    if new or gone or changed["moved"]:
        await mark_changed(conn, file.tenant, reference_input(KIND), claim_token)
    of_file = (file.codes, file.is_whole, file.file_name, file.blob)
    marked = await conn.fetchrow(MARK_STALE, *mode, *of_file)
    assert marked is not None, "an aggregate has a row"
    same = file.places.height - new - changed["changed"]
    return PlaceChanges(new, changed["changed"], same, gone, marked["stale"])


async def remove_locations(
    conn: Connection, tenant: str, transport_mode: str, codes: Sequence[str], claim_token: int
) -> int:
    """Removes places. Call it within a publication. Returns how many were there."""
    removed = _count(await conn.execute(REMOVE, tenant, transport_mode, list(codes)))
    if removed:
        await mark_changed(conn, tenant, reference_input(KIND), claim_token)
    return removed


async def stale_codes(conn: Connection, tenant: str, transport_mode: str) -> list[str]:
    """The codes of the stale places of a mode, in order."""
    return [row["code"] for row in await conn.fetch(STALE, tenant, transport_mode)]


async def known_codes(
    conn: Connection, tenant: str, transport_mode: str, codes: Sequence[str]
) -> set[str]:
    """Those of some codes that the mode has places of."""
    rows = await conn.fetch(KNOWN, tenant, transport_mode, list(codes))
    return {row["code"] for row in rows}


async def codes_not_in(conn: Connection, file: PlacesFile) -> Sequence[str]:
    """The codes of places of the mode that the file lacks, in order."""
    rows = await conn.fetch(MISSING, file.tenant, file.transport_mode, file.codes)
    return [row["code"] for row in rows]


async def read_locations(conn: Connection, tenant: str) -> bytes:
    """All places, for `frame_of` with LOCATION_SCHEMA."""
    return await copy_out(conn, LOCATIONS, tenant)


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
