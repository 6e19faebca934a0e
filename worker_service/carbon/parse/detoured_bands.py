"""Finds gaps and overlaps between bands of factors that add different detours."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import Band, FactorColumns
from worker_service.carbon.parse.band_gaps import of_class, shown_length, shown_range


def differing_detours(factors: pl.DataFrame, columns: FactorColumns, band: Band) -> pl.DataFrame:
    """row, column, value, reason: one for each range of looked-up numbers with no factor of a
    class, or with two, although its bands touch as they are written.

    A number meets a band with what the band's factor adds, so each band is compared as if it began
    and ended earlier by that. A factor without row_number is in force and not of the file: it is
    told of the nearest row of its class, and not at all if the file has none.
    """
    if not band.added:
        return pl.DataFrame(schema=REJECTED)
    added = pl.col(band.added).cast(pl.Float64).fill_null(0.0)
    met = (
        factors.select(
            "row_number",
            of_class(columns).alias("class"),
            added.alias("added"),
            lower=(pl.col(band.lower).cast(pl.Float64) - added).clip(0.0),
            upper=pl.col(band.upper).cast(pl.Float64).fill_null(float("inf")) - added,
        )
        .filter((pl.col("added").n_unique() > 1).over("class"))
        .sort("class", "lower", "upper", "row_number")
        .with_columns(pl.col("row_number").forward_fill().backward_fill().over("class"))
        .filter(pl.col("row_number").is_not_null() & (pl.col("upper") > 0))
    )
    found = [
        (row["row_number"], band.added, shown_length(row["added"]).replace(",", ""), reason)
        for of_one in met.partition_by("class", maintain_order=True)
        for row, reason in _of_one_class(of_one.to_dicts(), band)
    ]
    return pl.DataFrame(found, schema=REJECTED, orient="row")


def _of_one_class(
    rows: Sequence[Mapping[str, float]], band: Band
) -> Iterator[tuple[Mapping[str, float], str]]:
    """The later of two bands in order, and what is wrong between them."""
    reached = rows[0]["upper"]
    for row in rows[1:]:
        if row["lower"] > reached:
            yield row, _reason("no factor", row, (reached, row["lower"]), band)
        elif row["lower"] < reached:
            both = (row["lower"], min(reached, row["upper"]))
            yield row, _reason("2 factors", row, both, band)
        reached = max(reached, row["upper"])


def _reason(how_many: str, row: Mapping[str, float], ends: tuple[float, float], band: Band) -> str:
    of = f" of {shown_text(str(row['class']))}" if row["class"] else ""
    return (
        f"{how_many}{of} for {band.looked_up} of {shown_range(*ends, band)}: {band.added} is added"
        " before bands are compared, so bands that touch need the same"
    )
