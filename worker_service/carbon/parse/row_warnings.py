"""Declared warnings about accepted rows, over typed columns."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.declarations import Column, RowWarning
from worker_service.carbon.parse.rows import merged_rejections


def warned_rows(
    accepted: pl.DataFrame, columns: Sequence[Column], declared: Sequence[RowWarning] = ()
) -> pl.DataFrame:
    """The warnings about accepted rows: row, column, value, reason."""
    found = []
    for warning in (*_implausible(columns), *declared):
        rows = accepted.filter(warning.when.fill_null(value=False))
        if rows.is_empty():
            continue
        found.append(
            rows.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit(warning.column).alias("column"),
                shown(pl.col(warning.column).cast(pl.String)).alias("value"),
                warning.reason.alias("reason"),
            )
        )
    return merged_rejections(found)


def _implausible(columns: Sequence[Column]) -> list[RowWarning]:
    return [
        RowWarning(
            column.name,
            pl.col(column.name) > column.plausible_maximum,
            pl.format(
                "{} in one row: is that correct?",
                with_thousands(pl.col(column.name)) + f" {column.noun}".rstrip(),
            ),
        )
        for column in columns
        if column.plausible_maximum is not None
    ]


def with_thousands(number: pl.Expr) -> pl.Expr:
    """A number with thousands separators: "104,523". Decimals are dropped."""
    digits = number.cast(pl.Int64).cast(pl.String)
    # Patterns cannot look ahead, so the groups of three are counted from the end of the text.
    grouped = digits.str.reverse().str.replace_all(r"(\d{3})", "${1},").str.reverse()
    return grouped.str.strip_prefix(",")
