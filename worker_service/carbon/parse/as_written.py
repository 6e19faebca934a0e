"""Noted rows with the values as the file writes them: keys are compared in another form."""

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.values import as_comparison_key, trimmed


def as_written(noted: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """row, column, value, reason, with the text of `texts` for values that are keys made of it.

    `texts`: row_number and the columns as they came. A column of `noted` may name several, with
    ", " between them, as its value then does.
    """
    found = []
    for column in noted["column"].unique(maintain_order=True):
        names, some = column.split(", "), noted.filter(pl.col("column") == column)
        if all(name in texts.columns for name in names):
            joined = pl.concat_str([trimmed(name).fill_null("") for name in names], separator=", ")
            rows = texts.filter(pl.col("row_number").is_in(some["row"].implode()))
            written = rows.select(pl.col("row_number").cast(pl.Int64).alias("row"), written=joined)
            text, value = pl.col("written"), pl.col("value")
            is_its_key = shown(as_comparison_key(text)) == value
            some = some.join(written, on="row", how="left", maintain_order="left").select(
                "row",
                "column",
                pl.when(is_its_key).then(shown(text)).otherwise(value).alias("value"),
                "reason",
            )
        found.append(some)
    return merged_rejections(found)
