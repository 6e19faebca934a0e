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


def overlaps(
    added: pl.DataFrame, in_force: pl.DataFrame, columns: FactorColumns, band: Band
) -> pl.DataFrame:
    """row, column, value, reason: one for each factor to add and each one in force of its class
    that has numbers of its band, so that an entry with such a number would have two.
    """
    lower, upper = pl.col(band.lower), pl.col(band.upper).fill_null(float("inf"))
    kind = pl.lit(None, pl.String) if columns.kind is None else pl.col(columns.kind)
    ends = (of_class(columns).alias("class"), lower.alias("lower"), upper.alias("upper"))
    both = (
        added.select("row_number", *ends)
        .join(in_force.select(kind.alias("kind"), *ends), on="class", suffix="_there")
        .with_columns(
            begin=pl.max_horizontal("lower", "lower_there"),
            end=pl.min_horizontal("upper", "upper_there"),
        )
        .filter(pl.col("begin") < pl.col("end"))
        .sort("row_number", "begin")
    )
    found = [
        (
            row["row_number"],
            band.lower,
            shown_length(row["lower"]).replace(",", ""),
            _overlap(row["class"], shown_range(row["begin"], row["end"], band), row["kind"]),
        )
        for row in both.iter_rows(named=True)
    ]
    return pl.DataFrame(found, schema=REJECTED, orient="row")


def _between(row: Mapping[str, float], band: Band) -> str:
    return shown_range(row["ends_before"], row["lower"], band)


def _beyond(row: Mapping[str, float], band: Band) -> str:
    return shown_range(row["upper"], float("inf"), band)


def _reason(name: str, where: str) -> str:
    return f"no factor{_of(name)} for {where}"


def _overlap(name: str, where: str, other: str | None) -> str:
    return f"2 factors{_of(name)} for {where}: {shown_text(other or 'another')} is in force, too"


def _of(name: str) -> str:
    return f" of {shown_text(name)}" if name else ""


def shown_range(begin: float, end: float, band: Band) -> str:
    """Such as "3,699 to 3,700 km", or "3,700 km and more" without an end."""
    if end == float("inf"):
        return f"{shown_length(begin)} {band.unit} and more"
    return f"{shown_length(begin)} to {shown_length(end)} {band.unit}"


def shown_length(number: float) -> str:
    """A bound of a band, such as 3,699 or 0.5, with every digit that the file gives."""
    return f"{int(number):,}" if number.is_integer() else f"{number:,}"
