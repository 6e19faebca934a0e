"""Rows that repeat what may be in a unit once, such as a person: each but the first is rejected."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.parse.rows import merged_rejections

# At 64 bits, two different keys of so many share a hash in one of two million files.
KEYS_MAX = 4_000_000


class RepeatedKeys:
    """Looks at batch after batch. Keeps 12 bytes for each of KEYS_MAX keys."""

    def __init__(self, columns: Sequence[str]) -> None:
        """`columns` identify a row within its unit. Without any, no row is rejected."""
        self._columns = list(columns)
        self._seen = pl.DataFrame(schema={"key": pl.UInt64, "first": pl.Int32})

    def found(self, accepted: pl.DataFrame) -> pl.DataFrame:
        """row, column, value, reason of accepted rows whose key an earlier row has."""
        if not self._columns:
            return merged_rejections([])
        keyed = accepted.select(
            "row_number",
            self._columns[0],
            key=pl.struct("unit", *self._columns).hash(),
        )
        here = keyed.group_by("key").agg(pl.col("row_number").min().cast(pl.Int32).alias("first"))
        new = here.join(self._seen, on="key", how="anti")
        self._seen = pl.concat([self._seen, new.head(KEYS_MAX - self._seen.height)])
        repeated = keyed.join(self._seen, on="key", maintain_order="left").filter(
            pl.col("row_number") != pl.col("first")
        )
        return merged_rejections(
            [
                repeated.select(
                    pl.col("row_number").cast(pl.Int64).alias("row"),
                    pl.lit(", ".join(self._columns)).alias("column"),
                    shown(pl.col(self._columns[0]).cast(pl.String)).alias("value"),
                    pl.format("is in row {}, too, and counts in a unit once", "first").alias(
                        "reason"
                    ),
                )
            ]
        )
