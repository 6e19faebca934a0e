"""Declared warnings about accepted rows, over typed columns."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.declarations import QUANTITY_UNIT, Column, RowCheck, RowWarning
from worker_service.carbon.parse.plausible_numbers import implausible_numbers
from worker_service.carbon.parse.rows import having_any, merged_rejections


def warned_rows(
    accepted: pl.DataFrame, columns: Sequence[Column], declared: Sequence[RowWarning] = ()
) -> pl.DataFrame:
    """The warnings about accepted rows: row, column, value, reason."""
    return merged_rejections([*implausible_numbers(accepted, columns), _noted(accepted, declared)])


def refused_rows(typed: pl.DataFrame, checks: Sequence[RowCheck]) -> pl.DataFrame:
    """The rows that declared checks reject: row, column, value, reason."""
    return _noted(typed, checks)


def _noted(typed: pl.DataFrame, declared: Sequence[RowCheck | RowWarning]) -> pl.DataFrame:
    found = []
    met = having_any(typed, {str(at): one.when for at, one in enumerate(declared)})
    for at, one in enumerate(declared):
        if str(at) not in met:
            continue
        rows = typed.filter(one.when.fill_null(value=False))
        of_quantity = one.column == "unit" and QUANTITY_UNIT in typed.columns
        value = pl.col(QUANTITY_UNIT if of_quantity else one.column)
        found.append(
            rows.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit(one.column).alias("column"),
                shown(value.cast(pl.String)).alias("value"),
                one.reason.alias("reason"),
            )
        )
    return merged_rejections(found)


def with_thousands(number: pl.Expr) -> pl.Expr:
    """A number with thousands separators: "104,523". Decimals are dropped."""
    digits = number.cast(pl.Int64).cast(pl.String)
    # Patterns cannot look ahead, so the groups of three are counted from the end of the text.
    grouped = digits.str.reverse().str.replace_all(r"(\d{3})", "${1},").str.reverse()
    return grouped.str.strip_prefix(",")
