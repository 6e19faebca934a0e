"""Numbers like 1.000 that stand beside decimal commas: a thousand, most likely, and read as one."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.numbers import POINT_OR_THOUSANDS, has_decimal_comma

# Rows are kept until a comma is seen, which may be in the last row.
KEPT_ROWS_MAX = 200_000
_KEPT = {"row": pl.Int32, "value": pl.String, "warned": pl.Boolean}
_AMBIGUOUS = {**REJECTED, "warned": pl.Boolean}


class DecimalCommas:
    """Looks at the numbers of batch after batch; at the end it knows which were ambiguous."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Whole numbers are rejected where they are ambiguous, so others are looked at."""
        self._columns = [column for column in columns if column.kind is ColumnKind.NUMBER]
        self._kept = {column.name: [pl.DataFrame(schema=_KEPT)] for column in self._columns}
        self._first_comma: dict[str, tuple[int, str]] = {}
        self._rows = 0

    def add(self, texts: pl.DataFrame, accepted: pl.DataFrame, warned: pl.DataFrame) -> None:
        """`texts`: all rows as written; `warned`: accepted rows with a warning already."""
        for column in self._columns:
            if texts[column.name].null_count() < texts.height:
                value = pl.col(column.name).str.strip_chars().alias("value")
                self._look_at(column.name, texts.select("row_number", value), accepted, warned)

    def _look_at(
        self, name: str, texts: pl.DataFrame, accepted: pl.DataFrame, warned: pl.DataFrame
    ) -> None:
        text = pl.col("value")
        if name not in self._first_comma and texts["value"].str.contains(",", literal=True).any():
            commas = texts.filter(has_decimal_comma(text))
            if not commas.is_empty():
                self._first_comma[name] = commas.row(0)
        points = texts.filter(text.str.contains(POINT_OR_THOUSANDS))
        if points.is_empty() or self._rows >= KEPT_ROWS_MAX:
            return
        taken = points.filter(pl.col("row_number").is_in(accepted["row_number"].implode()))
        self._kept[name].append(
            taken.select(
                pl.col("row_number").alias("row"),
                "value",
                pl.col("row_number").is_in(warned["row"].implode()).alias("warned"),
            ).head(KEPT_ROWS_MAX - self._rows)
        )
        self._rows += taken.height

    def ambiguous(self) -> pl.DataFrame:
        """row, column, value, reason, and whether the row is `warned` of already."""
        found = []
        for name, (row, text) in self._first_comma.items():
            value = pl.col("value")
            meant = value.str.replace_all(".", "", literal=True)
            reason = pl.format(
                f"stands beside decimal commas ({{}} in row {row:,}) and was read as {{}}:"
                " write {} if that is meant",
                pl.lit(shown_text(text)),
                value.cast(pl.Float64).cast(pl.String).str.strip_suffix(".0"),
                meant,
            )
            found.append(
                pl.concat(self._kept[name]).select(
                    pl.col("row").cast(pl.Int64),
                    pl.lit(name).alias("column"),
                    shown(value).alias("value"),
                    reason.alias("reason"),
                    "warned",
                )
            )
        return pl.concat(found) if found else pl.DataFrame(schema=_AMBIGUOUS)
