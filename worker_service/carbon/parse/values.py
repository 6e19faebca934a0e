"""One field at a time, a column at once: what it means, whether it is good, why it is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind, Normalisation

TEXT_CHARACTERS_MAX = 1_000
# Keeps every product of a formula finite.
NUMBER_MAX = 1e15

# \x{2019} is the typographic apostrophe, which Swiss spreadsheets put between thousands.
_THOUSANDS = r"^[+-]?\d{1,3}([,'\x{2019}\s]\d{3})+(\.\d*)?$"
_DECIMAL_COMMA = r"^[+-]?[\d.'\x{2019}\s]*,\d+$"
_FRACTION = r"^[+-]?\d*\.\d*$"
_WHOLE = r"^[+-]?\d+$"

MISSING = "is missing"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Expressions over `text:<name>` (trimmed, null if empty) and, for the last two, `<name>`.

    `bad` never looks at emptiness; `reason` is only asked where `bad` holds.
    """

    value: pl.Expr
    bad: pl.Expr
    reason: pl.Expr


def text_of(column: Column) -> str:
    """The name under which the trimmed text stands beside the value."""
    return f"text:{column.name}"


def trimmed(name: str) -> pl.Expr:
    """Without white space around it, no-break spaces included; null if nothing is left."""
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def folded(text: pl.Expr) -> pl.Expr:
    """The form in which keys are stored and compared: composed, lower case, ss for ß."""
    return text.map_batches(_folded, return_dtype=pl.String)


def folded_keys(texts: Sequence[str]) -> list[str]:
    """`folded` of single texts, in their order."""
    # Python's own lower() knows other letters than polars', by its version of Unicode.
    return _folded(pl.Series(texts, dtype=pl.String)).to_list()


def folded_key(text: str) -> str:
    """`folded` of one text."""
    [key] = folded_keys([text])
    return key


def _folded(text: pl.Series) -> pl.Series:
    # Composing costs more than everything else together, and plain ASCII needs none.
    if text.str.len_bytes().sum() == text.str.len_chars().sum():
        return text.str.to_lowercase()
    composed = text.str.normalize("NFC").str.to_lowercase()
    return composed.str.replace_all("ß", "ss", literal=True)


def reading_of(column: Column, year: int | None) -> Reading:
    """How a column is read; dates must lie in the year, if one is given."""
    text = pl.col(text_of(column))
    value = pl.col(column.name)
    match column.kind:
        case ColumnKind.TEXT:
            return _text(column, text)
        case ColumnKind.NUMBER:
            return _number(column, text, value, pl.Float64())
        case ColumnKind.INTEGER:
            return _number(column, text, value, pl.Int64())
        case ColumnKind.DATE:
            return _date(text, value, year)
        case ColumnKind.CHOICE:
            allowed = ", ".join(column.choices)
            return Reading(
                folded(text),
                ~value.is_in(column.choices),
                pl.lit(f"must be one of {allowed}"),
            )
        case _:
            assert_never(column.kind)


def _unread(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    return text.is_not_null() & value.is_null()


def _number(column: Column, text: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Reading:
    bad = _unread(text, value) | _too_large(value)
    if column.minimum is not None:
        bad |= value < column.minimum
    if column.maximum is not None:
        bad |= value > column.maximum
    reason = _number_reason(column, text, value)
    return Reading(text.cast(dtype, strict=False), bad, reason)


def _too_large(value: pl.Expr) -> pl.Expr:
    # Not-a-number compares as larger than every number.
    return value.abs() > NUMBER_MAX


def _text(column: Column, text: pl.Expr) -> Reading:
    value = folded(text) if column.normalisation is Normalisation.KEY else text
    return Reading(
        value,
        text.str.len_chars() > TEXT_CHARACTERS_MAX,
        pl.lit(f"is longer than {TEXT_CHARACTERS_MAX:,} characters"),
    )


def _date(text: pl.Expr, value: pl.Expr, year: int | None) -> Reading:
    day = text.str.to_date("%Y-%m-%d", strict=False)
    # 2024-1-5 is not ISO, though it can be read.
    bad = _unread(text, value) | (text.str.len_chars() != 10)
    reason = pl.lit("must be a date like 2024-03-31")
    if year is not None:
        outside = value.dt.year() != year
        bad |= outside
        reason = (
            pl.when(outside & (text.str.len_chars() == 10))
            .then(pl.lit(f"lies outside the year {year}"))
            .otherwise(reason)
        )
    return Reading(day, bad, reason)


def _number_reason(column: Column, text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Says what to write instead, for the ways in which spreadsheets write numbers."""
    whole = column.kind is ColumnKind.INTEGER
    fraction = text.str.contains(_FRACTION) if whole else pl.lit(value=False)
    point = text.str.replace_all(r"[.'\x{2019}\s]", "").str.replace(",", ".", literal=True)
    bare = text.str.replace_all(r"[,'\x{2019}\s]", "")
    return (
        pl.when(text.str.contains(_THOUSANDS))
        .then(pl.format("has a thousands separator: write {}", bare))
        .when(text.str.contains(_DECIMAL_COMMA))
        .then(pl.format("has a decimal comma: write {}", point))
        .when(fraction)
        .then(pl.lit("must be a whole number"))
        .when(value.is_null() & ~text.str.contains(_WHOLE))
        .then(pl.lit("is not a number (digits, and a decimal point)"))
        .when(value.is_null() | _too_large(value))
        .then(pl.lit("is not a finite number, or too large"))
        .otherwise(pl.lit(bounds_rule(column)))
    )


def bounds_rule(column: Column) -> str:
    """The bounds of a number in words; "" for none."""
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"must be from {low:g} to {high:g}"
    if low is not None:
        return f"must be at least {low:g}"
    return "" if high is None else f"must be at most {high:g}"
