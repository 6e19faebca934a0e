"""Finds numbers such as 1.500, which may mean fifteen hundred or one and a half."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.divided_numbers import NumberColumns
from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.numbers import (
    POINT_OR_THOUSANDS,
    POINTS_OF_THOUSANDS,
    has_decimal_comma,
    has_decimal_point,
)

# Rows are kept until the file's end: what shows how it is meant may be in the last row.
KEPT_ROWS_MAX = 200_000
# A column in which a thousand is not plausible has no thousands separators.
_THOUSAND = 1_000
# Of so many numbers with three decimals, one does not end with 0; of rounded thousands, all may.
_TENS_MIN = 3
# Who separates fields so may use the comma for decimals, and the point for thousands.
_OF_DECIMAL_COMMAS = (";", "\t")
_KEPT = {"row": pl.Int32, "value": pl.String, "warned": pl.Boolean}
_AMBIGUOUS = {**REJECTED, "warned": pl.Boolean}


class ThousandsPoints:
    """Collects the numbers of all batches. At the end it knows which are ambiguous.

    Decimal commas, or several points in a number, show what points of a file mean. So does, for its
    column, a point that cannot separate thousands: 0.183, 12.5, 1234.567.
    """

    def __init__(self, columns: Sequence[Column], separator: str) -> None:
        """Whole numbers are rejected where they are ambiguous; they show how others are meant."""
        numbers = (ColumnKind.NUMBER, ColumnKind.INTEGER)
        # A mapping says how a column's numbers are written; then there is nothing to guess.
        guessed = [column for column in columns if not column.decimal]
        self._columns = {column.name: column for column in guessed if column.kind in numbers}
        self._separator = separator
        self._kept = {name: [pl.DataFrame(schema=_KEPT)] for name in self._columns}
        # By column: a row and what it says, where a point is none of decimals.
        self._shows_thousands: dict[str, tuple[int, str]] = {}
        self._shows_decimals: set[str] = set()
        self._rows = 0

    def add(self, texts: pl.DataFrame, accepted: pl.DataFrame, warned: pl.DataFrame) -> None:
        """Adds a batch. `texts`: all rows as written. `warned`: accepted rows with a warning."""
        for name in self._columns:
            written = texts[name]
            if written.null_count() == written.len():
                continue
            has_comma, has_point = (bool(_has(written, mark).any()) for mark in (",", "."))
            if has_comma or has_point:
                value = pl.col(name).str.strip_chars().alias("value")
                values = texts.select("row_number", value)
                if has_comma:
                    self._note_thousands(name, values.filter(has_decimal_comma(pl.col("value"))))
                if has_point:
                    self._look_at_points(name, values, accepted, warned)

    def _look_at_points(
        self, name: str, texts: pl.DataFrame, accepted: pl.DataFrame, warned: pl.DataFrame
    ) -> None:
        text = pl.col("value")
        self._note_thousands(name, texts.filter(text.str.contains(POINTS_OF_THOUSANDS)))
        if self._columns[name].kind is ColumnKind.INTEGER:
            return
        if name not in self._shows_decimals and texts.select(has_decimal_point(text).any()).item():
            self._shows_decimals.add(name)
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

    def _note_thousands(self, name: str, rows: pl.DataFrame) -> None:
        if name not in self._shows_thousands and not rows.is_empty():
            self._shows_thousands[name] = rows.row(0)

    def ambiguous(self) -> pl.DataFrame:
        """The warnings: row, column, value, reason, and whether the row has one (`warned`)."""
        found = [pl.DataFrame(schema=_AMBIGUOUS)]
        for name, kept in self._kept.items():
            rows = self._doubtful(name, pl.concat(kept))
            if not rows.is_empty():
                value = pl.col("value")
                found.append(
                    rows.select(
                        pl.col("row").cast(pl.Int64),
                        pl.lit(name).alias("column"),
                        shown(value).alias("value"),
                        self._reason(name, value).alias("reason"),
                        "warned",
                    )
                )
        return pl.concat(found)

    def _doubtful(self, name: str, kept: pl.DataFrame) -> pl.DataFrame:
        column = self._columns[name]
        if column.maximum is not None and column.maximum < _THOUSAND:
            return kept.clear()
        if name in self._shows_thousands:
            return kept
        if name in self._shows_decimals:
            return kept.clear()
        if self._shows_thousands:
            return kept
        if column.plausible_maximum is not None and column.plausible_maximum < _THOUSAND:
            return kept.clear()
        if self._separator in _OF_DECIMAL_COMMAS:
            return kept
        # Decimals are written 1.5 or with as many digits in each row, and then some are below 1.
        if kept.height >= _TENS_MIN and kept["value"].str.ends_with("0").all():
            return kept
        doubtful = pl.col("value").str.ends_with(".000")
        if column.plausible_minimum is not None:
            number = pl.col("value").cast(pl.Float64)
            doubtful |= number < column.plausible_minimum
        return kept.filter(doubtful)

    def _reason(self, name: str, value: pl.Expr) -> pl.Expr:
        meant = value.str.replace_all(".", "", literal=True)
        read = value.cast(pl.Float64).cast(pl.String).str.strip_suffix(".0")
        if not self._shows_thousands:
            return pl.format(
                "is {} if the point separates thousands, and was read as {}:"
                " write {} or {}0, whichever is meant",
                *(meant, read, meant, value),
            )
        shown_by = name if name in self._shows_thousands else next(iter(self._shows_thousands))
        row, text = self._shows_thousands[shown_by]
        where = f"row {row:,}" if shown_by == name else f"row {row:,}, {shown_by}"
        marks = "decimal commas" if "," in text else "points between thousands"
        return pl.format(
            f"stands beside {marks} ({{}} in {where}) and was read as {{}}:"
            " write {} if that is meant",
            *(pl.lit(shown_text(text)), read, meant),
        )


def decimals_of(columns: Sequence[Column]) -> list[str]:
    """The names of the columns whose numbers need not be whole."""
    return [column.name for column in columns if column.kind is ColumnKind.NUMBER]


def number_columns(columns: Sequence[Column]) -> NumberColumns:
    """What is said of a file's columns where a comma may divide a number."""
    filled = [one.name for one in columns if one.required and not one.excused_by_override]
    whole = [column.name for column in columns if column.kind is ColumnKind.INTEGER]
    return NumberColumns(decimals_of(columns), filled, whole)


def _has(written: pl.Series, mark: str) -> pl.Series:
    return written.str.contains(mark, literal=True)
