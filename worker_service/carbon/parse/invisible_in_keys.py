"""Finds keys of a table with characters that nobody sees: these are left out, and it is said."""

from collections.abc import Mapping, Sequence

import polars as pl

from worker_service.carbon.csv_source.invisible import (
    ANY_NO_BREAK,
    ANY_UNSEEN,
    trimmed_of_invisible,
)
from worker_service.carbon.csv_source.reading import TextBatch
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.parse.rows import merged_rejections

_LEFT_OUT = "has a character that nobody sees, which is left out"
_PLAIN = "has a no-break space, which is read as a plain one"


def invisible_in_keys(
    batches: Sequence[TextBatch], positions: Mapping[str, int], accepted: pl.DataFrame
) -> pl.DataFrame:
    """row, column, value, reason of `accepted` rows with such a character in one of the columns.

    `positions`: of the columns in the file. White space around a key is nobody's concern.
    """
    found = []
    for batch in batches:
        for name, at in positions.items():
            field = pl.col(str(at))
            is_hidden = field.str.contains(ANY_UNSEEN)
            is_fixed = trimmed_of_invisible(field).str.contains(ANY_NO_BREAK)
            rows = batch.raw.filter(is_hidden | is_fixed)
            if not rows.is_empty():
                found.append(
                    rows.join(accepted, on="row_number", how="semi").select(
                        pl.col("row_number").cast(pl.Int64).alias("row"),
                        pl.lit(name).alias("column"),
                        shown(field.str.strip_chars()).alias("value"),
                        pl.when(is_hidden)
                        .then(pl.lit(_LEFT_OUT))
                        .otherwise(pl.lit(_PLAIN))
                        .alias("reason"),
                    )
                )
    return merged_rejections(found)
