"""Reads the fields of a column: their values, whether they are valid, and why not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import polars as pl

from worker_service.carbon.csv_source.invisible import as_seen
from worker_service.carbon.csv_source.spreadsheet_text import (
    QUOTED_REASON,
    is_single_quoted,
    without_apostrophe,
)
from worker_service.carbon.declarations import Column, ColumnKind, Normalisation
from worker_service.carbon.parse.formats import (
    date_layout,
    days_of,
    number_of_format_reason,
    plain_number,
)
from worker_service.carbon.parse.numbers import (
    bounds_rule,
    number_reason,
    too_large,
    whole_numbers,
)

TEXT_CHARACTERS_MAX = 1_000

_ISO_DATE_CHARACTERS = 10
# Data frames and databases write a date as its first moment, in any zone.
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2})[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?$"
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{1,2}:\d{2}"

MISSING = "is missing"
_BREAKS = ("\n", "\t")
_BROKEN = r"\s*[\n\t]\s*"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Expressions over `text:<name>` (trimmed, null if empty) and, for the last two, `<name>`.

    `bad` never looks at emptiness; `reason` is only asked where `bad` holds.
    """

    value: pl.Expr
    bad: pl.Expr
    reason: pl.Expr


def text_of(column: Column) -> str:
    """The name of the column with the trimmed text of a column."""
    return f"text:{column.name}"


def trimmed(name: str) -> pl.Expr:
    """The text without white space around it, no-break spaces included. Null if empty."""
    stripped = pl.col(name).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def as_comparison_key(text: pl.Expr) -> pl.Expr:
    """The case-folded form in which keys are stored and compared.

    Composed Unicode, lower case, ss for ß, plain spaces, nothing that nobody sees.
    """
    return text.map_batches(_as_comparison_key, return_dtype=pl.String)


def comparison_keys(texts: Sequence[str]) -> list[str]:
    """`as_comparison_key` for a list of texts, in order."""
    # Python's own lower() knows other letters than polars', by its version of Unicode.
    return _as_comparison_key(pl.Series(texts, dtype=pl.String)).to_list()


def comparison_key(text: str) -> str:
    """`as_comparison_key` for one text."""
    [key] = comparison_keys([text])
    return key


def choice_key(text: str) -> str:
    """The form in which the texts of a column of choices are compared: on one line."""
    return comparison_key(text_of_a_choice(text))


def text_of_a_choice(text: str) -> str:
    """The text on one line. A cell of a workbook may have several, which no shell passes on."""
    return re.sub(_BROKEN, " ", text)


def _as_choice_key(text: pl.Series) -> pl.Series:
    key = _as_comparison_key(text)
    is_broken = any(key.str.contains(mark, literal=True).any() for mark in _BREAKS)
    return key.str.replace_all(_BROKEN, " ") if is_broken else key


def _as_comparison_key(text: pl.Series) -> pl.Series:
    # Composing costs more than everything else together, and plain ASCII needs none.
    if _is_ascii(text):
        return text.str.to_lowercase()
    seen = text.to_frame().select(as_seen(pl.first())).to_series()
    return seen.str.normalize("NFC").str.to_lowercase().str.replace_all("ß", "ss", literal=True)


def _is_ascii(text: pl.Series) -> bool:
    return text.str.len_bytes().sum() == text.str.len_chars().sum()


def reading_of(column: Column, year: int | None) -> Reading:
    """How to read a column. Dates must be in `year`, if it is given."""
    text = pl.col(text_of(column))
    value = pl.col(column.name)
    match column.kind:
        case ColumnKind.TEXT:
            return _text(column, text)
        case ColumnKind.NUMBER:
            return _number(column, text, value, _plain(column, text).cast(pl.Float64, strict=False))
        case ColumnKind.INTEGER:
            return _number(column, text, value, whole_numbers(_plain(column, text)))
        case ColumnKind.DATE:
            return _date(column, text, value, year)
        case ColumnKind.CHOICE:
            bad = ~value.is_in(column.choices)
            return Reading(_choice(column, text), bad, _choice_reason(column, text, value))
        case _:
            assert_never(column.kind)


def _choice(column: Column, text: pl.Expr) -> pl.Expr:
    key = text.map_batches(_as_choice_key, return_dtype=pl.String)
    return key.replace(dict(column.aliases)) if column.aliases else key


def _choice_reason(column: Column, text: pl.Expr, value: pl.Expr) -> pl.Expr:
    """Names the choice that was meant where it is known, and all of them where it is not."""
    any_of = pl.lit(f"must be one of {', '.join(column.choices)}")
    bare = _choice(column, without_apostrophe(text))
    marked = pl.format("begins with an apostrophe, as spreadsheets mark text: write {}", bare)
    listed = (
        pl.when(is_single_quoted(text))
        .then(pl.lit(QUOTED_REASON))
        .when(bare.is_in(column.choices))
        .then(marked)
        .otherwise(any_of)
    )
    if not column.spellings:
        return listed
    spelt, meant = zip(*column.spellings, strict=True)
    choice = value.replace_strict(list(spelt), list(meant), default=None, return_dtype=pl.String)
    return pl.when(choice.is_null()).then(listed).otherwise(pl.format("write {}", choice))


def _plain(column: Column, text: pl.Expr) -> pl.Expr:
    return plain_number(text, column.decimal) if column.decimal else text


def _unread(text: pl.Expr, value: pl.Expr) -> pl.Expr:
    return text.is_not_null() & value.is_null()


def _number(column: Column, text: pl.Expr, value: pl.Expr, read: pl.Expr) -> Reading:
    bad = _unread(text, value) | too_large(value)
    if column.minimum is not None:
        bad |= value < column.minimum
    if column.more_than is not None:
        bad |= value <= column.more_than
    if column.maximum is not None:
        bad |= value > column.maximum
    reason = number_reason(column, text, value)
    if column.decimal:
        # The mapping says what commas and points are, so nothing else is guessed.
        unread = number_of_format_reason(text, column.decimal)
        if column.kind is ColumnKind.INTEGER:
            is_number = plain_number(text, column.decimal).cast(pl.Float64, strict=False)
            whole = pl.lit("must be a whole number")
            unread = pl.when(is_number.is_not_null()).then(whole).otherwise(unread)
        large = pl.lit("is not a finite number, or too large")
        reason = (
            pl.when(value.is_null())
            .then(unread)
            .when(too_large(value))
            .then(large)
            .otherwise(pl.lit(bounds_rule(column)))
        )
    return Reading(read, bad, reason)


def _text(column: Column, text: pl.Expr) -> Reading:
    value = as_comparison_key(text) if column.normalisation is Normalisation.KEY else text
    bad = text.str.len_chars() > TEXT_CHARACTERS_MAX
    reason = pl.lit(f"is longer than {TEXT_CHARACTERS_MAX:,} characters")
    if column.required:
        # A code or an id in single quotes would be another one. A note may be a quotation.
        quoted = is_single_quoted(text)
        bad |= quoted
        reason = pl.when(quoted).then(pl.lit(QUOTED_REASON)).otherwise(reason)
    return Reading(value, bad, reason)


def _date(column: Column, text: pl.Expr, value: pl.Expr, year: int | None) -> Reading:
    bad = _unread(text, value)
    layout = date_layout(column.date_layout) if column.date_layout else None
    like = "2024-03-31" if layout is None else layout.example
    reason = (
        pl.when(is_single_quoted(text))
        .then(pl.lit(QUOTED_REASON))
        .when(text.str.contains(_TIME))
        .then(pl.lit("must be a date like 2024-03-31: leave the time out"))
        .otherwise(pl.lit(f"must be a date like {like}"))
    )
    if year is not None:
        outside = value.dt.year() != year
        bad |= outside
        reason = pl.when(outside).then(pl.lit(f"lies outside the year {year}")).otherwise(reason)
    if layout is None:
        return Reading(text.map_batches(_days, return_dtype=pl.Date), bad, reason)
    written = layout

    def either(texts: pl.Series) -> pl.Series:
        # Cells of workbooks that are dates come in ISO 8601, whatever the others are.
        days = days_of(texts, written)
        return days.zip_with(days.is_not_null(), _days(texts)) if days.has_nulls() else days

    return Reading(text.map_batches(either, return_dtype=pl.Date), bad, reason)


def _days(text: pl.Series) -> pl.Series:
    if (text.str.len_bytes() != _ISO_DATE_CHARACTERS).any():
        text = text.str.replace(_MIDNIGHT, "${1}")
        # 2024-1-5 is not ISO, though it can be read.
        text = text.set(text.str.len_chars() != _ISO_DATE_CHARACTERS, None)
    return text.str.to_date("%Y-%m-%d", strict=False)
