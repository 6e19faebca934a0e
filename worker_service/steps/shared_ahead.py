"""What a file that is only checked has in common with uploads that count: rows, by their digests,
and people.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.kept_digests import ROWS_MAX, DigestedSet, KeptDigests
from worker_service.ledger.pool import Connection
from worker_service.ledger.row_digests import UploadBeside, row_number_of, uploads_beside
from worker_service.steps.repeated_people import RepeatedPeople, people_ahead
from worker_service.steps.shared_rows import (
    LISTED_MAX,
    AllShared,
    SharedRows,
    made_by,
    row_digests,
    words_of,
)


@dataclass(slots=True)
class RowsAhead:
    """The digests of rows that are not written. Each takes 12 bytes, and of ROWS_MAX none more.

    Where `declared` says what may be in a unit once, its rows have their unit and key, too.
    """

    declared: DataEntryType
    row_count: int = 0
    _parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, stored: pl.DataFrame, accepted: pl.DataFrame) -> None:
        """Adds stored rows, in the order of the file, of these accepted ones. Blocks."""
        self.row_count += stored.height
        if self.row_count > ROWS_MAX:
            self._parts.clear()
        elif not stored.is_empty():
            digests = stored.select("row_number", row_digests(stored))
            self._parts.append(digests.hstack(accepted.select(*self._keys)))

    @property
    def all_rows(self) -> pl.DataFrame | None:
        """row_number and digest of all rows, and unit and key. None if they are too many."""
        if self.row_count > ROWS_MAX:
            return None
        none = {"row_number": pl.Int32, "digest": pl.UInt64}
        return pl.concat(self._parts) if self._parts else pl.DataFrame(schema=none)

    @property
    def _keys(self) -> Sequence[pl.Expr]:
        if not self.declared.unique:
            return []
        [column] = self.declared.unique
        fields = [one.field for one in self.declared.columns if one.name == column]
        return [pl.col("unit"), pl.col(*fields).alias("key")]


async def shared_ahead(
    snapshot: Connection, kept: KeptDigests, new: NewSet, rows: RowsAhead
) -> AllShared | None:
    """As `shared_rows`, of rows that are not written. Writes nothing.

    None if they cannot be compared: they, or those of another upload, are too many, or that one has
    no digests of this version. The next upload makes these.
    """
    made = made_by(rows.declared)
    beside = await uploads_beside(snapshot, new, made)
    if not beside or not rows.row_count:
        return AllShared()
    if (own := rows.all_rows) is None:
        return None
    found: list[SharedRows] = []
    each: list[pl.DataFrame] = []
    for one in beside:
        upload = one.upload
        digested = DigestedSet(upload.upload_id, upload.row_count, one.content_digest)
        others = await kept.read(snapshot, new.tenant, [digested], made)
        if others is None:
            return None
        pairs = await asyncio.to_thread(_pairs, own, others)
        if not pairs.is_empty():
            found.append(await _shared(snapshot, new.tenant, one, pairs))
            each.append(_listed(pairs, words_of(upload)))
    listed = merged_rejections(each)
    words = {one.upload.upload_id: words_of(one.upload) for one in beside}
    people = await _people(snapshot, new.tenant, rows.declared, own, listed, words)
    return AllShared(tuple(found), listed["row"].n_unique(), listed.head(LISTED_MAX), people)


async def _people(
    snapshot: Connection,
    tenant: str,
    declared: DataEntryType,
    own: pl.DataFrame,
    shared: pl.DataFrame,
    words: Mapping[int, str],
) -> RepeatedPeople:
    """People of other uploads, but for those of rows that are shared as a whole."""
    if not declared.unique:
        return RepeatedPeople()
    [column] = declared.unique
    is_shared = pl.col("row_number").cast(pl.Int64).is_in(shared["row"].implode())
    others = own.filter(~is_shared)
    return await people_ahead(snapshot, tenant, column, others, words)


def _pairs(own: pl.DataFrame, others: pl.Series) -> pl.DataFrame:
    """row_number of each own row that another upload has, and `other`: its first such row, as an
    offset. Blocks.
    """
    there = others.alias("digest").to_frame().with_row_index("other")
    common = there.filter(pl.col("digest").is_in(own["digest"].implode()))
    firsts = common.unique("digest", keep="first", maintain_order=True)
    rows = own.select("row_number", "digest")
    return rows.join(firsts, on="digest", maintain_order="left")


async def _shared(
    snapshot: Connection, tenant: str, beside: UploadBeside, pairs: pl.DataFrame
) -> SharedRows:
    upload = beside.upload
    row, _, offset = pairs.row(0)
    return SharedRows(
        upload,
        pairs.height,
        row,
        await row_number_of(snapshot, tenant, upload.upload_id, 0, offset),
        is_whole=pairs["other"].n_unique() == upload.row_count,
    )


def _listed(pairs: pl.DataFrame, words: str) -> pl.DataFrame:
    return pairs.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit("").alias("column"),
        pl.lit("").alias("value"),
        pl.lit(f"would count twice: {words} has the same row").alias("reason"),
    )


def not_compared_sentences(shared: AllShared | None) -> Sequence[str]:
    """That shared rows were not looked for, if so."""
    if shared is not None:
        return []
    return ["Rows that other uploads have, too, were not looked for: an upload does that."]
