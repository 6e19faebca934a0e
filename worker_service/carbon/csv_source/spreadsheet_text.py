"""Marks that make spreadsheets read a value as text: an apostrophe, or a formula."""

import re

import polars as pl

# What a spreadsheet would run as a formula. Numbers and blank fields may begin alike.
_FORMULA = r"^[=+\-@\t\r]"
_FORMULA_BEGINS = frozenset("=+-@\t\r")
# Blank for Python are four separators, too, which are not for Rust.
_HARMLESS = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[\s\x1c-\x1f]*$"
_GUARDED = r"(?s)^'([=+\-@\t\r].*)$"
# Names of Dutch places begin so: 's-Hertogenbosch, 't Harde.
_DUTCH_ARTICLE = r"^'[a-zA-Z][\s-]"
_FORMULA_OF_TEXT = r'(?s)^\s*="([^"]*)"\s*$'


QUOTED_REASON = 'is in single quotes: leave them out, or write double quotes (")'


def is_single_quoted(value: pl.Expr) -> pl.Expr:
    """Whether a value is in single quotes, which are no quotes of a CSV file."""
    ends = value.str.starts_with("'") & value.str.ends_with("'")
    return ends & (value.str.len_bytes() > 1)


def without_apostrophe(value: pl.Expr) -> pl.Expr:
    """What follows the apostrophe by which spreadsheets mark text; null for other values."""
    is_marked = value.str.starts_with("'") & ~value.str.contains(_DUTCH_ARTICLE)
    bare = value.str.slice(1).str.strip_chars()
    return pl.when(is_marked & (bare != "")).then(bare)


def inert(value: pl.Expr) -> pl.Expr:
    """The value, with an apostrophe before it if a spreadsheet would run it as a formula."""
    runs = value.str.contains(_FORMULA) & ~value.str.contains(_HARMLESS)
    return pl.when(runs).then(pl.lit("'") + value).otherwise(value)


def inert_text(value: str) -> str:
    """`inert` for one text."""
    runs = value[:1] in _FORMULA_BEGINS and not re.fullmatch(_HARMLESS, value)
    return "'" + value if runs else value


def unmarked(value: pl.Expr) -> pl.Expr:
    """The value without the mark of `inert`. ="0828", a formula of text, becomes 0828."""
    return value.str.replace(_GUARDED, "${1}").str.replace(_FORMULA_OF_TEXT, "${1}")


def unmarked_text(value: str) -> str:
    """`unmarked` for one text."""
    return re.sub(_FORMULA_OF_TEXT, r"\1", re.sub(_GUARDED, r"\1", value))


def may_have_marks(block: bytes, separator: str) -> bool:
    """Whether a field of the block may have a mark that `unmarked` removes. Fast."""
    starts = (separator.encode(), b"\n", b'"')
    guarded = block.startswith(b"'") or any(start + b"'" in block for start in starts)
    return guarded or b'="' in block
