"""Digests of the rows of uploads, in the order of the rows: a chunk for each batch of a set."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from worker_service.carbon.entry_layout import EntryLayout
from worker_service.ledger.entry_sets import NewSet, layout_in
from worker_service.ledger.pool import Connection
from worker_service.ledger.uploads import Upload

# Chunks that are fetched at once.
CHUNKS_FETCHED = 10

SAVE = """
INSERT INTO carbon.row_digests (tenant, entry_set, first_row, made_by, digests)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, entry_set, first_row)
    DO UPDATE SET made_by = excluded.made_by, digests = excluded.digests
"""
# Uploads of two units have no row in common. One with the same identity will be replaced.
BESIDE = """
SELECT s.entry_set AS upload_id, s.pipeline_id, s.file_name, s.unit, s.source_name AS source,
    s.row_count, s.last_row_number, coalesce(s.content_digest, '') AS content_digest, EXISTS (
        SELECT FROM carbon.row_digests AS d
        WHERE d.tenant = s.tenant AND d.entry_set = s.entry_set AND d.made_by = $6
    ) AS has_digests, s.text_keys, s.number_keys
FROM carbon.entry_sets AS s
WHERE s.tenant = $1 AND s.data_entry_type = $2 AND s.year = $3 AND s.state = 'PUBLISHED'
    AND NOT (s.unit IS NOT DISTINCT FROM $4 AND s.source_name = $5)
    AND (CAST($4 AS text) IS NULL OR s.unit IS NULL OR s.unit = $4)
ORDER BY s.entry_set
"""
CHUNKS = """
SELECT entry_set, first_row, digests
FROM carbon.row_digests
WHERE tenant = $1 AND entry_set = ANY(CAST($2 AS bigint[])) AND made_by = $3
ORDER BY entry_set, first_row
"""
NTH_ROW = """
SELECT row_number FROM carbon.entries
WHERE tenant = $1 AND entry_set = $2 AND row_number >= $3
ORDER BY row_number OFFSET $4 LIMIT 1
"""
ROWS_FROM = """
SELECT row_number FROM carbon.entries
WHERE tenant = $1 AND entry_set = $2 AND row_number >= $3
ORDER BY row_number LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class DigestChunk:
    """The digests of consecutive rows of a set, from `first_row` on. `made_by` says how.

    Only digests that were made in the same way can be compared.
    """

    entry_set: int
    first_row: int
    made_by: str
    digests: bytes


@dataclass(frozen=True, slots=True)
class UploadBeside:
    """An upload that counts and may have rows of another. `last_row_number` is that of its rows.

    `content_digest` is "" if unknown.
    """

    upload: Upload
    last_row_number: int
    has_digests: bool
    content_digest: str
    layout: EntryLayout


def digests_of(chunk: DigestChunk) -> pl.Series:
    """The digests of a chunk, in the order of the rows. Blocks."""
    return pl.read_ipc(io.BytesIO(chunk.digests))["digest"]


async def save_digests(conn: Connection, tenant: str, chunk: DigestChunk) -> None:
    """Stores a chunk, in place of one that begins at the same row. Raises DatabaseUnavailable."""
    values = (chunk.entry_set, chunk.first_row, chunk.made_by, chunk.digests)
    await conn.execute(SAVE, tenant, *values)


async def uploads_beside(conn: Connection, new: NewSet, made_by: str) -> list[UploadBeside]:
    """The uploads that will count beside a new one and may have the same rows, oldest first."""
    identity = (new.tenant, new.data_entry_type, new.year, new.unit, new.source)
    rows = await conn.fetch(BESIDE, *identity, made_by)
    return [
        UploadBeside(
            _upload(row),
            row["last_row_number"],
            row["has_digests"],
            row["content_digest"],
            layout_in(row),
        )
        for row in rows
    ]


async def read_chunks(
    conn: Connection, tenant: str, entry_sets: Sequence[int], made_by: str
) -> AsyncIterator[DigestChunk]:
    """The chunks of some sets, in order of set and row. Call it within a snapshot."""
    wanted = (tenant, list(entry_sets), made_by)
    async for row in conn.cursor(CHUNKS, *wanted, prefetch=CHUNKS_FETCHED):
        yield DigestChunk(row["entry_set"], row["first_row"], made_by, row["digests"])


async def row_number_of(
    conn: Connection, tenant: str, entry_set: int, first_row: int, offset: int
) -> int:
    """The number of the row that comes `offset` rows after `first_row` in a set."""
    number = await conn.fetchval(NTH_ROW, tenant, entry_set, first_row, offset)
    assert isinstance(number, int), "a digest has a row"
    return number


async def row_numbers_from(
    conn: Connection, tenant: str, entry_set: int, first_row: int, count: int
) -> list[int]:
    """The numbers of `count` rows of a set, from `first_row` on."""
    rows = await conn.fetch(ROWS_FROM, tenant, entry_set, first_row, count)
    return [row["row_number"] for row in rows]


def _upload(row: Any) -> Upload:
    return Upload(
        row["upload_id"],
        row["pipeline_id"],
        row["file_name"],
        row["unit"],
        row["source"],
        row["row_count"],
    )
