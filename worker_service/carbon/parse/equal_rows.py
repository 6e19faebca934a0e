"""Rows of one file that are equal to the letter: found by a hash each, in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind

# At 64 bits, two different rows of so many share a hash in one of two million files.
COMPARED_ROWS_MAX = 4_000_000
_COMPARED = {
    "row_number": pl.Int32,
    "content": pl.UInt64,
    "dated": pl.Boolean,
    "warned": pl.Boolean,
}


@dataclass(frozen=True, slots=True, eq=False)
class EqualRows:
    """`rows`: row, column, value, reason, and whether a row is `warned` of already.

    `remarks`: sentences about what need not be a mistake, or was not looked at.
    """

    rows: pl.DataFrame
    remarks: tuple[str, ...]


class ComparedRows:
    """Takes the accepted rows of batch after batch: 13 bytes of each of COMPARED_ROWS_MAX."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """A date of one of `columns` tells a row from the same thing done another day."""
        dates = [pl.col(c.name).is_not_null() for c in columns if c.kind is ColumnKind.DATE]
        self._dated = pl.any_horizontal(pl.lit(value=False), *dates)
        self._parts = [pl.DataFrame(schema=_COMPARED)]
        self._compared = 0
        self._left_out = 0

    def add(self, accepted: pl.DataFrame, content: pl.Series, warned: pl.DataFrame) -> None:
        """`content`: the hash of each accepted row; `warned`: those with a warning already."""
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
        """Which rows say again what an earlier one says."""
        rows = pl.concat(self._parts)
        several = _of_several(rows)
        copies = several.filter(pl.col("row_number") != pl.col("first"))
        # A file that was pasted below itself has every row twice, dated or not.
        pasted = several.height == rows.height
        told = copies if pasted else copies.filter("dated")
        reason = pl.format("is equal to row {} to the letter: is it there twice?", "first")
        rows = told.select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            pl.lit("").alias("column"),
            pl.lit("").alias("value"),
            reason.alias("reason"),
            "warned",
        )
        remarks = [] if pasted else _of_undated(copies.filter(~pl.col("dated")))
        if self._left_out:
            remarks.append(f"Only the first {self._compared:,} rows were compared with each other.")
        return EqualRows(rows, tuple(remarks))


def _of_several(rows: pl.DataFrame) -> pl.DataFrame:
    """Those whose content other rows have too; `first` is the number of the first such row."""
    several = rows.clear()
    if rows["content"].n_unique() < rows.height:
        several = rows.filter(pl.col("content").is_duplicated())
    return several.with_columns(first=pl.col("row_number").min().over("content"))


def _of_undated(copies: pl.DataFrame) -> list[str]:
    if copies.is_empty():
        return []
    row, first = copies.select("row_number", "first").row(0)
    one = copies.height == 1
    rows, equal, count = ("row", "equals", "counts") if one else ("rows", "equal", "count")
    said = (
        f"{copies.height:,} {rows} without a date {equal} an earlier one and {count} all the same;"
        f" the first: row {row:,}, as row {first:,}."
    )
    return [said]
