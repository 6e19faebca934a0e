"""Numbers that their comma may have cut: 1,000 read as 1, with 000 in the text column behind it."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.rows import merged_rejections

_WHOLE = r"^[+-]?\d{1,3}$"
# What may stand behind a comma. A whole number has no decimals.
_BEHIND = {ColumnKind.INTEGER: r"^\d{3}$", ColumnKind.NUMBER: r"^\d{1,3}$"}
# Columns that are not read may hold anything, but seldom this.
_OF_THOUSANDS = r"^0\d{2}$"


def cut_numbers(
    raw: pl.DataFrame, header: Header, columns: Sequence[Column], accepted: pl.DataFrame
) -> pl.DataFrame:
    """row, column, value, reason of `accepted` rows with such a number, with both readings.

    raw: columns "0", "1", ... as in the file, row_number. `columns` are those that are read. Behind
    another number, the comma is seen because a field is too many.
    """
    if header.separator != ",":
        return merged_rejections([])
    known = {header.positions[one.name]: one for one in columns if one.name in header.positions}
    found = []
    for at, column in known.items():
        behind = known.get(at + 1)
        is_text = behind is None or (behind.kind is ColumnKind.TEXT and not behind.required)
        pattern = _BEHIND.get(column.kind)
        if pattern is None or not is_text or at + 1 >= header.width or at + 1 in header.of_reasons:
            continue
        head, tail = (pl.col(str(place)).str.strip_chars() for place in (at, at + 1))
        is_cut = tail.str.contains(pattern if behind else _OF_THOUSANDS)
        rows = raw.filter(is_cut & head.str.contains(_WHOLE))
        if not rows.is_empty():
            name = shown_text(header.names[at + 1].strip())
            found.append(
                rows.join(accepted, on="row_number", how="semi").select(
                    pl.col("row_number").cast(pl.Int64).alias("row"),
                    pl.lit(column.name).alias("column"),
                    shown(pl.concat_str(head, tail, separator=",")).alias("value"),
                    _reason(column, head, tail, name or "the next column").alias("reason"),
                )
            )
    return merged_rejections(found)


def _reason(column: Column, head: pl.Expr, tail: pl.Expr, behind: str) -> pl.Expr:
    thousands = pl.format("{}{} if its comma separates thousands", head, tail)
    decimals = pl.format("{}.{} if its comma is a decimal one", head, tail)
    either = pl.concat_str(thousands, decimals, separator=", or ")
    is_whole = pl.lit(column.kind is ColumnKind.INTEGER)
    meant = (
        pl.when(is_whole).then(thousands).when(tail.str.len_chars() == 3).then(either)
    ).otherwise(decimals)
    read = pl.format("and was read as {}, with {} in {}", head, tail, pl.lit(behind))
    return pl.format("is {}, {}: write the number without a comma", meant, read)
