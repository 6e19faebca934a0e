"""Finds rows of a new upload that count already in another upload of the same type and year."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, TypeAlias

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.entry_layout import layout_of
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.stored import stored_again
from worker_service.ledger.entry_sets import NewSet, PublishedSet, StoredRows, read_entries
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.row_digests import (
    DigestChunk,
    UploadBeside,
    digests_of,
    read_chunks,
    row_number_of,
    row_numbers_from,
    save_digests,
    uploads_beside,
)
from worker_service.ledger.uploads import Upload
from worker_service.steps.repeated_people import RepeatedPeople, repeated_people

# Digests of each side that are compared at once: those of some 500,000 rows.
BYTES_AT_ONCE = 4 << 20
# So many rows are listed one by one. All of them are counted.
LISTED_MAX = 10_000
_SEED = 3
_PLACE = ("entry_set", "first_row", "offset")

# Of the rows of a chunk, by set and first row.
_RowNumbers: TypeAlias = dict[tuple[int, int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class SharedRows:
    """How many `rows` of the new upload are identical to rows of `upload`.

    The first of them is `row`, and `other_row` is a row of `upload` that is identical to it.
    `is_whole`: each row of `upload` is certainly among the new ones.
    """

    upload: Upload
    rows: int
    row: int
    other_row: int
    is_whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class AllShared:
    """What a new upload shares with others: with each (`uploads`), and the first rows (`listed`).

    `rows` of it are in any of them. `listed`: row, column, value, reason, in order of row, once
    for each upload that has it; at most LISTED_MAX. `people` are in rows that differ otherwise.
    """

    uploads: tuple[SharedRows, ...] = ()
    rows: int = 0
    listed: pl.DataFrame = field(default_factory=lambda: merged_rejections([]))
    people: RepeatedPeople = field(default_factory=RepeatedPeople)

    @property
    def any(self) -> bool:
        """Whether anything counts twice."""
        return bool(self.uploads or self.people.rows)


def digest_chunk(declared: DataEntryType, entry_set: int, stored: pl.DataFrame) -> DigestChunk:
    """Digests of rows of `stored_entries`, in order, at least one. Blocks."""
    buffer = io.BytesIO()
    row_digests(stored).to_frame().write_ipc(buffer)
    return DigestChunk(entry_set, stored["row_number"][0], made_by(declared), buffer.getvalue())


def row_digests(stored: pl.DataFrame) -> pl.Series:
    """A digest (u64) of each row of `stored_entries`: unit and values. Blocks."""
    return stored.drop("row_number").hash_rows(seed=_SEED).alias("digest")


def made_by(declared: DataEntryType) -> str:
    """How digests are made. The hash of one version of polars, or of other columns, is another."""
    layout = layout_of(declared)
    names = " ".join((*layout.texts, "", *layout.numbers))
    return f"polars-{pl.__version__} {sha256(names.encode()).hexdigest()[:8]}"


async def shared_rows(ledger: Ledger, declared: DataEntryType, new: NewSet) -> AllShared:
    """What the loaded rows of a set have in common with each upload that will count beside it.

    Rows are equal if unit, values and note are. Uploads with digests of another version, or none,
    get new ones first, which takes as long as reading them. Memory is bounded by BYTES_AT_ONCE.
    """
    async with ledger.snapshot() as conn:
        beside = await uploads_beside(conn, new, made_by(declared))
        for one in beside:
            if not one.has_digests:
                await _digest_again(ledger, conn, declared, new.tenant, one)
    if not beside:
        return AllShared()
    # Another snapshot, because the first one does not see the digests that were made just now.
    async with ledger.snapshot() as conn:
        others = [one.upload.upload_id for one in beside]
        found, rows, first = await _compared(conn, new, others, made_by(declared))
        uploads = {one.upload.upload_id: one.upload for one in beside}
        named = [await _named(conn, new, uploads, row) for row in found.iter_rows(named=True)]
        words = {upload_id: words_of(upload) for upload_id, upload in uploads.items()}
        people = await repeated_people(conn, declared, new, words)
        return AllShared(tuple(named), rows, await _listed(conn, new, words, first), people)


async def _compared(
    conn: Connection, new: NewSet, others: Sequence[int], made_by: str
) -> tuple[pl.DataFrame, int, pl.DataFrame]:
    """A row for each set with common rows: entry_set, how many, and where the first pair is.

    Then how many own rows any of them has, and the first LISTED_MAX pairs, in the same form.
    """
    found: list[pl.DataFrame] = []
    first: list[pl.DataFrame] = []
    rows, room = 0, LISTED_MAX
    async for piece in _pieces(conn, new.tenant, [new.entry_set], made_by):
        own = await asyncio.to_thread(_frame, piece)
        pairs = [
            await asyncio.to_thread(_pairs, own, other)
            async for other in _pieces(conn, new.tenant, others, made_by)
        ]
        each, counted = await asyncio.to_thread(_each, pairs)
        found.append(counted)
        rows += each.select(pl.struct("first_row", "offset").n_unique()).item()
        first.append(each.head(room))
        room -= first[-1].height
    counted = (
        pl.concat(found)
        .group_by("entry_set", maintain_order=True)
        # What two pieces have in common with another set may be the same rows of it.
        .agg(pl.col("rows", "others").sum(), pl.exclude("rows", "others").first())
        .with_columns(others=pl.col("others") if len(found) == 1 else pl.lit(0))
        .sort("entry_set")
    )
    return counted, rows, pl.concat(first)


def _frame(chunks: Sequence[DigestChunk]) -> pl.DataFrame:
    return pl.concat(
        digests_of(chunk)
        .to_frame()
        .select(
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


def _each(pairs: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each own row once for each set that has it, in order; and a row for each set. Blocks."""
    # A row that is in two pieces of the other set is one row.
    each = pl.concat(pairs).unique(_PLACE, keep="first", maintain_order=True)
    each = each.sort("first_row", "offset", maintain_order=True)
    counted = each.group_by("entry_set", maintain_order=True).agg(
        pl.len().alias("rows"),
        pl.struct("first_row_other", "offset_other").n_unique().alias("others"),
        pl.exclude("digest").first(),
    )
    return each, counted


async def _listed(
    conn: Connection, new: NewSet, words: Mapping[int, str], pairs: pl.DataFrame
) -> pl.DataFrame:
    """row, column, value, reason of pairs."""
    own = pairs.select(pl.lit(new.entry_set).alias("entry_set"), "first_row", "offset")
    other = pairs.select(
        "entry_set",
        pl.col("first_row_other").alias("first_row"),
        pl.col("offset_other").alias("offset"),
    )
    numbers: _RowNumbers = {}
    chunks = pl.concat([own, other]).group_by("entry_set", "first_row").agg(pl.col("offset").max())
    for entry_set, first_row, last in chunks.iter_rows():
        numbers[entry_set, first_row] = await row_numbers_from(
            conn, new.tenant, entry_set, first_row, last + 1
        )
    return await asyncio.to_thread(_reasons, own, other, numbers, words)


def _reasons(
    own: pl.DataFrame, other: pl.DataFrame, numbers: _RowNumbers, words: Mapping[int, str]
) -> pl.DataFrame:
    rows = []
    for mine, there in zip(own.iter_rows(), other.iter_rows(), strict=True):
        row, same = (numbers[entry_set, first][at] for entry_set, first, at in (mine, there))
        reason = f"counts twice: it is identical to row {same:,} of {words[there[0]]}"
        rows.append((row, "", "", reason))
    return merged_rejections([pl.DataFrame(rows, schema=REJECTED, orient="row")])


def words_of(upload: Upload) -> str:
    """Such as "upload 7 (all.csv)"."""
    named = f" ({shown_text(upload.file_name)})" if upload.file_name else ""
    return f"upload {upload.upload_id}{named}"


async def _named(
    conn: Connection, new: NewSet, uploads: Mapping[int, Upload], found: Mapping[str, Any]
) -> SharedRows:
    own = (found["first_row"], found["offset"])
    other = (found["first_row_other"], found["offset_other"])
    upload = uploads[found["entry_set"]]
    return SharedRows(
        upload,
        found["rows"],
        await row_number_of(conn, new.tenant, new.entry_set, *own),
        await row_number_of(conn, new.tenant, found["entry_set"], *other),
        is_whole=found["others"] == upload.row_count,
    )


async def _digest_again(
    ledger: Ledger, conn: Connection, declared: DataEntryType, tenant: str, one: UploadBeside
) -> None:
    upload = one.upload
    rows_of = (upload.upload_id, upload.row_count, one.last_row_number, 0)
    entries = PublishedSet(*rows_of, one.layout)

    def digested(rows: StoredRows) -> DigestChunk:
        return digest_chunk(declared, upload.upload_id, stored_again(declared, rows.frame()))

    async for rows in read_entries(conn, tenant, entries):
        chunk = await asyncio.to_thread(digested, rows)
        async with ledger.session() as beside:
            await save_digests(beside, tenant, chunk)


async def _pieces(
    conn: Connection, tenant: str, entry_sets: Sequence[int], made_by: str
) -> AsyncIterator[list[DigestChunk]]:
    """The chunks of some sets, so many at a time that they have BYTES_AT_ONCE."""
    piece: list[DigestChunk] = []
    size = 0
    async for chunk in read_chunks(conn, tenant, entry_sets, made_by):
        piece.append(chunk)
        size += len(chunk.digests)
        if size >= BYTES_AT_ONCE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece
