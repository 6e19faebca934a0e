"""Finds keys that begin with an apostrophe: they count as they are, and it is said."""

from collections.abc import Collection, Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.csv_source.spreadsheet_text import without_apostrophe
from worker_service.carbon.declarations import Column, ColumnKind, Normalisation
from worker_service.carbon.parse.rows import having_any, merged_rejections
from worker_service.carbon.parse.values import trimmed


def marked_keys(
    texts: pl.DataFrame,
    accepted: pl.DataFrame,
    columns: Sequence[Column],
    identity: Collection[str] = (),
) -> pl.DataFrame:
    """row, column, value, reason of `accepted` rows with such a key.

    texts: row_number and the columns as they came. Columns are looked at whose text is compared as
    a key, or that are of the `identity` of a row.
    """
    names = [column.name for column in columns if _is_key(column, identity)]
    found = []
    # Hardly any field has one, and to look for it costs less than to trim all.
    with_mark = {name: pl.col(name).str.contains("'", literal=True) for name in names}
    for name in having_any(texts, with_mark):
        bare = without_apostrophe(trimmed(name))
        rows = texts.filter(with_mark[name]).filter(bare.is_not_null())
        if not rows.is_empty():
            found.append(
                rows.join(accepted, on="row_number", how="semi").select(
                    pl.col("row_number").cast(pl.Int64).alias("row"),
                    pl.lit(name).alias("column"),
                    shown(trimmed(name)).alias("value"),
                    pl.format(
                        "begins with an apostrophe, as spreadsheets mark text, and counts as"
                        " another one than {}: leave the apostrophe out if that is meant",
                        shown(bare),
                    ).alias("reason"),
                )
            )
    return merged_rejections(found)


def _is_key(column: Column, identity: Collection[str]) -> bool:
    is_compared = column.normalisation is Normalisation.KEY or column.name in identity
    return column.kind is ColumnKind.TEXT and is_compared
