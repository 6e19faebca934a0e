"""Rows of one file that are equal in every character: found by hash, in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.pasted_blocks import Distances, pasted

# At 64 bits, two different rows of so many share a hash in one of two million files.
COMPARED_ROWS_MAX = 4_000_000
_PARTS = 16
LISTED_ROWS = 20_000
# A short file is grouped at once: each part has a fixed cost, which is most of what it costs to
# read twenty rows.
_SHORT_ROWS_MAX = 10_000
# Blocks that are pasted show in some of the parts, unless the file is short.
_SOME_PARTS = 3
_COMPARED = {
    "row_number": pl.Int32,
    "content": pl.UInt64,
    "dated": pl.Boolean,
    "warned": pl.Boolean,
}


@dataclass(frozen=True, slots=True, eq=False)
class EqualRows:
    """The equal rows of a file.

    `copies`: row_number, the `first` row that it equals, and whether it has a warning already
    (`warned`). `remarks`: sentences about rows that may be meant, or that were not compared.
    """

    copies: pl.DataFrame
    remarks: tuple[str, ...]

    def listed(self) -> Iterator[pl.DataFrame]:
        """The warnings: row, column, value, reason, warned; LISTED_ROWS at a time."""
        reason = pl.format("is identical to row {}: a duplicate?", "first")
        for some in self.copies.iter_slices(LISTED_ROWS):
            yield some.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit("").alias("column"),
                pl.lit("").alias("value"),
                reason.alias("reason"),
                "warned",
            )


class ComparedRows:
    """Compares the accepted rows of all batches. Keeps 13 bytes for each of COMPARED_ROWS_MAX."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """`columns` are those with dates, which distinguish equal rows of different days."""
        dates = [pl.col(c.name).is_not_null() for c in columns if c.kind is ColumnKind.DATE]
        self._dated = pl.any_horizontal(pl.lit(value=False), *dates)
        self._parts = [pl.DataFrame(schema=_COMPARED)]
        self._compared = 0
        self._left_out = 0

    def add(self, accepted: pl.DataFrame, content: pl.Series, warned: pl.DataFrame) -> None:
        """Adds a batch. `content`: a hash of each accepted row. `warned`: rows with a warning."""
        part = accepted.select(
            "row_number",
            content.alias("content"),
            self._dated.alias("dated"),
            pl.col("row_number").is_in(warned["row"].implode()).alias("warned"),
        ).head(COMPARED_ROWS_MAX - self._compared)
        self._compared += part.height
        self._left_out += accepted.height - part.height
        self._parts.append(part)

    def equal(self) -> EqualRows:
        """The rows that equal an earlier one."""
        rows = _with_doubt(pl.concat(self._parts))
        # A file that was pasted below itself has every row twice, dated or not.
        twice, others, found = not rows.is_empty(), _Undated(), [_copies_of(rows.clear())[0]]
        for some in _parts_of(rows):
            copies, all_several = _copies_of(some)
            twice = twice and all_several
            others.add(copies.filter(~pl.col("doubtful")))
            found.append(copies)
            if not twice:
                found = [one.filter("doubtful") for one in found]
        remarks = [] if twice else others.sentences()
        if self._left_out:
            remarks.append(f"Only the first {self._compared:,} rows were compared with each other.")
        copies = pl.concat(found).sort("row_number").select("row_number", "first", "warned")
        return EqualRows(copies, tuple(remarks))


def _parts_of(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Equal rows are in one part; grouping many rows at once takes ten times their memory."""
    if rows.height <= _SHORT_ROWS_MAX:
        yield rows
        return
    for part in range(_PARTS):
        yield rows.filter(pl.col("content") % _PARTS == part)


def _with_doubt(rows: pl.DataFrame) -> pl.DataFrame:
    """`doubtful`: a copy of another row would be a mistake here. It has a date, or is pasted."""
    undated, distances = rows["dated"].not_(), Distances()
    if undated.any() and rows["content"].n_unique() < rows.height:
        numbered = rows.select("content", at=pl.int_range(pl.len(), dtype=pl.Int32))
        for part in range(_PARTS if rows.height <= _SHORT_ROWS_MAX else _SOME_PARTS):
            distances.add(numbered.filter(pl.col("content") % _PARTS == part))
    is_pasted = pasted(rows["content"], distances.most_frequent())
    return rows.select("row_number", "content", "warned", doubtful=rows["dated"] | is_pasted)


def _copies_of(rows: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Rows that come after one of the same content, with the number of the `first` such row.

    And whether every row's content is there more than once.
    """
    several = rows.clear()
    if rows["content"].n_unique() < rows.height:
        several = rows.filter(pl.col("content").is_duplicated())
    copies = several.select(
        "row_number", "doubtful", "warned", first=pl.col("row_number").min().over("content")
    ).filter(pl.col("row_number") != pl.col("first"))
    return copies, several.height == rows.height


class _Undated:
    """How many copies have no date, and the first of them with what it is a copy of."""

    def __init__(self) -> None:
        self._count = 0
        self._first: tuple[int, int] | None = None

    def add(self, copies: pl.DataFrame) -> None:
        """`row_number` and `first` of some, in order."""
        self._count += copies.height
        if not copies.is_empty():
            row, first = copies.select("row_number", "first").row(0)
            self._first = min(self._first or (row, first), (row, first))

    def sentences(self) -> list[str]:
        """None where there are none."""
        if self._first is None:
            return []
        row, first = self._first
        one = self._count == 1
        rows, equal, count = ("row", "equals", "counts") if one else ("rows", "equal", "count")
        sentence = (
            f"{self._count:,} {rows} without a date {equal} an earlier row and still {count};"
            f" the first: row {row:,}, as row {first:,}."
        )
        return [sentence]
