"""Finds gaps between the bands of factors: distances without a factor of a class."""

from collections.abc import Mapping

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import Band, FactorColumns


def of_class(columns: FactorColumns) -> pl.Expr:
    """What tells classes apart: the band stands for the kind, so only the subkind does."""
    return pl.lit("") if columns.subkind is None else pl.col(columns.subkind).fill_null("")


def gaps(factors: pl.DataFrame, columns: FactorColumns, band: Band) -> pl.DataFrame:
    """row, column, value, reason: one for each gap between the bands of a class, and for those
    before its first and after its last one. Bands of a class must not overlap.

    A factor without row_number is in force and not of the file: a gap beside it is told of the
    nearest row of its class, and not at all if the file has none.
    """
    bands = (
        factors.select(
            "row_number",
            of_class(columns).alias("class"),
            pl.col(band.lower).cast(pl.Float64).alias("lower"),
            pl.col(band.upper).cast(pl.Float64).fill_null(float("inf")).alias("upper"),
        )
        .sort("class", "lower")
        .with_columns(
            ends_before=pl.col("upper").shift(1, fill_value=0.0).over("class"),
            is_last=pl.col("lower").shift(-1).over("class").is_null(),
            row_number=pl.col("row_number").forward_fill().backward_fill().over("class"),
        )
        .filter(pl.col("row_number").is_not_null())
    )
    before = bands.filter(pl.col("lower") > pl.col("ends_before"))
    after = bands.filter(pl.col("is_last") & (pl.col("upper") < band.largest))
    found = [
        (row["row_number"], band.lower, row["lower"], row["class"], _between(row, band))
        for row in before.iter_rows(named=True)
    ]
    found += [
        (row["row_number"], band.upper, row["upper"], row["class"], _beyond(row, band))
        for row in after.iter_rows(named=True)
    ]
    return pl.DataFrame(
        [
            (at, column, shown_length(value).replace(",", ""), _reason(name, where))
            for at, column, value, name, where in found
        ],
        schema=REJECTED,
        orient="row",
    )


def _between(row: Mapping[str, float], band: Band) -> str:
    return f"{shown_length(row['ends_before'])} to {shown_length(row['lower'])} {band.unit}"


def _beyond(row: Mapping[str, float], band: Band) -> str:
    return f"{shown_length(row['upper'])} {band.unit} and more"


def _reason(name: str, where: str) -> str:
    of = f" of {shown_text(name)}" if name else ""
    return f"no factor{of} for {where}"


def shown_length(number: float) -> str:
    """A bound of a band, such as 3,699 or 0.5, with every digit that the file gives."""
    return f"{int(number):,}" if number.is_integer() else f"{number:,}"
