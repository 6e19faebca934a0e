"""How codes are written in a file, where capitals do not say it."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.declarations import SHOWN_AS_CODE, WRITTEN, Column
from worker_service.carbon.parse.values import trimmed


def spellings(
    accepted: pl.DataFrame, raw: pl.DataFrame, columns: Sequence[Column]
) -> pl.DataFrame | None:
    """The texts of codes that are shown otherwise than their keys in capitals; None if none is.

    A frame of row_number and a column of texts per column, under `WRITTEN` names, null where
    nothing is to be kept. `raw` has the fields as they are in the file.
    """
    codes = [column for column in columns if column.is_code]
    odd = [~pl.col(column.field).str.contains(SHOWN_AS_CODE) for column in codes]
    if not codes or (rows := accepted.filter(pl.any_horizontal(odd))).is_empty():
        return None
    texts = [trimmed(column.name).alias(WRITTEN.format(column.name)) for column in codes]
    written = raw.select("row_number", *texts)
    kept = [
        pl.when(is_odd).then(WRITTEN.format(column.name)).alias(WRITTEN.format(column.name))
        for column, is_odd in zip(codes, odd, strict=True)
    ]
    joined = rows.join(written, on="row_number", maintain_order="left")
    return joined.select("row_number", *kept)
