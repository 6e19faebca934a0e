"""Rejected rows that are a spreadsheet's sums: one reason instead of one per empty field."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.values import MISSING

TOTAL_ROW = "looks like a total row: delete it"
# SUM is also an airport: only the empty fields tell that such a row is none of a trip.
_MISSING_MIN = 2
_TOTALS = (
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sub-total",
    "sum",
    "totale",
    "total g\u00e9n\u00e9ral",
    "sous-total",
    "somme",
    "summe",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
)


def with_total_rows(
    rejected: pl.DataFrame, frame: pl.DataFrame, columns: Sequence[str]
) -> pl.DataFrame:
    """The rejections, with one reason for each row that has a word like "Total" and empty fields.

    `rejected`: row, column, value, reason. `frame`: row_number and the `columns` as text.
    """
    missing = rejected.filter(pl.col("reason") == MISSING)["row"].value_counts()
    sparse = missing.filter(pl.col("count") >= _MISSING_MIN)["row"]
    if sparse.is_empty():
        return rejected
    rows = frame.filter(pl.col("row_number").cast(pl.Int64).is_in(sparse.implode()))
    found = pl.DataFrame(schema=REJECTED)
    for name in columns:
        text = pl.col(name).str.strip_chars(" \u00a0:").str.to_lowercase()
        totals = rows.filter(text.is_in(_TOTALS)).select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            pl.lit(name).alias("column"),
            shown(pl.col(name)).alias("value"),
            pl.lit(TOTAL_ROW).alias("reason"),
        )
        found = pl.concat([found, totals])
    if found.is_empty():
        return rejected
    found = found.unique("row", keep="first", maintain_order=True)
    others = rejected.filter(~pl.col("row").is_in(found["row"].implode()))
    return merged_rejections([others, found])
