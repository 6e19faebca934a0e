"""Checks rows of text against declared columns: an accepted frame, a reason per bad field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.carbon.declarations import Column
from worker_service.carbon.parse.values import MISSING, Reading, reading_of, text_of, trimmed

# Stored values by the column's kind; dates stay dates until they are stored.
_BAD = "bad:"


@dataclass(frozen=True, slots=True, eq=False)
class CheckedRows:
    """Checked rows: each is in one of the two frames.

    `accepted`: row_number and the typed columns. `rejected`: row, column, value, reason, once for
    each bad field.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def check_rows(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    year: int | None = None,
    override: str | None = None,
) -> CheckedRows:
    """Reads all columns of a frame of text with row_number.

    `override` names the column that, if its value is valid, excuses columns declared so.
    """
    texts = frame.select(
        "row_number", *(trimmed(column.name).alias(text_of(column)) for column in columns)
    )
    readings = {column.name: reading_of(column, year) for column in columns}
    typed = texts.with_columns(readings[column.name].value.alias(column.name) for column in columns)
    bad = {column.name: _bad(column, readings[column.name]) for column in columns}
    if override is not None:
        excuse = pl.col(override).is_not_null() & ~bad[override]
        for column in columns:
            if column.excused_by_override:
                bad[column.name] &= ~excuse
    flagged = typed.with_columns(expr.alias(_BAD + name) for name, expr in bad.items())
    accepted = pl.all_horizontal(~pl.col(_BAD + name) for name in bad)
    values = [_with_default(column) for column in columns]
    return CheckedRows(
        accepted=flagged.filter(accepted).select("row_number", *values),
        rejected=_rejected(flagged, columns, readings),
    )


def _with_default(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    return value if column.default is None else value.fill_null(column.default)


def _bad(column: Column, reading: Reading) -> pl.Expr:
    missing = pl.col(text_of(column)).is_null()
    bad = reading.bad.fill_null(value=False)
    return (missing | bad) if column.required else (~missing & bad)


def _rejected(
    flagged: pl.DataFrame, columns: Sequence[Column], readings: dict[str, Reading]
) -> pl.DataFrame:
    found = []
    with_bad = having_any(flagged, {c.name: pl.col(_BAD + c.name) for c in columns})
    for column in columns:
        if column.name not in with_bad:
            continue
        rows = flagged.filter(pl.col(_BAD + column.name))
        text = pl.col(text_of(column))
        reason = readings[column.name].reason
        found.append(
            rows.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit(column.name).alias("column"),
                shown(text).alias("value"),
                pl.when(text.is_null()).then(pl.lit(MISSING)).otherwise(reason).alias("reason"),
            )
        )
    return merged_rejections(found)


def having_any(frame: pl.DataFrame, conditions: Mapping[str, pl.Expr]) -> list[str]:
    """The names of the conditions that any row meets. One query for all: most files meet none."""
    if not conditions:
        return []
    met = frame.select(one.any().alias(name) for name, one in conditions.items())
    return [name for name, is_met in met.row(0, named=True).items() if is_met]


def merged_rejections(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rejected rows of several checks, in the file's order."""
    if all(part.is_empty() for part in parts):
        return pl.DataFrame(schema=REJECTED)
    return pl.concat([pl.DataFrame(schema=REJECTED), *parts]).sort("row", maintain_order=True)
