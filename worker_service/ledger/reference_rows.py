"""Reference data by kind and key, such as exchange rates: a file adds and changes, or replaces.

A file replaces, and makes stale, rows of its own years alone; a kind without years is one year. A
row is stale if a later file with the name of the one that brought it lacks it. It is used all the
same. The next file that has it, of whatever name, counts as the one that brought it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.catalogue import row_columns
from worker_service.carbon.reference_kinds import ReferenceKind
from worker_service.ledger.frames import copy_out
from worker_service.ledger.input_versions import mark_changed, reference_input
from worker_service.ledger.pool import Connection
from worker_service.ledger.usage import PlaceColumns

ROW_SCHEMA: Mapping[str, type[pl.DataType]] = {"key": pl.String, "data": pl.String}

# An unchanged row keeps the file that brought it, unless it was stale, and its token always.
SAVE = """
WITH saved AS (
    INSERT INTO carbon.reference_rows AS r (
        tenant, kind, key, year, data, file_name, blob, changed_token, changed_at
    )
    SELECT $1, $2, g.key, g.year, CAST(g.data AS jsonb), $6, $7, $8, carbon.clock()
    FROM unnest(CAST($3 AS text[]), CAST($4 AS smallint[]), CAST($5 AS text[]))
        AS g (key, year, data)
    ON CONFLICT (tenant, kind, key) DO UPDATE
    SET data = excluded.data, file_name = excluded.file_name, blob = excluded.blob,
        changed_token = excluded.changed_token, changed_at = excluded.changed_at,
        version = r.version + 1
    WHERE r.data <> excluded.data
    RETURNING r.version
)
SELECT count(*) FILTER (WHERE version = 1) AS new,
    count(*) FILTER (WHERE version > 1) AS changed
FROM saved
"""
# The rows of a file's years that it lacks. Of a list, ANY makes a hash.
DELETE = """
DELETE FROM carbon.reference_rows AS r
WHERE r.tenant = $1 AND r.kind = $2 AND NOT r.key = ANY(CAST($3 AS text[]))
    AND (r.year IS NULL OR r.year = ANY(CAST($4 AS smallint[])))
"""
MISSING = """
SELECT r.key FROM carbon.reference_rows AS r
WHERE r.tenant = $1 AND r.kind = $2 AND NOT r.key = ANY(CAST($3 AS text[]))
    AND (r.year IS NULL OR r.year = ANY(CAST($4 AS smallint[])))
ORDER BY r.key
"""
# A file without a name is followed by no other, and a part of a file lacks nothing.
MARK_STALE = """
UPDATE carbon.reference_rows AS r
SET stale = true
WHERE r.tenant = $1 AND r.kind = $2 AND NOT r.key = ANY(CAST($3 AS text[]))
    AND (r.year IS NULL OR r.year = ANY(CAST($4 AS smallint[])))
    AND NOT r.stale AND r.file_name = $5 AND r.file_name <> ''
"""
TAKE_OVER = """
UPDATE carbon.reference_rows AS r
SET stale = false, file_name = $4, blob = $5
WHERE r.tenant = $1 AND r.kind = $2 AND r.stale AND r.key = ANY(CAST($3 AS text[]))
"""
STALE = """
SELECT key FROM carbon.reference_rows
WHERE tenant = $1 AND kind = $2 AND stale
ORDER BY key
"""
KNOWN = """
SELECT key FROM carbon.reference_rows
WHERE tenant = $1 AND kind = $2 AND key = ANY(CAST($3 AS text[]))
"""
REMOVE = """
DELETE FROM carbon.reference_rows
WHERE tenant = $1 AND kind = $2 AND key = ANY(CAST($3 AS text[]))
"""
OF_YEAR = """
SELECT key, data
FROM carbon.reference_rows
WHERE tenant = $1 AND kind = $2 AND (year IS NULL OR year = $3)
ORDER BY key
"""


@dataclass(frozen=True, slots=True)
class RowsFile:
    """The rows of one kind in a file (key, year, data), each key once.

    `is_whole`: the file is not only a part of another one, such as its mended rows.
    """

    tenant: str
    kind: str
    rows: pl.DataFrame
    file_name: str
    blob: str
    is_whole: bool = True

    @property
    def keys(self) -> list[str]:
        """The keys of all its rows."""
        return self.rows["key"].to_list()

    @property
    def years(self) -> list[int]:
        """The years of its rows, each once. None for a kind without years."""
        return self.rows["year"].drop_nulls().unique().sort().to_list()


@dataclass(frozen=True, slots=True)
class RowChanges:
    """How many rows are new, changed, the same, and gone; and how many have become stale."""

    new: int
    changed: int
    same: int
    gone: int
    stale: int


async def save_rows(
    conn: Connection, file: RowsFile, claim_token: int, *, replace: bool
) -> RowChanges:
    """Adds and changes the rows of a file. Call it within a publication.

    `replace` deletes the other rows of its years.
    """
    of = (file.tenant, file.kind)
    columns = [file.rows[name].to_list() for name in ("key", "year", "data")]
    saved = await conn.fetchrow(SAVE, *of, *columns, file.file_name, file.blob, claim_token)
    assert saved is not None, "an aggregate has a row"
    lacked = (*of, file.keys, file.years)
    gone = _count(await conn.execute(DELETE, *lacked)) if replace else 0
    if saved["new"] or saved["changed"] or gone:
        await mark_changed(conn, file.tenant, reference_input(file.kind), claim_token)
    await conn.execute(TAKE_OVER, *of, file.keys, file.file_name, file.blob)
    marks = file.is_whole and not replace
    stale = _count(await conn.execute(MARK_STALE, *lacked, file.file_name)) if marks else 0
    same = file.rows.height - saved["new"] - saved["changed"]
    return RowChanges(saved["new"], saved["changed"], same, gone, stale)


async def remove_rows(
    conn: Connection, tenant: str, kind: str, keys: Sequence[str], claim_token: int
) -> int:
    """Removes rows. Call it within a publication. Returns how many were there."""
    removed = _count(await conn.execute(REMOVE, tenant, kind, list(keys)))
    if removed:
        await mark_changed(conn, tenant, reference_input(kind), claim_token)
    return removed


async def stale_keys(conn: Connection, tenant: str, kind: str) -> list[str]:
    """The keys of the stale rows of a kind, in order."""
    return [row["key"] for row in await conn.fetch(STALE, tenant, kind)]


async def known_keys(conn: Connection, tenant: str, kind: str, keys: Sequence[str]) -> set[str]:
    """Those of some keys that the kind has rows of."""
    return {row["key"] for row in await conn.fetch(KNOWN, tenant, kind, list(keys))}


async def keys_not_in(conn: Connection, file: RowsFile) -> Sequence[str]:
    """The keys of rows of the file's years that it lacks, in order."""
    rows = await conn.fetch(MISSING, file.tenant, file.kind, file.keys, file.years)
    return [row["key"] for row in rows]


async def rows_of_year(conn: Connection, tenant: str, kind: str, year: int) -> bytes:
    """The rows that count in a year, for `frame_of` with ROW_SCHEMA."""
    return await copy_out(conn, OF_YEAR, tenant, kind, year)


def readers_of_rows(kind: ReferenceKind) -> list[PlaceColumns]:
    """The columns with which entries, or their factors, name rows of a kind."""
    return [
        PlaceColumns(
            data_entry_type,
            (columns,),
            excused_by,
            with_year=kind.has_years,
            with_factors=with_factors,
        )
        for data_entry_type, columns, excused_by, with_factors in row_columns(kind.name)
    ]


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])
