"""Reads numbers as spreadsheets write them, and says what to write instead of bad ones."""

import polars as pl

from worker_service.carbon.csv_source.plain_digits import plain_digits
from worker_service.carbon.csv_source.spreadsheet_text import QUOTED_REASON, is_single_quoted
from worker_service.carbon.declarations import Column, ColumnKind

# Keeps every product of a formula finite.
NUMBER_MAX = 1e15

# A group of three after it can be thousands; after a zero it cannot.
_HEAD = r"^[+-]?[1-9]\d{0,2}"
# \x{2019} is the typographic apostrophe, which Swiss spreadsheets put between thousands.
_COMMAS = _HEAD + r"(,\d{3})+(\.\d*)?$"
_GAPS = r"^[+-]?\d{1,3}(['\x{2019}\s]\d{3})+(\.\d*)?$"
POINTS_OF_THOUSANDS = _HEAD + r"(\.\d{3}){2,}$"
DECIMAL_COMMA = r"^[+-]?[\d.'\x{2019}\s]*,\d+$"
# Either a thousand or one: only who wrote it knows.
_COMMA_OR_THOUSANDS = _HEAD + r",\d{3}$"
POINT_OR_THOUSANDS = _HEAD + r"\.\d{3}$"
_FRACTION = r"^[+-]?\d*\.\d*$"
_WHOLE = r"^[+-]?\d+$"
_WHOLE_WITH_POINT = r"^([+-]?\d+)\.0*$"
_WITH_EXPONENT = r"^[+-]?\d+(\.\d+)?[eE][+-]?\d{1,2}$"
_OTHER_DIGITS = r"[\p{Nd}--[0-9]]"
# A currency, a unit or a percent sign on one side of digits: £2,681.94, CHF 5, 12 kg, 5 %.
_WORD = r"[\p{L}\p{Sc}%°][\p{L}\p{Sc}%°./²³]*"
_DIGITS = r"\d[\d.,'\x{2019}\s]*"
_BESIDE = rf"^(?:[+-]?({_WORD})\s*[+-]?{_DIGITS}|[+-]?{_DIGITS}({_WORD}))$"
_MUST_BE_WHOLE = "must be a whole number, such as 2"
_NOT_WHOLE = "is not a number: write digits only, such as 2"


def whole_numbers(text: pl.Expr) -> pl.Expr:
    """Digits, with a point and zeros after them at most: 1.0 is 1, and 1.000 may be 1000.

    Spreadsheets write large numbers with an exponent, so 1e3 is 1000.
    """
    return text.map_batches(_whole, return_dtype=pl.Int64)


def _whole(text: pl.Series) -> pl.Series:
    value = text.cast(pl.Int64, strict=False)
    if value.null_count() == text.null_count():
        return value
    with_point = text.set(text.str.contains(POINT_OR_THOUSANDS).fill_null(value=False), None)
    bare = with_point.str.extract(_WHOLE_WITH_POINT).cast(pl.Int64, strict=False)
    whole = value.zip_with(value.is_not_null(), bare)
    has_exponent = text.str.contains(_WITH_EXPONENT).fill_null(value=False)
    if not has_exponent.any():
        return whole
    number = text.set(~has_exponent, None).cast(pl.Float64, strict=False)
    is_whole = (number == number.floor()) & (number.abs() <= NUMBER_MAX)
    read = number.set(~is_whole.fill_null(value=False), None).cast(pl.Int64, strict=False)
    return whole.zip_with(whole.is_not_null(), read)


def has_decimal_comma(text: pl.Expr) -> pl.Expr:
    """Where a comma can be nothing else."""
    thousands = text.str.contains(_COMMAS)
    return text.str.contains(DECIMAL_COMMA) & ~thousands


def has_decimal_point(text: pl.Expr) -> pl.Expr:
    """Where a point can be nothing else: 0.183, 12.5, 1234.567."""
    return text.str.contains(_FRACTION) & ~text.str.contains(POINT_OR_THOUSANDS)


def too_large(value: pl.Expr) -> pl.Expr:
    """Whether a number is beyond NUMBER_MAX. Not-a-number counts as larger than all numbers."""
    return value.abs() > NUMBER_MAX


def number_reason(column: Column, text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Says what to write instead, for the ways in which spreadsheets write numbers."""
    point = text.str.replace_all(r"[.'\x{2019}\s]", "").str.replace(",", ".", literal=True)
    bare = text.str.replace_all(r"[,'\x{2019}\s]", "")
    without_points = text.str.replace_all(".", "", literal=True)
    whole = column.kind is ColumnKind.INTEGER
    separated = text.str.contains(_COMMAS) | text.str.contains(_GAPS)
    meant = pl.when(separated).then(bare).when(text.str.contains(DECIMAL_COMMA)).then(point)
    return (
        pl.when(is_single_quoted(text))
        .then(pl.lit(QUOTED_REASON))
        .when(text.str.contains(_OTHER_DIGITS))
        .then(pl.format("has full-width digits or those of another script: write {}", _plain(text)))
        .when(_of_two_readings(text, whole=whole))
        .then(
            pl.format(
                "is {} with a thousands separator or {} with a decimal comma:"
                " write the one that is meant",
                bare,
                point.str.strip_suffix(".000") if whole else point,
            )
        )
        .when(pl.lit(whole) & _has_fraction(meant))
        .then(pl.lit(_MUST_BE_WHOLE))
        .when(text.str.contains(POINTS_OF_THOUSANDS))
        .then(pl.format("has a thousands separator: write {}", without_points))
        .when(separated)
        .then(pl.format("has a thousands separator: write {}", bare))
        .when(text.str.contains(DECIMAL_COMMA))
        .then(pl.format("has a decimal comma: write {}", point))
        .when(pl.lit(whole) & text.str.contains(POINT_OR_THOUSANDS))
        .then(_of_point(text, without_points))
        .when(pl.lit(whole) & text.str.contains(_FRACTION))
        .then(pl.lit(_MUST_BE_WHOLE))
        .when(has_word_beside(text))
        .then(word_beside_reason(text))
        .when(value.is_null() & ~text.str.contains(_WHOLE))
        .then(pl.lit(_NOT_WHOLE if whole else "is not a number (digits, and a decimal point)"))
        .when(value.is_null() | too_large(value))
        .then(pl.lit("is not a finite number, or too large"))
        .otherwise(pl.lit(bounds_rule(column)))
    )


def has_word_beside(text: pl.Expr) -> pl.Expr:
    """Where a number has a currency sign, a unit or the like beside it."""
    return text.str.contains(_BESIDE)


def word_beside_reason(text: pl.Expr) -> pl.Expr:
    """What to say of such a text."""
    word = pl.coalesce(text.str.extract(_BESIDE, 1), text.str.extract(_BESIDE, 2))
    return pl.format("has {} beside the number: write the number alone", word)


def _plain(text: pl.Expr) -> pl.Expr:
    return text.map_batches(
        lambda texts: pl.Series(
            [None if one is None else plain_digits(one) for one in texts], dtype=pl.String
        ),
        return_dtype=pl.String,
    )


def _has_fraction(number: pl.Expr) -> pl.Expr:
    """Whether a number with a decimal point is not whole: 1.5, not 1.0."""
    return number.str.contains(_FRACTION) & ~number.str.contains(_WHOLE_WITH_POINT)


def _of_two_readings(text: pl.Expr, *, whole: bool) -> pl.Expr:
    either = text.str.contains(_COMMA_OR_THOUSANDS)
    return either & text.str.ends_with(",000") if whole else either


def _of_point(text: pl.Expr, without_points: pl.Expr) -> pl.Expr:
    question = pl.format(
        "must be a whole number: write {} if the point separates thousands", without_points
    )
    as_one = pl.format("{}, else {}", question, text.str.strip_suffix(".000"))
    return pl.when(text.str.ends_with(".000")).then(as_one).otherwise(question)


def bounds_rule(column: Column) -> str:
    """The bounds of a number in words. "" if it has none."""
    low, high, beyond = column.minimum, column.maximum, column.more_than
    if beyond is not None:
        at_most = "" if high is None else f" and at most {high:g}"
        return f"must be more than {beyond:g}{at_most}"
    if low is not None and high is not None:
        return f"must be from {low:g} to {high:g}"
    if low is not None:
        return f"must be at least {low:g}"
    return "" if high is None else f"must be at most {high:g}"
