"""How spreadsheets are told that a value is text: an apostrophe before it, or a formula of it."""

import re

import polars as pl

# What a spreadsheet would run; plain numbers may begin alike, and so may nothing but space.
_FORMULA = r"^[=+\-@\t\r]"
_FORMULA_BEGINS = frozenset("=+-@\t\r")
_HARMLESS = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^\s*$"
_GUARDED = r"(?s)^'([=+\-@\t\r].*)$"
_FORMULA_OF_TEXT = r'(?s)^\s*="([^"]*)"\s*$'


def inert(value: pl.Expr) -> pl.Expr:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    runs = value.str.contains(_FORMULA) & ~value.str.contains(_HARMLESS)
    return pl.when(runs).then(pl.lit("'") + value).otherwise(value)


def inert_text(value: str) -> str:
    """`inert` of one text."""
    runs = value[:1] in _FORMULA_BEGINS and not re.fullmatch(_HARMLESS, value)
    return "'" + value if runs else value


def unmarked(value: pl.Expr) -> pl.Expr:
    """Without what `inert` adds; ="0828", which keeps a zero from being dropped, is 0828."""
    return value.str.replace(_GUARDED, "${1}").str.replace(_FORMULA_OF_TEXT, "${1}")


def may_have_marks(block: bytes, separator: str) -> bool:
    """Whether a field of the block may begin as `unmarked` wants it; found fast."""
    starts = (separator.encode(), b"\n", b'"')
    guarded = block.startswith(b"'") or any(start + b"'" in block for start in starts)
    return guarded or b'="' in block
