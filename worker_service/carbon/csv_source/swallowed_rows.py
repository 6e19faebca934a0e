"""Rows that a stray quote made part of a field of the row before them."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown, shown_text

# With so many columns a line of as many separators is a row, however it is spaced; with fewer, a
# sentence may have them, and then spaces follow them.
_SPACED_WIDTH_MIN = 8


def rows_in_fields(
    frame: pl.DataFrame, names: Sequence[str], own_width: int, separator: str
) -> list[pl.DataFrame]:
    """row, column, value, reason of the records with a field that holds rows of the file.

    frame: columns "0", "1", ... called `names` in the header, row_number. A whole line of a field
    is a row if it has the separators of the first `own_width` columns, or of all; a row is also
    cut off if a field's first line ends and its last line begins as rows do. Columns after
    `own_width` were added to a file that is sent again.
    """
    found: list[pl.DataFrame] = []
    for at, name in enumerate(names if own_width > 1 else ()):
        text = pl.col(str(at))
        several = frame.filter(text.str.contains("\n", literal=True))
        if several.is_empty():
            continue
        parts = several.select("row_number", text.alias("value"), lines=text.str.split("\n"))
        within = parts.select("row_number", line=pl.col("lines").list.slice(1)).explode("line")
        whole = [_is_row(pl.col("line"), width, separator) for width in {own_width, len(names)}]
        rows = within.filter(pl.any_horizontal(whole))
        first, last = pl.col("lines").list.first(), pl.col("lines").list.last()
        # The last line of a last field is a whole one, and counted already.
        is_cut = (
            pl.lit(at < own_width - 1)
            & (_count(first, separator) == own_width - 1 - at)
            & (_count(last, separator) == at)
            & _is_spaced_as_rows(first + last, own_width, separator)
        )
        cut = parts.filter(is_cut).select("row_number")
        counts = pl.concat([rows.select("row_number"), cut]).group_by("row_number").len("rows")
        if not counts.is_empty():
            found.append(_rejected(parts.join(counts, on="row_number"), name))
    return found


def swallowed_reason(fields: Sequence[str], width: int, separator: str) -> str:
    """The same of a record that is wider than the header; "" for none."""
    lines = [line for field in fields if "\n" in field for line in field.split("\n")[1:]]
    if width == 1 or not lines:
        return ""
    rows = pl.DataFrame({"line": lines}).filter(_is_row(pl.col("line"), width, separator)).height
    return pl.select(_reason(pl.lit(rows))).item() if rows else ""


def _is_row(line: pl.Expr, width: int, separator: str) -> pl.Expr:
    return (_count(line, separator) == width - 1) & _is_spaced_as_rows(line, width, separator)


def _is_spaced_as_rows(line: pl.Expr, width: int, separator: str) -> pl.Expr:
    if width >= _SPACED_WIDTH_MIN:
        return pl.lit(value=True)
    return ~line.str.contains(separator + " ", literal=True)


def _count(line: pl.Expr, separator: str) -> pl.Expr:
    return line.str.count_matches(separator, literal=True)


def _rejected(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(shown_text(name)).alias("column"),
        shown(pl.col("value")).alias("value"),
        _reason(pl.col("rows")).alias("reason"),
    )


def _reason(rows: pl.Expr) -> pl.Expr:
    one = pl.lit("holds a line that looks like a row of the file")
    several = pl.format("holds {} lines that look like rows of the file", rows)
    return pl.when(rows == 1).then(one).otherwise(several) + pl.lit(
        ': a quote (") is missing or too many; correct the quotes and send these rows again'
    )
