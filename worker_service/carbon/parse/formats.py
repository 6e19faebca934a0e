"""Numbers and dates as other programs write them, once a mapping says how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from worker_service.carbon.csv_source.spreadsheet_text import QUOTED_REASON, is_single_quoted
from worker_service.carbon.parse.numbers import has_word_beside, word_beside_reason

# What separates the decimals -> the number that a sentence shows, and what separates thousands.
DECIMALS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {"comma": (",", ".", "1.234,5"), "point": (".", ",", "1,234.5")}
)
# \x{2019} is the typographic apostrophe, which Swiss spreadsheets put between thousands.
_ALSO_THOUSANDS = r"'\x{2019}\s"
_EXPONENT = r"([eE][+-]?\d{1,2})?"
_DATE_WORDS = re.compile(r"(dd|mm|yyyy)([-/. ]?)(dd|mm)(\2)(dd|mm|yyyy|yy)", re.IGNORECASE)
_ORDERS = ("dmy", "mdy", "ymd")
_MIDNIGHT = r"(?:[T ]0{1,2}:00(?::00)?)?"
_DIGITS = MappingProxyType({"dd": r"\d{1,2}", "mm": r"\d{1,2}", "yyyy": r"\d{4}", "yy": r"\d{2}"})
_READ_AS = MappingProxyType({"dd": "%d", "mm": "%m", "yyyy": "%Y", "yy": "%y"})
_SHOWN = MappingProxyType({"dd": "31", "mm": "03", "yyyy": "2024", "yy": "24"})


def plain_number(text: pl.Expr, decimal: str) -> pl.Expr:
    """A number written with `decimal`, as digits with a point; null if it is written otherwise."""
    mark, thousands, _ = DECIMALS[decimal]
    group = rf"[{re.escape(thousands)}{_ALSO_THOUSANDS}]"
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+"
    pattern = rf"^[+-]?(?:{grouped}|\d*)(?:{re.escape(mark)}\d*)?{_EXPONENT}$"
    plain = text.str.replace_all(group, "").str.replace(mark, ".", literal=True)
    return pl.when(text.str.contains(pattern)).then(plain)


def number_of_format_reason(text: pl.Expr, decimal: str) -> pl.Expr:
    """What to say of a text that is written otherwise."""
    mark, thousands, example = DECIMALS[decimal]
    said = (
        f"must be a number with a decimal {decimal}, such as {example}, as the mapping says"
        f' ("{mark}" before decimals, "{thousands}" between thousands)'
    )
    return (
        pl.when(is_single_quoted(text))
        .then(pl.lit(QUOTED_REASON))
        .when(has_word_beside(text))
        .then(word_beside_reason(text))
        .otherwise(pl.lit(said))
    )


@dataclass(frozen=True, slots=True)
class DateLayout:
    """How days are written: `pattern` for a whole text, `read_as` for its digits, an `example`."""

    pattern: str
    read_as: str
    example: str


def date_layout(written: str) -> DateLayout | None:
    """The layout of words such as "dd/mm/yyyy". None if they are not one.

    A year stands first or last, with a day's number never before the month's behind it, so that
    a date in ISO 8601 is never read as another day.
    """
    found = _DATE_WORDS.fullmatch(written.strip())
    if found is None:
        return None
    words = [found[1].lower(), found[3].lower(), found[5].lower()]
    mark = found[2]
    if "".join(word[0] for word in words) not in _ORDERS or (not mark and "yy" in words):
        return None
    digits = [_DIGITS[word] if mark else r"\d{" + str(len(word)) + "}" for word in words]
    return DateLayout(
        rf"^({re.escape(mark).join(digits)}){_MIDNIGHT}$",
        mark.join(_READ_AS[word] for word in words),
        mark.join(_SHOWN[word] for word in words),
    )


def days_of(text: pl.Series, layout: DateLayout) -> pl.Series:
    """The days of texts written so; null for others."""
    day = text.str.extract(layout.pattern)
    return day.str.to_date(layout.read_as, strict=False)
