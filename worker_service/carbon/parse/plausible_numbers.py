"""Finds numbers that are larger than what is plausible in their column."""

import re
from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown, shown_text
from worker_service.carbon.declarations import QUANTITY_UNIT, SHOWN_AS_CODE, Column, Plausible
from worker_service.carbon.units_of_measure import is_unit, shown_unit, units_in

# A bound in another unit than its own is rounded to what a person would write.
_DIGITS = 3


def implausible_numbers(accepted: pl.DataFrame, columns: Sequence[Column]) -> list[pl.DataFrame]:
    """Rows with a number beyond a bound of its column, for each bound: row, column, value, reason.

    `accepted` has row_number and the typed columns.
    """
    found = (_beyond(accepted, column, of) for column in columns for of in column.plausible)
    return [rows for rows in found if not rows.is_empty()]


def number_shown(number: float) -> str:
    """A number with thousands separators: "104,523", "1,000.5"."""
    return f"{number:,}".removesuffix(".0")


def label_of(text: str) -> str:
    """A unit or a currency as people write it: "MWh", "CHF"."""
    if is_unit(text.casefold()):
        return shown_unit(text.casefold())
    return text.upper() if re.match(SHOWN_AS_CODE, text) else shown_text(text)


def most_of(of: Plausible, text: str | None) -> float:
    """The bound of rows with this text in the column `of.by`; None for an empty field."""
    if text is None:
        return of.most
    mosts, key = dict(of.mosts), text.casefold()
    if key in mosts or not is_unit(key):
        return mosts.get(key, of.most)
    converted = None
    for unit, most in of.mosts:
        units = units_in(key, unit)
        if units == 1:
            return most
        if units is not None and converted is None:
            most_here = most * units if of.is_per_unit else most / units
            converted = float(f"{most_here:.{_DIGITS}g}")
    return of.most if converted is None else converted


def _beyond(accepted: pl.DataFrame, column: Column, of: Plausible) -> pl.DataFrame:
    number = pl.col(column.name).cast(pl.Float64)
    if not of.per and not of.by and not (accepted[column.name].cast(pl.Float64) > of.most).any():
        return accepted.clear()
    if of.per:
        number = number / pl.when(pl.col(of.per) > 0).then(pl.col(of.per))
    text = pl.lit(None, pl.String)
    if of.by:
        is_quantity = of.by == "unit" and QUANTITY_UNIT in accepted.columns
        text = pl.col(QUANTITY_UNIT if is_quantity else of.by)
    texts = accepted.select(text.unique()).to_series()
    # No bound is less, so few rows need a look at their unit or currency.
    least = min(most_of(of, one) for one in (None, *texts))
    rows = accepted.filter(number > least)
    reasons = [_reason(of, *one) for one in rows.select(number.alias("number"), text).iter_rows()]
    noted = rows.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(column.name).alias("column"),
        shown(pl.col(column.name).cast(pl.String)).alias("value"),
        pl.Series("reason", reasons, pl.String),
    )
    return noted.drop_nulls("reason")


def _reason(of: Plausible, number: float, text: str | None) -> str | None:
    most = most_of(of, text)
    if number <= most:
        return None
    what = of.noun if text is None else of.noun_of.format(label_of(text))
    one = f"per unit of {of.per}" if of.per else "in one row"
    short = round(number, 3)
    said = number_shown(short if short > most else number)
    return f"{said} {what} {one} is more than {number_shown(most)}: is that correct?"
