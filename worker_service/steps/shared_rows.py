"""Finds rows of a new upload that count already in another upload of the same type and year."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.stored import stored_again
from worker_service.ledger.entry_sets import ENTRY_SCHEMA, NewSet, PublishedSet, read_entries
from worker_service.ledger.frames import frame_of
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.row_digests import (
    DigestChunk,
    UploadBeside,
    read_chunks,
    row_number_of,
    save_digests,
    uploads_beside,
)
from worker_service.ledger.uploads import Upload

# The hash of one version of polars is not that of another.
MADE_BY = f"polars-{pl.__version__}"
# Digests of each side that are compared at once: those of some 500,000 rows.
BYTES_AT_ONCE = 4 << 20
_SEED = 3
_PLACE = ("entry_set", "first_row", "offset")


@dataclass(frozen=True, slots=True)
class SharedRows:
    """How many `rows` of the new upload are identical to rows of `upload`.

    The first of them is `row`, and `other_row` is a row of `upload` that is identical to it.
    """

    upload: Upload
    rows: int
    row: int
    other_row: int


def digest_chunk(entry_set: int, stored: pl.DataFrame) -> DigestChunk:
    """Digests of stored rows (row_number, unit, data, in order), at least one. Blocks."""
    digests = stored.select("unit", "data").hash_rows(seed=_SEED).alias("digest")
    buffer = io.BytesIO()
    digests.to_frame().write_ipc(buffer)
    return DigestChunk(entry_set, stored["row_number"][0], MADE_BY, buffer.getvalue())


async def shared_rows(
    ledger: Ledger, declared: DataEntryType, new: NewSet
) -> tuple[SharedRows, ...]:
    """What the loaded rows of a set have in common with each upload that will count beside it.

    Rows are equal if unit, values and note are. Uploads with digests of another version, or none,
    get new ones first, which takes as long as reading them. Memory is bounded by BYTES_AT_ONCE.
    """
    async with ledger.snapshot() as conn:
        beside = await uploads_beside(conn, new, MADE_BY)
        for one in beside:
            if not one.has_digests:
                await _digest_again(ledger, conn, declared, new.tenant, one)
    if not beside:
        return ()
    # Another snapshot, because the first one does not see the digests that were made just now.
    async with ledger.snapshot() as conn:
        found = await _compared(conn, new, [one.upload.upload_id for one in beside])
        uploads = {one.upload.upload_id: one.upload for one in beside}
        return tuple([await _named(conn, new, uploads, row) for row in found.iter_rows(named=True)])


async def _compared(conn: Connection, new: NewSet, others: Sequence[int]) -> pl.DataFrame:
    """A row for each set with common rows: entry_set, how many, and where the first pair is."""
    found: list[pl.DataFrame] = []
    async for piece in _pieces(conn, new.tenant, [new.entry_set]):
        own = await asyncio.to_thread(_frame, piece)
        pairs = [
            await asyncio.to_thread(_pairs, own, other)
            async for other in _pieces(conn, new.tenant, others)
        ]
        found.append(await asyncio.to_thread(_counted, pairs))
    return (
        pl.concat(found)
        .group_by("entry_set", maintain_order=True)
        .agg(pl.col("rows").sum(), pl.exclude("rows").first())
        .sort("entry_set")
    )


def _frame(chunks: Sequence[DigestChunk]) -> pl.DataFrame:
    return pl.concat(
        pl.read_ipc(io.BytesIO(chunk.digests)).select(
            "digest",
            pl.lit(chunk.entry_set).alias("entry_set"),
            pl.lit(chunk.first_row).alias("first_row"),
            pl.int_range(pl.len(), dtype=pl.Int32).alias("offset"),
        )
        for chunk in chunks
    )


def _pairs(own: pl.DataFrame, chunks: Sequence[DigestChunk]) -> pl.DataFrame:
    """Each own row with the first row of each other set that is equal: where both are."""
    common = _frame(chunks).join(own, on="digest", how="semi", maintain_order="left")
    firsts = common.unique(["entry_set", "digest"], keep="first", maintain_order=True)
    return own.drop("entry_set").join(firsts, on="digest", suffix="_other", maintain_order="left")


def _counted(pairs: Sequence[pl.DataFrame]) -> pl.DataFrame:
    # A row that is in two pieces of the other set is one row.
    each = pl.concat(pairs).unique(_PLACE, keep="first", maintain_order=True)
    return (
        each.sort("first_row", "offset", maintain_order=True)
        .group_by("entry_set", maintain_order=True)
        .agg(pl.len().alias("rows"), pl.exclude("digest").first())
    )


async def _named(
    conn: Connection, new: NewSet, uploads: Mapping[int, Upload], found: Mapping[str, Any]
) -> SharedRows:
    own = (found["first_row"], found["offset"])
    other = (found["first_row_other"], found["offset_other"])
    return SharedRows(
        uploads[found["entry_set"]],
        found["rows"],
        await row_number_of(conn, new.tenant, new.entry_set, *own),
        await row_number_of(conn, new.tenant, found["entry_set"], *other),
    )


async def _digest_again(
    ledger: Ledger, conn: Connection, declared: DataEntryType, tenant: str, one: UploadBeside
) -> None:
    upload = one.upload
    entries = PublishedSet(upload.upload_id, upload.row_count, one.last_row_number, 0)

    def digested(rows: bytes) -> DigestChunk:
        stored = stored_again(declared, frame_of(rows, ENTRY_SCHEMA))
        return digest_chunk(upload.upload_id, stored)

    async for rows in read_entries(conn, tenant, entries):
        await save_digests(ledger, tenant, await asyncio.to_thread(digested, rows))


async def _pieces(
    conn: Connection, tenant: str, entry_sets: Sequence[int]
) -> AsyncIterator[list[DigestChunk]]:
    """The chunks of some sets, so many at a time that they have BYTES_AT_ONCE."""
    piece: list[DigestChunk] = []
    size = 0
    async for chunk in read_chunks(conn, tenant, entry_sets, MADE_BY):
        piece.append(chunk)
        size += len(chunk.digests)
        if size >= BYTES_AT_ONCE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
