"""Blocks of rows that come again in the same order: pasted twice, whatever their dates."""

from collections import Counter

import polars as pl

# The distances between equal rows that are looked at, the most frequent first.
_DISTANCES_MAX = 8
# So many different rows in the same order are no accident in a file of any length.
_DIFFERENT_ROWS_MIN = 10
# A shorter block must be, with its copy, most of the file: two return trips are four rows, too.
_SHARE_OF_FILE_MIN = 0.75


class Distances:
    """Counts how far equal rows are from each other."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, rows: pl.DataFrame) -> None:
        """`at`, the place of each row among those of the file, and `content`; all equal ones."""
        equal = rows.filter(pl.col("content").is_duplicated())
        apart = equal.select(
            (pl.col("at") - pl.col("at").shift(1).over("content")).alias("apart")
        ).drop_nulls()
        counts = apart["apart"].value_counts(sort=True).head(_DISTANCES_MAX)
        for distance, count in counts.rows():
            self._counts[distance] += count

    def most_frequent(self) -> list[int]:
        """At most _DISTANCES_MAX; a row that is repeated at once is not a block."""
        frequent = (distance for distance, _ in self._counts.most_common() if distance > 1)
        return [distance for _, distance in zip(range(_DISTANCES_MAX), frequent, strict=False)]


def pasted(content: pl.Series, distances: list[int]) -> pl.Series:
    """Whether each row is one of a block that was there before, so many rows further up."""
    found = pl.repeat(value=False, n=content.len(), dtype=pl.Boolean, eager=True)
    for distance in distances:
        again = (content == content.shift(distance)).fill_null(value=False)
        rows = pl.DataFrame({"content": content, "again": again, "run": again.rle_id()})
        runs = (
            rows.filter("again")
            .group_by("run")
            .agg(pl.len().alias("length"), pl.col("content").n_unique().alias("different"))
        )
        length, different = pl.col("length").cast(pl.Int64), pl.col("different")
        blocks = runs.filter(
            (different > 1)
            & (length * 2 >= distance)
            & (
                (different >= _DIFFERENT_ROWS_MIN)
                | (length * 2 >= _SHARE_OF_FILE_MIN * content.len())
            )
        )
        found |= again & rows["run"].is_in(blocks["run"].implode())
    return found
