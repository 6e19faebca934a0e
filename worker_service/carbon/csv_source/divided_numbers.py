"""Numbers that their decimal comma divides into two fields of a file with commas."""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.records import RawBatch
from worker_service.carbon.csv_source.shown import shown, shown_text

KEPT_ROWS_MAX = 200_000
_WHOLE = r"^\s*[+-]?\d+\s*$"
# Published factors have up to six decimals; longer ones are rather ids.
_DECIMALS = r"^\s*\d{1,6}\s*$"
# As 6 and 207 of 6,207.
_GROUP_BEFORE = r"^[+-]?\d{1,3}$"
_GROUP = r"^\d{3}$"
_DOUBTFUL = {
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "warned": pl.Boolean,
}


@dataclass(frozen=True, slots=True)
class NumberColumns:
    """`decimals`: the columns of numbers that need not be whole. `filled`: those of any kind that
    no row may leave empty. `whole`: those of whole numbers.
    """

    decimals: Collection[str] = ()
    filled: Collection[str] = ()
    whole: Collection[str] = ()


NO_NUMBERS = NumberColumns()


class DividedNumbers:
    """Looks at batch after batch for rows that are longer than others by such commas.

    A row with empty fields beyond the header's columns may have separators too many at its end,
    or decimal commas before, and then its values stand one column too far. It is rejected if
    other rows do without such fields. If all rows have as many, they are accepted, and doubtful
    as long as each of them has digits on both sides of as many commas. No comma is a decimal one
    if a column that must be filled would then be empty.
    """

    def __init__(self, header: Header, columns: NumberColumns) -> None:
        """`columns` are those that the header may have."""
        at_of = header.positions
        positions = [at_of[name] for name in columns.decimals if name in at_of]
        self._filled = [at_of[name] for name in columns.filled if name in at_of]
        is_comma = header.separator == "," and not header.of_cells
        # A number of the last column would be cut by a field that is not empty.
        self._at = sorted(at for at in positions if is_comma and at < header.width - 1)
        self._header = header
        self._fewest = header.width + KEPT_ROWS_MAX
        self._is_padded = False
        self._pending = pl.DataFrame(schema=_DOUBTFUL)
        self._kept = [self._pending]

    def rejected(self, batch: RawBatch) -> list[pl.DataFrame]:
        """row, column, value, reason of rows that may mean two things; none in most files."""
        if not self._at or batch.frame.is_empty():
            return []
        width = self._header.width
        if batch.widths is None:
            self._fewest = width
            return []
        counted = batch.frame.join(batch.widths, on="row_number", maintain_order="left")
        if counted.height < batch.frame.height:
            self._fewest = width
        self._fewest = max(width, min(self._fewest, counted.select(pl.min("fields")).item() or 0))
        surplus = counted.filter(pl.col("fields") > width)
        if surplus.is_empty():
            return []
        pairs = pl.sum_horizontal(self._is_pair(at).cast(pl.Int64) for at in self._at)
        is_divided = (pl.col("fields") - width <= pairs) & (pairs > 0)
        divided = surplus.filter(is_divided)
        self._is_padded = self._is_padded or divided.height < surplus.height
        is_longer = pl.col("fields") > self._fewest
        rejected = divided.filter(is_longer & pl.lit(not self._is_padded))
        self._keep(divided.join(rejected, on="row_number", how="anti", maintain_order="left"))
        return [self._reported(rejected)] if not rejected.is_empty() else []

    def note(self, accepted: pl.DataFrame, warned: pl.DataFrame) -> None:
        """`accepted`: those of the rows since the last call; `warned`: those with a warning."""
        row = pl.col("row")
        self._kept.append(
            self._pending.filter(
                row.is_in(accepted["row_number"].cast(pl.Int64).implode())
            ).with_columns(warned=row.is_in(warned["row"].implode()))
        )
        self._pending = self._pending.clear()

    def doubtful(self) -> pl.DataFrame:
        """row, column, value, reason, and whether the row is `warned` of already."""
        kept = pl.concat(self._kept)
        is_uniform = self._fewest > self._header.width
        return kept.clear() if self._is_padded and is_uniform else kept

    def _keep(self, rows: pl.DataFrame) -> None:
        room = KEPT_ROWS_MAX - sum(kept.height for kept in self._kept) - self._pending.height
        reported = self._reported(rows.head(max(room, 0))).with_columns(warned=pl.lit(value=False))
        self._pending = pl.concat([self._pending, reported])

    def _is_pair(self, at: int) -> pl.Expr:
        whole, decimals = pl.col(str(at)), pl.col(str(at + 1))
        is_pair = whole.str.contains(_WHOLE) & decimals.str.contains(_DECIMALS)
        # Of several surplus fields it is not known how far each value would move.
        is_one = pl.col("fields") == self._header.width + 1
        stays_filled = pl.all_horizontal(
            pl.lit(value=True), *(self._has_text(place + 1) for place in self._filled if place > at)
        )
        return is_pair.fill_null(value=False) & (~is_one | stays_filled)

    def _has_text(self, at: int) -> pl.Expr:
        # Fields beyond the header's are empty, or the row is rejected for its width.
        if at >= self._header.width:
            return pl.lit(value=False)
        return (pl.col(str(at)).str.strip_chars() != "").fill_null(value=False)

    def _reported(self, rows: pl.DataFrame) -> pl.DataFrame:
        written = self._header.written_names
        names = [shown_text(written[at]) for at in self._at]
        first = pl.coalesce(
            pl.when(self._is_pair(at)).then(pl.lit(which)) for which, at in enumerate(self._at)
        )
        whole, decimals = (
            pl.coalesce(
                pl.when(first == which).then(pl.col(str(at + beside)))
                for which, at in enumerate(self._at)
            ).str.strip_chars()
            for beside in (0, 1)
        )
        return rows.select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            first.replace_strict(dict(enumerate(names)), default="", return_dtype=pl.String).alias(
                "column"
            ),
            shown(whole + "," + decimals).alias("value"),
            pl.concat_str(
                pl.lit("is "),
                pl.when(whole.str.contains(_GROUP_BEFORE) & decimals.str.contains(_GROUP))
                .then(pl.format("{}{} if its comma separates thousands, ", whole, decimals))
                .otherwise(pl.lit("")),
                pl.format(
                    "{}.{} if its comma is a decimal one, or {} and then {} in the next column if"
                    " the row has a comma too many at its end: write the one that is meant",
                    *(whole, decimals, whole, decimals),
                ),
            ).alias("reason"),
        )
